"""Finds the colors around a pixel of which its own color is a blend.

Drawing programs smooth edges: a pixel on the edge between two labels gets a mixture of their
colors. Such a mixture may be close to the color of a third label, so it is not assigned by its
color alone, but by the anchors around it: pixels whose label is certain.

Legend: H, W height and width; N anchor colors; M pixels; S anchors looked at for each pixel.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

SLOTS = 4  # S, anchors of different groups considered for each pixel
GAMMA = 2.2  # of programs that blend in linear light instead of pixel values
OVERSHOOT = 0.25  # how far sharpening filters overshoot the two colors of an edge
MIN_WEIGHT = -0.05  # of each color in a mixture of three
_CHUNK = 100_000  # pixels at a time, to limit memory


def nearest_anchors(
    anchors: np.ndarray, pixels: np.ndarray, *, groups: np.ndarray, radius: int
) -> np.ndarray:
    """Find the nearest anchor of each group around pixels.

    Args:
        anchors: ``int32`` [H, W], index of the anchor color at each pixel, -1 for none.
        pixels: integers [M, 2], rows and columns.
        groups: integers [N], the group (label) of each anchor color.
        radius: of the search window, which has ``2 * radius + 1`` pixels a side.

    Returns:
        ``int32`` [M, S] indices of anchor colors, nearest first, -1 where there are fewer.
    """
    reach = range(-radius, radius + 1)
    offsets = sorted(((dy, dx) for dy in reach for dx in reach if dy or dx), key=_distance)
    padded = np.pad(anchors, radius, constant_values=-1)
    parts = [
        _first_of_each_group(
            np.stack([padded[part[:, 0] + dy, part[:, 1] + dx] for dy, dx in offsets], axis=1),
            groups,
        )
        for part in np.array_split(pixels + radius, len(pixels) // _CHUNK + 1)
    ]
    return np.concatenate(parts)


def _distance(offset: tuple[int, int]) -> int:
    return offset[0] ** 2 + offset[1] ** 2


def _first_of_each_group(candidates: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Select the first candidate of each group: [M, offsets] -> [M, S]."""
    rows = np.arange(len(candidates))
    candidate_groups = np.where(candidates >= 0, groups[candidates], -1)
    near = np.full((len(candidates), SLOTS), -1, np.int32)
    for slot in range(SLOTS):
        first = (candidate_groups >= 0).argmax(axis=1)
        near[:, slot] = candidates[rows, first]  # -1 where none is left
        group = candidate_groups[rows, first]
        near[group < 0, slot] = -1
        candidate_groups[candidate_groups == group[:, None]] = -1
    return near


def dominant_anchor(
    colors: np.ndarray, near: np.ndarray, *, anchor_colors: np.ndarray, tolerance: float
) -> np.ndarray:
    """Find the dominant anchor of each pixel whose color is a blend of the anchors around it.

    In this order of preference, a blend is a mixture of two anchor colors, a single anchor color, a
    mixture of two in linear light, or a mixture of three.

    Args:
        colors: of the pixels, [M, 3] in 0..255.
        near: integers [M, S], indices of anchor colors, -1 for none.
        anchor_colors: [N, 3] in 0..255.
        tolerance: largest difference of a channel from the blend.

    Returns:
        ``int32`` [M] indices of anchor colors, -1 where the color is not a blend.
    """
    chosen = np.full(len(colors), -1, np.int32)
    for count, gamma in ((2, 1.0), (1, 1.0), (2, GAMMA), (3, 1.0)):
        left = np.flatnonzero((chosen < 0) & (near[:, count - 1] >= 0))
        chosen[left] = _best_mixture(
            colors[left],
            near[left],
            anchor_colors=anchor_colors,
            count=count,
            gamma=gamma,
            tolerance=tolerance,
        )
    return chosen


def _best_mixture(
    colors: np.ndarray,
    near: np.ndarray,
    *,
    anchor_colors: np.ndarray,
    count: int,
    gamma: float,
    tolerance: float,
) -> np.ndarray:
    """As ``dominant_anchor``, for mixtures of exactly ``count`` anchors: that of least error."""
    chosen = np.full(len(colors), -1, np.int32)
    best = np.full(len(colors), np.inf)
    for slots in combinations(range(SLOTS), count):
        rows = np.flatnonzero(near[:, slots[-1]] >= 0)  # slots are filled in order
        if rows.size:
            members = near[rows][:, slots]  # [rows, count]
            weights, error = _fit(colors[rows], anchor_colors[members], gamma=gamma)
            most = members[np.arange(len(rows)), weights.argmax(axis=1)]
            better = (error <= tolerance) & (error < best[rows])
            chosen[rows[better]], best[rows[better]] = most[better], error[better]
    return chosen


def _fit(colors: np.ndarray, parts: np.ndarray, *, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit mixtures of ``parts`` [M, count, 3] to ``colors`` [M, 3] by least squares.

    Returns:
        Weights [M, count], which sum to 1, and the largest error of a channel, [M].
    """
    target, parts = (_to_linear(values, gamma) for values in (colors, parts))
    steps = parts[:, 1:] - parts[:, :1]  # [M, count-1, 3]
    normal = steps @ steps.transpose(0, 2, 1)  # [M, count-1, count-1]
    normal += 1e-9 * np.eye(normal.shape[1])  # regularized: three colors may be collinear
    right = steps @ (target - parts[:, 0])[:, :, None]  # [M, count-1, 1]
    later = np.linalg.solve(normal, right)[..., 0]
    if later.shape[1] == 1:
        later = later.clip(-OVERSHOOT, 1 + OVERSHOOT)
    weights = np.concatenate([1 - later.sum(axis=1, keepdims=True), later], axis=1)
    mixture = (weights[:, :, None] * parts).sum(axis=1).clip(0, 1)
    error = np.abs(255 * mixture ** (1 / gamma) - colors).max(axis=1)
    if later.shape[1] > 1:
        error[weights.min(axis=1) < MIN_WEIGHT] = np.inf
    return weights, error


def _to_linear(values: np.ndarray, gamma: float) -> np.ndarray:
    return (values.astype(np.float64) / 255) ** gamma
