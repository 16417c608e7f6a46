"""Corrects the label maps of a data set with an annotator, even one that was trained on them.

A network that has seen each photo a few times learns what labels have in common, not the errors of
single maps: where it is sure of another label, the map is usually wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.annotate.edges import snap_to_edges
from spade_paddle.data.dataset import Pair, dataset_parts, find_pairs, read_scene
from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.errors import DataError


@dataclass(frozen=True)
class Corrections:
    """What was changed.

    Attributes:
        shares: of each label map's pixels, the share with another label, 0..1, by name.
        relabeled: pixels by label before and after, ``int64`` [256, 256].
    """

    shares: dict[str, float]
    relabeled: np.ndarray


def corrected(
    label_map: np.ndarray, photo: np.ndarray, *, sure: np.ndarray, keep: Sequence[int], reach: float
) -> np.ndarray:
    """Correct a label map, ``uint8`` [H, W].

    Args:
        label_map: ids, ``uint8`` [H, W]; 255 stays.
        photo: its photo, ``uint8`` [H, W, 3].
        sure: what an annotator is sure of, ``uint8`` [H, W]; 255 elsewhere.
        keep: labels whose pixels stay, such as rare ones that the annotator often misses.
        reach: see ``snap_to_edges``, which moves the edges in the end; 0: they stay.
    """
    is_wrong = (sure != DONT_CARE) & ~np.isin(label_map, [*keep, DONT_CARE])
    result = np.where(is_wrong, sure, label_map)
    return snap_to_edges(photo, result, reach=reach) if reach else result


def correct_labels(
    data: Path,
    out: Path,
    *,
    annotator: Annotator,
    keep: Sequence[int] = (),
    edge_reach: float = 0.0,
    progress: Callable[[Iterable[Pair]], Iterable[Pair]] = iter,
) -> Corrections:
    """Write corrected label maps of the training part of a data set, or of all of a flat one.

    Args:
        data: the data set.
        out: folder for the label maps, with the same names; created if needed.
        annotator: of the data set's labels; its ``min_confidence`` decides what it is sure of.
        keep: ids of labels that stay, see ``corrected``.
        edge_reach: see ``Annotator``; here it is applied to the corrected map.
        progress: wraps the list of scenes, to show the progress.

    Raises:
        DataError: ``data`` is not a data set, ``out`` is in it, or a file cannot be read.
    """
    if out.resolve().is_relative_to(data.resolve()):
        raise DataError(
            f"{out}: this is in the data set, whose label maps would be overwritten; choose a "
            "folder outside",
            code="out_is_input",
        )
    shares, relabeled = {}, np.zeros((256, 256), np.int64)
    for pair in progress(find_pairs(data, dataset_parts(data)[0])):
        scene = read_scene(pair, annotator.label_set)
        before, photo = scene.label_map, scene.photo
        reach = edge_reach * min(before.shape)
        sure = annotator.annotate(photo).label_map
        after = corrected(before, photo, sure=sure, keep=keep, reach=reach)
        write_label_map(out / f"{pair.stem}.png", after, annotator.label_set)
        shares[pair.stem] = float((before != after).mean())
        both = before.astype(np.int64).ravel() * 256 + after.ravel()
        relabeled += np.bincount(both, minlength=256 * 256).reshape(256, 256)
    return Corrections(shares, relabeled)
