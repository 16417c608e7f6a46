"""Label maps as coarse as a child draws them: large plain areas with smooth borders."""

from __future__ import annotations

import cv2
import numpy as np

CELLS = (4, 8, 16)
"""Sides of the cells, in pixels, that training pictures are made coarse with."""


def coarse_label_map(label_map: np.ndarray, cell: int) -> np.ndarray:
    """The map without what is smaller than about ``cell`` pixels; no id appears that was not there.

    Every cell x cell square becomes its most frequent id, the lowest of several. The stairs that
    this leaves are then smoothed: every pixel becomes the id with the most weight around it (the
    lowest of several), where weights fall to nothing over one and a half cells.

    Args:
        label_map: ``uint8`` [H, W]; 255, don't care, is an id like the others. At the lower and
            right border cells may be smaller.
        cell: side of the squares in pixels.
    """
    ids = np.flatnonzero(np.bincount(label_map.ravel())).astype(np.uint8)
    place = np.zeros(256, np.uint8)
    place[ids] = np.arange(len(ids))
    squares = _most_frequent_in_cells(place[label_map], cell)
    height, width = label_map.shape
    stairs = squares.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    return ids[_smoothed(stairs, cell)]


def _most_frequent_in_cells(labels: np.ndarray, cell: int) -> np.ndarray:
    """Of labels 0..U-1, ``uint8`` [H, W]: ``uint8`` [ceil(H / cell), ceil(W / cell)]."""
    height, width = labels.shape
    rows, columns = -(-height // cell), -(-width // cell)
    count = int(labels.max()) + 1
    cells = (np.arange(height) // cell * columns)[:, None] + np.arange(width) // cell
    votes = np.bincount((cells * count + labels).ravel(), minlength=rows * columns * count)
    return votes.reshape(rows, columns, count).argmax(axis=2).astype(np.uint8)


def _smoothed(labels: np.ndarray, cell: int) -> np.ndarray:
    """Every pixel's heaviest label; two box filters make weights like a pyramid's.

    The sums are whole numbers, so that what is even is even on every machine.
    """
    side = cell * 3 // 2 | 1  # odd, for a middle
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
