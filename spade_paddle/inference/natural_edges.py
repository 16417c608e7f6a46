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

EDGES = ("drawn", "natural")  # the names of the choice, for requests and tools

CELLS = 21
"""The coarsest noise has so many independent values along the short side; each finer scale has
twice as many."""
AMPLITUDES = {
    "land": (0.004, 0.002, 0.001, 0.0005),
    "plants": (0.004, 0.004, 0.003, 0.002),
    "sky": (0.012, 0.006, 0.003, 0.0015),
}
"""Standard deviations of the noise, from coarse to fine, by the group of a label, as shares of the
picture's short side. The groups are ordered from smooth to rough, and an edge has the noise of its
smoother side; that of other labels, such as water and buildings, has none. So a horizon at sea and
the walls of a house stay as they are drawn, leaves stand out from a crown, and clouds billow."""


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
    groups = list(AMPLITUDES)
    roughness = np.full(256, -1, np.int8)
    for label in label_set.labels:
        if label.group in groups:
            roughness[label.id] = groups.index(label.group)
    label_map = label_map.astype(np.uint8)
    height, width = label_map.shape
    result = label_map
    for level, source in enumerate(_sources(height, width, seed=seed or 0)):
        moved = label_map.ravel()[source]
        is_rough = np.minimum(roughness[label_map], roughness[moved]) >= level
        result = np.where(is_rough, moved, result)
    return result


@functools.lru_cache(maxsize=2)
def _sources(height: int, width: int, *, seed: int) -> np.ndarray:
    """The pixel from which each pixel takes its label, for each of AMPLITUDES: indices into the
    flat label map, [3, H, W]."""
    rng = np.random.default_rng(seed)
    short = min(height, width)
    distances = np.zeros((len(AMPLITUDES), 2, height, width), np.float32)
    for scale, amplitudes in enumerate(zip(*AMPLITUDES.values())):
        shape = [max(1, round(CELLS * 2**scale * side / short)) for side in (height, width)]
        for axis in range(2):
            coarse = rng.standard_normal(shape).astype(np.float32)
            noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
            for distance, amplitude in zip(distances, amplitudes):
                distance[axis] += np.float32(amplitude * short) * noise
    places = np.rint(distances + np.mgrid[:height, :width].astype(np.float32)).astype(np.intp)
    rows, columns = places[:, 0].clip(0, height - 1), places[:, 1].clip(0, width - 1)
    return rows * width + columns
