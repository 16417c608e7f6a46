"""Coarse label maps, similar to doodles: large uniform areas with smooth borders."""

from __future__ import annotations

import cv2
import numpy as np

CELLS = (4, 8, 16)
"""Cell sides in pixels for the label maps of training pictures."""


def coarse_label_map(label_map: np.ndarray, cell: int) -> np.ndarray:
    """Remove details smaller than about ``cell`` pixels from a label map; no new ids appear.

    Every cell is filled with its most frequent id. The staircase borders are then smoothed: every
    pixel gets the id of the largest weighted count around it, with weights that fall to 0 over one
    and a half cells. Ties are resolved in favor of the lower id.

    Args:
        label_map: ``uint8`` [H, W]; 255 ("don't care") is treated like any other id.
        cell: side of the square cells in pixels; those at the lower and right border may be cut.

    Returns:
        ``uint8`` [H, W].
    """
    ids = np.flatnonzero(np.bincount(label_map.ravel())).astype(np.uint8)
    index = np.zeros(256, np.uint8)
    index[ids] = np.arange(len(ids))
    cells = _most_frequent_in_cells(index[label_map], cell)
    height, width = label_map.shape
    blocks = cells.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    return ids[_smooth(blocks, cell)]


def _most_frequent_in_cells(labels: np.ndarray, cell: int) -> np.ndarray:
    """Labels 0..U-1, ``uint8`` [H, W] -> ``uint8`` [ceil(H / cell), ceil(W / cell)]."""
    height, width = labels.shape
    rows, columns = -(-height // cell), -(-width // cell)
    count = int(labels.max()) + 1
    cells = (np.arange(height) // cell * columns)[:, None] + np.arange(width) // cell
    votes = np.bincount((cells * count + labels).ravel(), minlength=rows * columns * count)
    return votes.reshape(rows, columns, count).argmax(axis=2).astype(np.uint8)


def _smooth(labels: np.ndarray, cell: int) -> np.ndarray:
    """Replace each pixel by the label of the largest weight; two box filters make it triangular.

    The sums are integers, so ties are the same on every machine.
    """
    side = cell * 3 // 2 | 1  # odd, so that the filter is centered
    best = np.zeros(labels.shape, np.uint8)
    most = np.full(labels.shape, -1.0, np.float32)
    for label in np.flatnonzero(np.bincount(labels.ravel())):
        weight = (labels == label).astype(np.float32)
        for _ in range(2):
            weight = cv2.boxFilter(
                weight, -1, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE
            )
        better = weight > most
        np.copyto(best, int(label), where=better)
        np.maximum(most, weight, out=most)
    return best
