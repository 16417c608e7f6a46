"""Masks drawn in other programs, in the colors of a label set, read as label maps.

A pixel of exactly a label's color has that label. A solid area of another color has the label of
the nearest color within the tolerance, or is unknown. All others are on smoothed edges and get a
label that occurs near them (data/blends.py). A picture with few pixels of the first two kinds was
saved as JPEG or is not a drawing; its other pixels then stay unknown.

Legend: H, W height and width; M pixels; N colors of a ``ColorTable``. Anchors are ``int32``
[H, W]: the index of the color whose label a pixel has, -1 while it is not assigned.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spade_paddle.data.blends import dominant_anchor, nearest_anchors
from spade_paddle.data.color_table import FIRST_UNKNOWN, ColorTable, pack, unpack
from spade_paddle.data.labels import DONT_CARE, LabelSet

REACH = 2  # search radius for the anchors around a pixel
ROUNDS = 8  # iterations inwards from the border of a soft edge, each of them REACH pixels
ROUNDING = 4  # smallest tolerance of a channel for mixtures
LOSSY_REACH = 6  # search radius in JPEGs, whose artifacts spread that far
LEAST_CERTAIN = 0.25  # least share of anchors in a drawing; 30 thin lines at 32 x 32 give 0.46


@dataclass(frozen=True, eq=False)
class ColorReading:
    """The result of reading a color mask.

    Attributes:
        label_map: ``uint8`` [H, W], 255 where the mask is transparent, "don't care" or unknown.
        snapped: number of pixels that got a label although they do not have exactly its color.
        unknown: the colors (R, G, B) that belong to no label, with their number of pixels, most
            frequent first.
    """

    label_map: np.ndarray
    snapped: int
    unknown: tuple[tuple[tuple[int, int, int], int], ...]


def colors_to_labels(
    pixels: np.ndarray,
    label_set: LabelSet,
    *,
    tolerance: int = 12,
    lossy: bool = False,
    strays: float = 0.0,
) -> ColorReading:
    """Convert a picture in the colors of a label set to a label map.

    Args:
        pixels: ``uint8`` [H, W, 3] RGB or [H, W, 4] RGBA.
        label_set: the colors; they must differ.
        tolerance: largest difference in a channel at which a color still counts as a label's.
        lossy: the file has a lossy format such as JPEG.
        strays: if the share of unknown pixels is at most this, they get the nearest label.

    Raises:
        ConfigError: two labels of the set have the same color.
    """
    table = ColorTable(label_set, tolerance=tolerance)
    packed = pack(pixels)
    opaque = pixels[..., 3] >= 128 if pixels.shape[2] == 4 else np.ones(packed.shape, bool)
    anchors = None if lossy else _anchors(packed, opaque, table)
    if anchors is not None and _is_drawing(anchors, opaque):
        _assign_edges(anchors, packed, opaque, table, error=max(tolerance, ROUNDING))
    else:  # it is or once was a JPEG
        anchors = _lossy_anchors(packed, opaque, table)
        if _is_drawing(anchors, opaque):
            noise = np.argwhere(opaque & (anchors < 0))
            _assign_similar(anchors, noise, packed, table, reach=LOSSY_REACH)
    left = opaque & (anchors < 0)
    anchors[left] = table.add(packed[left])
    unknown = opaque & (table.groups[anchors] >= FIRST_UNKNOWN)
    if unknown.sum() <= strays * unknown.size:
        anchors[unknown] = table.nearest(packed[unknown])
    return _reading(anchors, packed, opaque, table)


def _is_drawing(anchors: np.ndarray, opaque: np.ndarray) -> bool:
    """Whether enough opaque pixels are anchors for the others to be assigned by them."""
    return bool((anchors[opaque] >= 0).sum() >= LEAST_CERTAIN * opaque.sum())


def _anchors(packed: np.ndarray, opaque: np.ndarray, table: ColorTable) -> np.ndarray:
    """Anchors at pixels of exactly a label's color and in solid areas of other colors."""
    anchors = np.where(opaque, table.find(packed), -1)
    solid = _solid(packed) & opaque
    other = solid & (anchors < 0)
    anchors[other] = table.add(packed[other])
    if (anchors[opaque] < 0).any():  # otherwise no edge is smoothed, so there are no mixtures
        accidental = _accidental_matches(anchors, solid, table)
        anchors[tuple(accidental.T)] = -1
    return anchors


