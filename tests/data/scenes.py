"""Scenes whose every part tells where it came from."""

from __future__ import annotations

import numpy as np

from spade_paddle.data.dataset import Scene

MULTIPLE = 32
IDS_OF_BLOCKS = np.array([[0, 1, 2], [3, 12, 5], [7, 8, 255]], np.uint8)


def colored_scene(height, width):
    """Nine blocks; label, instance, position and color of a pixel tell the same block."""
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    labels = IDS_OF_BLOCKS[rows[:, None], columns[None]]
    column = np.broadcast_to(columns[None], labels.shape)
    positions = np.stack([labels / 256, (column + 1) / 4], axis=2).astype(np.float32)
    instances = labels.astype(np.int32) * 200 + column
    return Scene(color_of(labels), labels, instances, positions)


def color_of(labels):
    labels = labels.astype(int)
    return np.stack([labels * 19 % 256, 255 - labels, labels * 101 % 256], -1).astype(np.uint8)


def numbered_scene(height, width):
    """Every pixel has an instance of its own: row * width + column."""
    instances = np.arange(height * width, dtype=np.int32).reshape(height, width)
    labels = (instances % 7).astype(np.uint8)
    return Scene(np.repeat(labels[..., None] * 30, 3, axis=2), labels, instances)
