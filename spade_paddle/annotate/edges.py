"""Moves the edges of label maps to those of the photos.

A segmentation network predicts at a fraction of the photo's size: its edges are smooth and some
pixels off. A generator that learns from them paints pale outlines.
"""

from __future__ import annotations

import cv2
import numpy as np

EDGE_REACH = 0.015
"""Edges move by up to this share of the photo's short side: 8 pixels of 512."""

_NEIGHBORS = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]


def snap_to_edges(photo: np.ndarray, label_map: np.ndarray, *, reach: float) -> np.ndarray:
    """Assign the pixels near the edges of a label map anew, by a watershed (Meyer 1992).

    Each region grows, along similar colors first, from its pixels that are farther from its edge
    than ``reach``, and from the middle of its thinner parts, so that no region is lost.

    Args:
        photo: ``uint8`` [H, W, 3].
        label_map: ``uint8`` [H, W].
        reach: by how many pixels an edge may move.

    Returns:
        ``uint8`` [H, W].
    """
    markers = np.zeros(label_map.shape, np.int32)
    for label in np.unique(label_map):
        # outside of the picture the region goes on
        region = cv2.copyMakeBorder(
            (label_map == label).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE
        )
        distance = cv2.distanceTransform(region, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
        is_middle = (distance > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3))))
        markers[is_middle | (distance > reach)] = int(label) + 1
    smooth = cv2.bilateralFilter(photo, 5, 25, 5)
    # the watershed leaves out the picture's border, so it gets one
    padded = [
        cv2.copyMakeBorder(each, 1, 1, 1, 1, cv2.BORDER_REPLICATE) for each in (smooth, markers)
    ]
    grown = cv2.watershed(*padded)[1:-1, 1:-1]
    # it also leaves lines between regions, one pixel wide: they go to a neighbor
    while (grown <= 0).any():
        around = np.pad(grown, 1)
        for row, column in _NEIGHBORS:
            neighbor = around[1 + row :, 1 + column :][: grown.shape[0], : grown.shape[1]]
            grown = np.where(grown <= 0, neighbor, grown)
    return (grown - 1).astype(np.uint8)
