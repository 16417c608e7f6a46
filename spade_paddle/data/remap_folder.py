"""Converts a folder of label maps or color masks to the ids of another label set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.data.color_masks import ColorReading
from spade_paddle.data.dataset import Folder
from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.label_pictures import read_color_mask, read_ids
from spade_paddle.data.labels import DONT_CARE, hex_of
from spade_paddle.data.remap import Remap
from spade_paddle.errors import DataError, LabelMapError

MAP_ENDINGS = (".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".jpg", ".jpeg")
_SHOWN = 4  # number of unknown colors in the message about a file


@dataclass(frozen=True)
class Outcome:
    """The result of ``remap_folder``.

    Attributes:
        written: number of files.
        pixels: ``int64`` [256], number of pixels of each target id.
        snapped: number of pixels that got a label although they do not have exactly its color.
        unknown: number of pixels of each color (R, G, B) that belongs to no label.
        problems: a message for each file with unknown colors or that was skipped.
    """

    written: int
    pixels: np.ndarray
    snapped: int
    unknown: Counter[tuple[int, int, int]]
    problems: tuple[str, ...]


def remap_folder(
    maps: Path,
    out: Path,
    *,
    remap: Remap,
    colors: bool = False,
    progress: Callable[[Iterable[Path]], Iterable[Path]] = iter,
) -> Outcome:
    """Write every map of a folder as a palette PNG of the same stem with the target's ids.

    Files that cannot be read or have unknown ids are skipped; unknown colors become "don't care"
    (255). Both are reported in the result.

    Args:
        maps: folder of the label maps.
        out: another folder; created if needed.
        remap: from their label set to the new one.
        colors: the maps are color masks in the colors of the source, not ids.
        progress: wraps the list of files, to show the progress.

    Raises:
        DataError: ``maps`` is missing, empty or the same as ``out``, or two files have one stem.
    """
    if out.resolve() == maps.resolve():
        raise DataError(
            f"{out}: this is the input folder, whose maps would be overwritten; choose another",
            code="out_is_input",
        )
    written, snapped = 0, 0
    pixels = np.zeros(256, np.int64)
    unknown: Counter[tuple[int, int, int]] = Counter()
    problems = []
    folder = Folder(maps, MAP_ENDINGS)
    folder.check(expected="expected one of label maps")
    for path in progress([files[0] for files in folder.by_stem.values()]):
        try:
            reading = _read(path, remap, colors=colors)
            label_map = remap.apply(reading.label_map, where=str(path))
        except (DataError, LabelMapError) as error:
            problems.append(str(error))
            continue
        write_label_map(out / f"{path.stem}.png", label_map, remap.target)
        written += 1
        pixels += np.bincount(label_map.ravel(), minlength=256)
        snapped += reading.snapped
        if reading.unknown:
            problems.append(_message(path, reading, remap.source.name))
            unknown.update(dict(reading.unknown))
    return Outcome(written, pixels, snapped, unknown, tuple(problems))


def _read(path: Path, remap: Remap, *, colors: bool) -> ColorReading:
    if colors:
        return read_color_mask(path, remap.source)
    return ColorReading(label_map=read_ids(path), snapped=0, unknown=())


def _message(path: Path, reading: ColorReading, name: str) -> str:
    count = sum(number for _, number in reading.unknown)
    shown = ", ".join(f"{hex_of(color)} ({number})" for color, number in reading.unknown[:_SHOWN])
    more = len(reading.unknown) - _SHOWN
    return (
        f"{path}: {count} pixels are in colors of no label of '{name}': {shown}"
        f"{f' and {more} more colors' if more > 0 else ''}; they are now don't care "
        f"({DONT_CARE}); paint them in a label's color"
    )
