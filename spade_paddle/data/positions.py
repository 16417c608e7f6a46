"""Intra-class positional encoding (ICPE): where in its region a pixel lies.

Tan et al., *Efficient Semantic Image Synthesis via Class-Adaptive Normalization*, the second
version of CLADE (the article: "manually calculate ICPE").
"""

from __future__ import annotations

import cv2
import numpy as np


def intra_class_positions(label_map: np.ndarray, *, compatible: bool = False) -> np.ndarray:
    """Offset of every pixel from the middle of its region, -1..1 down and -1..1 to the right.

    A region is a part of one class that hangs together (8-connected). Each axis is divided by the
    largest offset in the region, plus 1e-5; a region one pixel high or wide gets 0 there.

    Args:
        label_map: integers [H, W]; 255, don't care, is a class like the others.
        compatible: as the public CLADE does it: class 0 gets no encoding, all its pixels are 0.
            (The public code also mirrors the encoding upside down when it mirrors the picture left
            to right; transforms.mirror has the same switch.)

    Returns:
        ``float32`` [H, W, 2], rows then columns.
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
    """Of pixels [P, 2] in regions [P] (1, 2, ...): [P, 2]."""
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
    """The encoding [H, W, 2] of a picture that is mirrored left to right.

    Right becomes left in the map, and what lay to the right of the middle now lies to the left:
    the columns' channel changes its sign. ``compatible``: the public code turns the map upside
    down instead, and changes no sign.
    """
    if compatible:
        return positions[::-1]
    return positions[:, ::-1] * np.array([1.0, -1.0], np.float32)