def _solid(values: np.ndarray) -> np.ndarray:
    """Whether each pixel of [H, W] lies in some 3 x 3 square of equal values."""
    padded = np.pad(values, 1, constant_values=-2)  # differs from all values
    uniform = (padded[:, :-2] == padded[:, 1:-1]) & (padded[:, 1:-1] == padded[:, 2:])
    rows = uniform[:-2] & uniform[1:-1] & uniform[2:]  # each of the three rows is uniform
    same = (padded[:-2] == padded[1:-1]) & (padded[1:-1] == padded[2:])
    square = rows & same[:, 1:-1]
    return cv2.dilate(square.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _accidental_matches(anchors: np.ndarray, solid: np.ndarray, table: ColorTable) -> np.ndarray:
    """Pixels [M, 2] that have a label's color only because they are a mixture of two others.

    They are not near a solid area of that label; each of the two others has one somewhere.
    """
    pixels = np.argwhere((anchors >= 0) & ~solid)
    own = anchors[tuple(pixels.T)]
    in_areas = np.where(solid, anchors, -1)
    beside = nearest_anchors(in_areas, pixels, groups=table.groups, radius=REACH)
    near_own = (beside == own[:, None]).any(axis=1)
    pixels, own = pixels[~near_own], own[~near_own]
    with_area = np.where(np.isin(anchors, np.unique(in_areas)), anchors, -1)
    near = nearest_anchors(with_area, pixels, groups=table.groups, radius=REACH)
    near[near == own[:, None]] = -1
    near = np.take_along_axis(near, np.argsort(near < 0, axis=1, kind="stable"), axis=1)
    known = unpack(table.packed)
    mixed = dominant_anchor(known[own], near, anchor_colors=known, tolerance=1)
    return pixels[(mixed >= 0) & (near[:, 1] >= 0)]


def _assign_edges(
    anchors: np.ndarray,
    packed: np.ndarray,
    opaque: np.ndarray,
    table: ColorTable,
    *,
    error: int,
) -> None:
    """Assign the remaining pixels to the dominant anchor around them, from the borders inwards."""
    present = np.unique(anchors[anchors >= 0])
    present = present[present < table.official]
    changed = np.ones(packed.shape, np.uint8)  # near pixels assigned in the previous iteration
    isolated = _differs_from_neighbors(packed)
    for _ in range(ROUNDS):
        pixels = np.argwhere(opaque & (anchors < 0) & (changed > 0))
        if not len(pixels):
            break
        near = nearest_anchors(anchors, pixels, groups=table.groups, radius=REACH)
        colors, known = unpack(packed[tuple(pixels.T)]), unpack(table.packed)
        chosen = dominant_anchor(colors, near, anchor_colors=known, tolerance=error)
        # at a tip or in a wide edge the second color of the mixture is beyond the search radius
        for other in present:
            left = np.flatnonzero((chosen < 0) & (near[:, 0] >= 0))
            if not left.size:
                break
            pair = np.full((len(left), near.shape[1]), -1, np.int32)
            pair[:, 0], pair[:, 1] = near[left, 0], other
            most = dominant_anchor(colors[left], pair, anchor_colors=known, tolerance=ROUNDING)
            chosen[left] = np.where(most == near[left, 0], most, -1)
            isolated[tuple(pixels[left[most == other]].T)] = True  # unless a later iteration does
        anchors[tuple(pixels.T)] = chosen
        changed[:] = 0
        changed[tuple(pixels[chosen >= 0].T)] = 1
        changed = cv2.dilate(changed, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    rest = np.argwhere(opaque & (anchors < 0) & isolated)
    _assign_similar(anchors, rest, packed, table, reach=REACH)


def _differs_from_neighbors(packed: np.ndarray) -> np.ndarray:
    """Whether each pixel of [H, W] differs in color from all of its eight neighbors."""
    height, width = packed.shape
    padded = np.pad(packed, 1, constant_values=-1)
    equal = np.zeros(packed.shape, bool)
    for top in range(3):
        for left in range(3):
            if (top, left) != (1, 1):
                equal |= padded[top : top + height, left : left + width] == packed
    return ~equal


def _assign_similar(
    anchors: np.ndarray, pixels: np.ndarray, packed: np.ndarray, table: ColorTable, *, reach: int
) -> None:
    """Assign pixels [M, 2] to the anchor of the most similar color within ``reach``, if any."""
    near = nearest_anchors(anchors, pixels, groups=table.groups, radius=reach)
    colors = unpack(packed[tuple(pixels.T)])
    difference = np.abs(colors[:, None] - unpack(table.packed[near])).sum(axis=2)
    difference[near < 0] = 2**20
    anchors[tuple(pixels.T)] = near[np.arange(len(near)), difference.argmin(axis=1)]


def _lossy_anchors(packed: np.ndarray, opaque: np.ndarray, table: ColorTable) -> np.ndarray:
    """Anchors in solid areas of pixels that are within the tolerance of one label's color."""
    anchors = np.where(opaque, table.add(packed), -1)
    groups = np.where(opaque, table.groups[anchors], -1)
    return np.where(_solid(groups) & (groups < FIRST_UNKNOWN), anchors, -1)


def _reading(
    anchors: np.ndarray, packed: np.ndarray, opaque: np.ndarray, table: ColorTable
) -> ColorReading:
    groups = np.where(opaque, table.groups[anchors], DONT_CARE)
    known = groups < FIRST_UNKNOWN
    found = table.find(packed)
    exact = (table.groups[found] == groups) & (found < table.official)
    counts = np.bincount(anchors[~known], minlength=len(table.packed))
    indices = np.flatnonzero(counts)
    colors, numbers = unpack(table.packed[indices]).tolist(), counts[indices].tolist()
    unknown = sorted(zip(map(tuple, colors), numbers), key=lambda entry: (-entry[1], entry[0]))
    return ColorReading(
        label_map=np.where(known, groups, DONT_CARE).astype(np.uint8),
        snapped=int((opaque & known & ~exact).sum()),
        unknown=tuple(unknown),
    )
