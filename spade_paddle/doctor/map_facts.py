"""Inspects label map and instance map files without raising."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.data.color_table import pack, unpack
from spade_paddle.data.label_pictures import ID_MODES, ids_in_gray, pixel_values
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.doctor.photo_facts import why_unreadable

GRAY = "gray saved as color"
_NOTHING = np.zeros((0, 0), np.uint8)
# Share of thin runs whose id lies between those of their neighbors; 1/3 by chance.
_BETWEEN = 0.5
# an instance covers two labels if each contains this share and number of its pixels
_SHARE, _PIXELS = 0.05, 16


@dataclass(frozen=True)
class MapFacts:
    """Properties of a map. If it cannot be used, ``code`` is that of the finding and ``problem``
    the reason.

    ``counts`` is None if only the header was read; the fields after it are set for maps that were
    read with ``whole``.
    """

    code: str = ""
    problem: str = ""
    size: tuple[int, int] = (0, 0)  # width, height
    mode: str = ""  # as Pillow calls it
    counts: dict[int, int] | None = None  # pixels by value
    ramp_share: float = 0.0  # see ramp_share()
    displaced: dict[int, int] = field(default_factory=dict)  # value -> id of its palette color
    digest: str = ""  # equal for identical maps
    shared: tuple[int, ...] = ()  # ids of an 8-bit instance map that cover several labels

    @property
    def ids(self) -> set[int]:
        """The values that occur, including 255."""
        return set(self.counts or ())

    @property
    def labels(self) -> set[int]:
        """The values that occur, without 255."""
        return self.ids - {DONT_CARE}

    @property
    def dont_care(self) -> float:
        """The share of pixels with 255, 0..1."""
        counts = self.counts or {}
        return counts.get(DONT_CARE, 0) / max(sum(counts.values()), 1)


def label_map_facts(
    path: Path, label_set: LabelSet, *, ids: bool, whole: bool
) -> tuple[MapFacts, np.ndarray]:
    """Inspect a label map: its header, with ``ids`` also its values, with ``whole`` everything.

    Returns:
        The facts, and the values [H, W], which are empty if they were not read.
    """
    try:
        with Image.open(path) as image:
            facts = MapFacts(size=image.size, mode=image.mode)
            if image.format == "JPEG":
                return dataclasses.replace(facts, code="label_map_jpeg", problem="a JPEG"), _NOTHING
            if image.mode not in ID_MODES:
                kind = _kind_of_colors(image, label_set) if ids else f"mode {image.mode}"
                return dataclasses.replace(facts, code="label_map_color", problem=kind), _NOTHING
            if not ids:
                return facts, _NOTHING
            values = pixel_values(image)
            if values.size and values.max() < 256:
                values = values.astype(np.uint8)  # faster
            facts = dataclasses.replace(facts, counts=_counts(values))
            if whole:
                shape = repr(values.shape).encode()
                facts = dataclasses.replace(
                    facts,
                    ramp_share=ramp_share(values),
                    displaced=_displaced_colors(image, facts.labels, label_set),
                    digest=hashlib.sha256(shape + values.tobytes()).hexdigest(),
                )
            return facts, values
    except Exception as error:  # decoders raise various types for damaged files
        return MapFacts("label_map_unreadable", why_unreadable(path, error)), _NOTHING


def instance_map_facts(path: Path, label_map: np.ndarray, *, whole: bool) -> MapFacts:
    """Inspect an instance map and, with ``whole``, compare it with the label map [H, W]."""
    code = "instance_map_unreadable"
    try:
        with Image.open(path) as image:
            facts = MapFacts(size=image.size, mode=image.mode)
            if image.format == "JPEG" or image.mode not in ID_MODES:
                kind = "a JPEG" if image.format == "JPEG" else f"a picture of mode {image.mode}"
                problem = f"{kind}, whose values are not instance ids"
                return dataclasses.replace(facts, code=code, problem=problem)
            values = pixel_values(image) if whole else _NOTHING
            if image.mode in ("L", "P") and values.size and values.shape == label_map.shape:
                facts = dataclasses.replace(facts, shared=in_several_labels(values, label_map))
            return facts
    except Exception as error:
        return MapFacts(code, why_unreadable(path, error))


def _counts(values: np.ndarray) -> dict[int, int]:
    """Count the pixels of each value."""
    if values.dtype == np.uint8:  # several times faster than sorting
        pixels = np.bincount(values.ravel())
        found = np.flatnonzero(pixels)
        return dict(zip(found.tolist(), pixels[found].tolist()))
    found, pixels = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), pixels.tolist()))


def _kind_of_colors(image: Image.Image, label_set: LabelSet) -> str:
    """Describe the colors of a picture that should contain ids."""
    pixels = np.asarray(image.convert("RGB"))
    if ids_in_gray(pixels) is not None:
        return GRAY
    found = set(map(tuple, unpack(np.unique(pack(pixels))).tolist()))
    known = found & {label.color for label in label_set.labels}
    if known == found:
        return f"the colors of the label set '{label_set.name}'"
    return f"{len(found)} colors, {len(known)} of them of the label set '{label_set.name}'"


def _displaced_colors(image: Image.Image, used: set[int], label_set: LabelSet) -> dict[int, int]:
    """value -> id of its color, if a palette has the label set's colors at other ids.

    Empty if the palette agrees with the label set, or has other colors.
    """
    palette = image.getpalette() if image.mode == "P" else None
    if palette is None:
        return {}
    id_of = {label.color: label.id for label in label_set.labels}
    meant = {value: id_of.get(tuple(palette[3 * value : 3 * value + 3])) for value in sorted(used)}
    if None in meant.values():
        return {}
    return {value: label for value, label in meant.items() if value != label}


def ramp_share(values: np.ndarray) -> float:
    """Detect maps [H, W] that were resized with interpolation: ramp pixels per border pixel.

    Between sky (1) and tree (5), interpolation creates ids 2, 3 and 4: ramps of one or two pixels
    along nearly every border. Thin objects of a correct map have neighbors with any ids.

    Returns:
        0 for sharp borders, about 1 for ramps everywhere; also 0 if most thin runs do not lie
        between their neighbors' ids.
    """
    borders = thin = ramps = 0
    for rows in (values, np.ascontiguousarray(values.T)):
        borders += int((rows[:, 1:] != rows[:, :-1]).sum())
        for step in (1, 2):
            left, middle, right = rows[:, : -2 * step], rows[:, step:-step], rows[:, 2 * step :]
            differs = (left != middle) & (middle != right)
            differs &= (left != DONT_CARE) & (right != DONT_CARE)  # 255 is not an interpolated id
            left, middle, right = left[differs], middle[differs], right[differs]
            thin += len(middle)
            rises = (left < middle) & (middle < right)
            falls = (left > middle) & (middle > right)
            ramps += int((rises | falls).sum())
    return ramps / borders if ramps > _BETWEEN * thin else 0.0


def in_several_labels(instances: np.ndarray, label_map: np.ndarray) -> tuple[int, ...]:
    """Ids of instances that cover several labels, as when 16-bit ids were truncated to 8 bits. 0 is
    excluded, because it often means "no instance"."""
    joint = instances.astype(np.int64) * 65_536 + label_map
    both, pixels = np.unique(joint, return_counts=True)
    numbers = both // 65_536
    totals = np.bincount(numbers, weights=pixels)
    large = (pixels >= _PIXELS) & (pixels >= _SHARE * totals[numbers])
    labels = np.bincount(numbers[large], minlength=1)
    return tuple(int(number) for number in np.flatnonzero(labels > 1) if number != 0)
