"""An annotator: photos in, label maps of the wanted label set out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spade_paddle.annotate.annotator_files import (
    DEFAULT_ANNOTATOR,
    AnnotatorFiles,
    choose_annotator,
)
from spade_paddle.annotate.segmentation_network import MODEL_LABELS, SegmentationNetwork
from spade_paddle.data.label_sets import find_label_set, find_remap
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.data.remap import Remap
from spade_paddle.errors import ModelError

# the label sets of PaddleSeg's data set classes, and what so many classes usually mean
_SETS_OF_DATASETS = {
    "ADE20K": "ade20k",
    "Cityscapes": "cityscapes_train",
    "CocoStuff": "coco_stuff_171",
}
_SETS_OF_COUNTS = {150: "ade20k", 19: "cityscapes_train", 171: "coco_stuff_171", 182: "coco_stuff"}


@dataclass(frozen=True)
class Annotation:
    """Label map ``uint8`` [H, W] (255 where unsure) and confidence ``float32`` [H, W] in 0..1, the
    probability of the likeliest label."""

    label_map: np.ndarray
    confidence: np.ndarray


class Annotator:
    """A segmentation network together with the way from its classes to a label set.

    Args:
        network: gives class probabilities.
        remap: from the network's label set to the wanted one.
        scales: the photos are also looked at in these sizes.
        flip: also look at their mirror images.
        min_confidence: pixels below become "don't care".
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        *,
        remap: Remap,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
        min_confidence: float = 0.0,
    ) -> None:
        self._network = network
        self._groups = _groups_of(remap)
        self._scales = tuple(scales)
        self._flip = flip
        self._min_confidence = min_confidence
        self.label_set = remap.target

    @classmethod
    def load(
        cls,
        model: str | Path | AnnotatorFiles = DEFAULT_ANNOTATOR,
        *,
        label_set: LabelSet | None = None,
        model_labels: str | None = None,
        **looks: Any,
    ) -> Annotator:
        """Open an annotator: the one that comes along, a PaddleSeg name, folder or YAML file.

        Args:
            model: as in ``choose_annotator``.
            label_set: the wanted labels; None: those the network knows.
            model_labels: name or file of the network's own label set, where it does not tell.
            looks: ``scales``, ``flip`` and ``min_confidence``, as above.

        Raises:
            ModelError: no such annotator, or it cannot be opened.
            ConfigError: there is no way from its labels to the wanted ones.
        """
        files = model if isinstance(model, AnnotatorFiles) else choose_annotator(model)
        told = model_labels or files.labels
        classes = None if told is None else len(find_label_set(told))
        network = SegmentationNetwork(files.config, files.weights, exported_classes=classes)
        known = _known_labels(network, files, model_labels)
        remap = find_remap(known, known if label_set is None else label_set)
        return cls(network, remap=remap, **looks)

    def annotate(self, photo: np.ndarray) -> Annotation:
        """The label map of one photo, ``uint8`` [H, W, 3] RGB."""
        return self.annotate_batch([photo])[0]

    def annotate_batch(self, photos: Sequence[np.ndarray]) -> list[Annotation]:
        """Several photos; those of one size share a pass through the network."""
        scores = self._network.scores(photos, scales=self._scales, flip=self._flip)
        return [self._decide(score) for score in scores]

    def _decide(self, scores: np.ndarray) -> Annotation:
        """[K, H, W] probabilities of the network's classes -> the likeliest wanted label.

        The probabilities of classes that become one label are added first: a slope that is half
        "mountain" and half "hill" is surely a mountain.
        """
        classes, height, width = scores.shape
        sums = self._groups @ scores.reshape(classes, height * width)
        likeliest = sums.argmax(axis=0)
        confidence = np.take_along_axis(sums, likeliest[None], axis=0)[0]
        labels = likeliest.astype(np.uint8)
        labels[likeliest == len(self.label_set)] = DONT_CARE
        labels[confidence < self._min_confidence] = DONT_CARE
        return Annotation(
            label_map=labels.reshape(height, width),
            confidence=np.clip(confidence, 0, 1).reshape(height, width),
        )


def _groups_of(remap: Remap) -> np.ndarray:
    """``float32`` [labels + 1, classes], 1 where a class becomes a label; last: "don't care"."""
    rows = remap.table[: len(remap.source)].astype(np.int64)
    rows[rows == DONT_CARE] = len(remap.target)
    groups = np.zeros((len(remap.target) + 1, len(remap.source)), np.float32)
    groups[rows, np.arange(len(remap.source))] = 1
    return groups


def _known_labels(
    network: SegmentationNetwork, files: AnnotatorFiles, model_labels: str | None
) -> LabelSet:
    """The label set of the network's classes."""
    by_name = _SETS_OF_DATASETS.get(network.dataset, _SETS_OF_COUNTS.get(network.num_classes))
    chosen = model_labels or files.labels or by_name
    if chosen is None:
        raise ModelError(
            f"{files.config}: what its {network.num_classes} classes are is not known; say it with "
            f"{MODEL_LABELS}, or put a labels.json beside the file",
            code="annotator_labels",
        )
    label_set = find_label_set(chosen)
    if len(label_set) != network.num_classes:
        raise ModelError(
            f"{files.config}: the network knows {network.num_classes} classes but the label set "
            f"'{label_set.name}' has {len(label_set)}; say with {MODEL_LABELS} which one it is",
            code="annotator_labels",
        )
    return label_set
