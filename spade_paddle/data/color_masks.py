"""Masks drawn in other programs, in the colors of a label set, read as label maps.

A pixel in exactly a label's color has that label. An area of another color has the label of the
nearest color within the tolerance, or is unknown. What is left lies on smoothed edges and goes to
a label that occurs beside it (data/blends.py). A picture with hardly a pixel of either kind was
a JPEG once, or is no drawing, and then all that is left is unknown.

Legend: H, W height and width; M pixels; N colors of a ``ColorTable``. Anchors are ``int32``
[H, W]: the index of the color whose label a pixel has, -1 as long as that is open.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spade_paddle.data.blends import dominant_anchor, nearest_anchors
from spade_paddle.data.color_table import FIRST_UNKNOWN, ColorTable, pack, unpack
from spade_paddle.data.labels import DONT_CARE, LabelSet

REACH = 2  # pixels from an open one to the anchors that it is judged by
ROUNDS = 8  # soft edges may be so many times wider
ROUNDING = 4  # how far a channel may be from a mixture, at least
LOSSY_REACH = 6  # a JPEG smears colors so far
LEAST_CERTAIN = 0.25  # of a drawing's pixels; with 30 lines of a pixel at 32 x 32 it is 0.46


@dataclass(frozen=True, eq=False)
class ColorReading:
    """What a color mask says.

    ``label_map`` is ``uint8`` [H, W], 255 where the mask is transparent, shows "don't care" or is
    unknown. ``snapped`` counts the pixels that have a label but not exactly its color. ``unknown``
    lists the colors that belong to no label and their pixels, most frequent first.
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
    """The label map of a picture in the colors of a label set.

    Args:
        pixels: ``uint8`` [H, W, 3] RGB or [H, W, 4] RGBA.
        label_set: the colors; they must differ.
        tolerance: largest difference in a channel at which a color still counts as a label's.
        lossy: the picture was a JPEG, or the like.
        strays: where no more than this share of the pixels is unknown, they get the nearest label.

    Raises:
        ConfigError: two labels of the set have the same color.
    """
    table = ColorTable(label_set, tolerance=tolerance)
    packed = pack(pixels)
    opaque = pixels[..., 3] >= 128 if pixels.shape[2] == 4 else np.ones(packed.shape, bool)
    anchors = None if lossy else _anchors(packed, opaque, table)
    if anchors is not None and _is_drawing(anchors, opaque):
        _assign_edges(anchors, packed, opaque, table, error=max(tolerance, ROUNDING))
    else:  # it is a JPEG, or was one
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
    """Whether enough of what is shown is certain for the rest to be judged by it."""
    return bool((anchors[opaque] >= 0).sum() >= LEAST_CERTAIN * opaque.sum())


def _anchors(packed: np.ndarray, opaque: np.ndarray, table: ColorTable) -> np.ndarray:
    """Anchors of pixels in exactly a label's color, and of areas of one other color."""
    anchors = np.where(opaque, table.find(packed), -1)
    solid = _solid(packed) & opaque
    other = solid & (anchors < 0)
    anchors[other] = table.add(packed[other])
    if (anchors[opaque] < 0).any():  # else no edge is smoothed, and every color is meant
        by_chance = _mixed_by_chance(anchors, solid, table)
        anchors[tuple(by_chance.T)] = -1
    return anchors


def _solid(values: np.ndarray) -> np.ndarray:
    """Whether a pixel of [H, W] lies in a square of 3 x 3 equal ones."""
    padded = np.pad(values, 1, constant_values=-2)  # unlike all values
    beside = (padded[:, :-2] == padded[:, 1:-1]) & (padded[:, 1:-1] == padded[:, 2:])
    rows = beside[:-2] & beside[1:-1] & beside[2:]  # all three rows of the square are even
    same = (padded[:-2] == padded[1:-1]) & (padded[1:-1] == padded[2:])
    square = rows & same[:, 1:-1]
    return cv2.dilate(square.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _mixed_by_chance(anchors: np.ndarray, solid: np.ndarray, table: ColorTable) -> np.ndarray:
    """The pixels [M, 2] whose color is a label's, but only as a mixture of two others.

    A label that has an area nearby is meant; the two others must have one somewhere.
    """
    pixels = np.argwhere((anchors >= 0) & ~solid)
    own = anchors[tuple(pixels.T)]
    in_areas = np.where(solid, anchors, -1)
    beside = nearest_anchors(in_areas, pixels, groups=table.groups, radius=REACH)
    meant = (beside == own[:, None]).any(axis=1)
    pixels, own = pixels[~meant], own[~meant]
    drawn = np.where(np.isin(anchors, np.unique(in_areas)), anchors, -1)
    near = nearest_anchors(drawn, pixels, groups=table.groups, radius=REACH)
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
    """Give open pixels to the anchor beside them that they show most of, from the edges inwards."""
    present = np.unique(anchors[anchors >= 0])
    present = present[present < table.official]
    fresh = np.ones(packed.shape, np.uint8)
    lone = _unlike_all_beside(packed)
    for _ in range(ROUNDS):
        pixels = np.argwhere(opaque & (anchors < 0) & (fresh > 0))
        if not len(pixels):
            break
        near = nearest_anchors(anchors, pixels, groups=table.groups, radius=REACH)
        colors, known = unpack(packed[tuple(pixels.T)]), unpack(table.packed)
        chosen = dominant_anchor(colors, near, anchor_colors=known, tolerance=error)
        # at a tip, or in a wide edge, the other color of the mixture is farther away
        for other in present:
            left = np.flatnonzero((chosen < 0) & (near[:, 0] >= 0))
            if not left.size:
                break
            pair = np.full((len(left), near.shape[1]), -1, np.int32)
            pair[:, 0], pair[:, 1] = near[left, 0], other
            most = dominant_anchor(colors[left], pair, anchor_colors=known, tolerance=ROUNDING)
            chosen[left] = np.where(most == near[left, 0], most, -1)
            lone[tuple(pixels[left[most == other]].T)] = True  # unless it comes nearer
        anchors[tuple(pixels.T)] = chosen
        fresh[:] = 0
        fresh[tuple(pixels[chosen >= 0].T)] = 1
        fresh = cv2.dilate(fresh, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    rest = np.argwhere(opaque & (anchors < 0) & lone)
    _assign_similar(anchors, rest, packed, table, reach=REACH)


def _unlike_all_beside(packed: np.ndarray) -> np.ndarray:
    """Whether no pixel beside one of [H, W], corners included, has its color."""
    height, width = packed.shape
    padded = np.pad(packed, 1, constant_values=-1)
    like = np.zeros(packed.shape, bool)
    for top in range(3):
        for left in range(3):
            if (top, left) != (1, 1):
                like |= padded[top : top + height, left : left + width] == packed
    return ~like


def _assign_similar(
    anchors: np.ndarray, pixels: np.ndarray, packed: np.ndarray, table: ColorTable, *, reach: int
) -> None:
    """Give pixels [M, 2] to the most alike anchor within reach, where there is one."""
    near = nearest_anchors(anchors, pixels, groups=table.groups, radius=reach)
    colors = unpack(packed[tuple(pixels.T)])
    difference = np.abs(colors[:, None] - unpack(table.packed[near])).sum(axis=2)
    difference[near < 0] = 2**20
    anchors[tuple(pixels.T)] = near[np.arange(len(near)), difference.argmin(axis=1)]


def _lossy_anchors(packed: np.ndarray, opaque: np.ndarray, table: ColorTable) -> np.ndarray:
    """Anchors of pixels that, with all around them, are near one label's color."""
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
