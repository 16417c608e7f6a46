"""Intra-class positional encoding (ICPE): where in its region a pixel lies.

Tan et al., *Efficient Semantic Image Synthesis via Class-Adaptive Normalization*, the second
version of CLADE (the article: "manually calculate ICPE").
"""

from __future__ import annotations

import cv2
import numpy as np


def intra_class_positions(label_map: np.ndarray, *, compatible: bool = False) -> np.ndarray:
    """Offset of every pixel from the centroid of its region, normalized to -1..1.

    A region is an 8-connected component of one class. Each axis is divided by the largest absolute
    offset in the region, plus 1e-5; a region one pixel high or wide gets 0 there.

    Args:
        label_map: integers [H, W]; 255 ("don't care") is treated like any other class.
        compatible: as in the public CLADE, all pixels of class 0 get 0. (The public code also flips
            the encoding vertically when it flips the picture horizontally; transforms.mirror has
            the same option.)

    Returns:
        ``float32`` [H, W, 2]: down, then to the right.
    """
    positions = np.zeros((*label_map.shape, 2), np.float32)
    for value in np.unique(label_map):
        if compatible and value == 0:
            continue
        mask = label_map == value
        _, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        positions[mask] = _normalized_offsets(np.argwhere(mask), regions[mask])
    return positions


def _normalized_offsets(pixels: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Offsets [P, 2] of pixels [P, 2] in regions [P] (numbered 1, 2, ...)."""
    sizes = np.bincount(regions)
    columns = []
    for axis in range(2):
        sums = np.bincount(regions, weights=pixels[:, axis])
        offset = pixels[:, axis] - (sums / np.maximum(sizes, 1))[regions]
        largest = np.zeros(len(sizes))
        np.maximum.at(largest, regions, np.abs(offset) + 1e-5)
        columns.append(offset / largest[regions])
    return np.stack(columns, axis=1)


def mirrored_positions(positions: np.ndarray, *, compatible: bool = False) -> np.ndarray:
    """The encoding of the horizontally mirrored picture.

    The map is mirrored, and the sign of its second channel changes.

    Args:
        positions: ``float32`` [H, W, 2].
        compatible: as in the public code, flip the map vertically and change no sign.
    """
    if compatible:
        return positions[::-1]
    return positions[:, ::-1] * np.array([1.0, -1.0], np.float32)
