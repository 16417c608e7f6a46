"""Makes the edges of a doodle as irregular as those of label maps of photos.

A generator was trained on label maps of photos and paints exactly the edges it is given: a cloud
drawn as an oval becomes an oval with a rim, and a crown drawn as a circle a ball. So the label map
is distorted before it is painted, by fractal noise: a sum of smooth noise of several scales.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from spade_paddle.data.labels import LabelSet

AMPLITUDES = {"land": 0.004, "plants": 0.008, "sky": 0.012}
"""Standard deviation of the coarsest noise by the group of a label, as a share of the picture's
short side; 0 for other groups, such as water and buildings, and without one. An edge has that of
its smoother side, so a horizon at sea and the walls of a house stay as they are drawn."""
CELLS, SCALES, PERSISTENCE = 21, 4, 0.5
"""The coarsest noise has so many independent values along the short side. Each finer scale has
twice as many, and this fraction of the amplitude."""


def has_rough_edges(label_set: LabelSet) -> bool:
    """Whether ``natural_edges`` changes label maps of a label set: labels need groups for it."""
    return any(label.group in AMPLITUDES for label in label_set.labels)


def natural_edges(
    label_map: np.ndarray, label_set: LabelSet, *, seed: int | None = None
) -> np.ndarray:
    """Distort the edges of a label map.

    The distortion depends on the seed and on the position relative to the picture only, so that
    edges do not move while someone draws elsewhere, and are the same in a larger picture.

    Args:
        label_map: integers [H, W], ids of the label set or 255.
        label_set: its labels' groups decide how rough an edge is.
        seed: None is 0.

    Returns:
        ``uint8`` [H, W].
    """
    amplitudes = np.zeros(256, np.float32)
    for label in label_set.labels:
        amplitudes[label.id] = AMPLITUDES.get(label.group or "", 0.0)
    label_map = label_map.astype(np.uint8)
    height, width = label_map.shape
    down, right = _noise(height, width, seed=seed or 0)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    result = label_map
    for amplitude in sorted(AMPLITUDES.values()):
        pixels = np.float32(amplitude * min(height, width))
        moved = cv2.remap(
            label_map,
            columns + pixels * right,
            rows + pixels * down,
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        )
        is_rough = np.minimum(amplitudes[label_map], amplitudes[moved]) >= np.float32(amplitude)
        result = np.where(is_rough, moved, result)
    return result


@functools.lru_cache(maxsize=4)
def _noise(height: int, width: int, *, seed: int) -> np.ndarray:
    """Fractal noise, ``float32`` [2, H, W], whose coarsest scale has a standard deviation of 1."""
    rng = np.random.default_rng(seed)
    short = min(height, width)
    total = np.zeros((2, height, width), np.float32)
    for scale in range(SCALES):
        cells = CELLS * 2**scale
        shape = [max(1, round(cells * side / short)) for side in (height, width)]
        for values in total:
            coarse = rng.standard_normal(shape).astype(np.float32)
            fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
            values += np.float32(PERSISTENCE**scale) * fine
    return total
