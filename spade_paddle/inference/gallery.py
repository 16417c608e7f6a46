"""Styles of many photos, each with its scene's layout; a doodle gets the style of a similar scene.

A style vector encodes more than the lighting of its photo: that of a forest does not fit a beach.
So the style of a similar scene gives better pictures than that of any single photo, or the average.

Legend: S styles, D length of one, K labels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spade_paddle.errors import ModelError
from spade_paddle.files import write_arrays_atomically

GALLERY = "styles.npz"
BANDS = 4
SIMILARITY = 0.1
"""A scene loses a factor e of its weight for this distance to the doodle."""
BRIGHTNESS, SPREAD = 20.0, 1.5
"""Without a seed, a scene gains a factor e of weight for so much more brightness, and the chosen
style is moved so many times as far from the mean of bright scenes. Means of styles are close to
each other; without SPREAD, all doodles would get a similar light."""
LEAST_SHARE = 0.02
"""Labels that cover less of a scene do not count for its brightness."""
TEMPERATURE = 0.25
"""With a seed, the temperature of the drawn weights."""

_ARRAYS = ("vectors", "layouts", "brightness")


class Gallery:
    """The styles that a model chooses from.

    Args:
        vectors: style vectors, float32 [S, D].
        layouts: float32 [S, BANDS, K], see ``layout``.
        brightness: of the scenes, float32 [S], 0..255, see ``brightness``.
    """

    def __init__(self, vectors: np.ndarray, layouts: np.ndarray, brightness: np.ndarray) -> None:
        self.vectors = vectors
        self.layouts = layouts
        self.brightness = brightness

    def style_for(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """Choose a style for a label map, ``float32`` [D].

        It is the mean over all scenes, with weights that fall with the distance: the L1 distance of
        the layouts, averaged over the bands, 0 to 2. So similar doodles get similar styles, and the
        colors do not jump while someone draws.

        Without a seed, bright photos have more weight, and the mean is moved away from that of all
        bright photos. With a seed, nearly all the weight is on one scene, drawn at random
        (Gumbel-softmax; Jang et al. 2017, Maddison et al. 2017); the random numbers depend on the
        seed only, so the scene is the same for similar doodles.
        """
        query = layout(label_map, num_labels=self.layouts.shape[2])
        distances = np.abs(self.layouts - query).sum(axis=2).mean(axis=1)
        if seed is None:
            bright = self.brightness / BRIGHTNESS
            center, mean = self._mean(bright), self._mean(bright - distances / SIMILARITY)
            return center + np.float32(SPREAD) * (mean - center)
        noise = np.random.default_rng(seed).gumbel(size=len(distances))
        return self._mean((noise - distances / SIMILARITY) / TEMPERATURE)

    def _mean(self, scores: np.ndarray) -> np.ndarray:
        """The mean of the styles with weights exp(score), ``float32`` [D]."""
        weights = np.exp(scores - scores.max())
        return (weights @ self.vectors / weights.sum()).astype(np.float32)

    @classmethod
    def load(cls, folder: Path, *, style_dim: int, num_labels: int) -> Gallery:
        """Read the gallery of a model folder.

        Raises:
            ModelError: its shapes do not match the model.
        """
        with np.load(folder / GALLERY) as arrays:
            values = [arrays[name].astype(np.float32) for name in _ARRAYS]
        count = len(values[0])
        expected = [(count, style_dim), (count, BANDS, num_labels), (count,)]
        shapes = [array.shape for array in values]
        if not count or shapes != expected:
            raise ModelError(
                f"{folder / GALLERY}: expected {', '.join(_ARRAYS)} of shapes {expected}, got "
                f"{shapes}; export the model again",
                code="model_damaged",
            )
        return cls(*values)

    def save(self, folder: Path) -> None:
        """Write the gallery into a model folder, as float16, which is precise enough."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in _ARRAYS}
        write_arrays_atomically(folder / GALLERY, **arrays)


def brightness(photo: np.ndarray, label_map: np.ndarray) -> float:
    """Tell how bright a scene is, 0..255: the mean over its labels of each one's mean max(R, G, B),
    the V of HSV.

    Every label counts the same: below the bright sky of a sunset, the land is dark.

    Args:
        photo: ``uint8`` [H, W, 3].
        label_map: ids [H, W]; 255 counts for no label, unless there is nothing else.
    """
    value = photo.max(axis=2)
    pixels = np.bincount(label_map.ravel(), minlength=256)
    labels = np.flatnonzero(pixels[:255] >= LEAST_SHARE * label_map.size)
    if not labels.size:
        return float(value.mean())
    sums = np.bincount(label_map.ravel(), value.ravel(), minlength=256)
    return float((sums[labels] / pixels[labels]).mean())


def layout(label_map: np.ndarray, *, num_labels: int) -> np.ndarray:
    """Describe a scene by the fraction of each label in each of BANDS horizontal bands.

    Args:
        label_map: ids [H, W]; 255 counts for no label.
        num_labels: K.

    Returns:
        float32 [BANDS, K].
    """
    shares = [
        np.bincount(band.ravel(), minlength=256)[:num_labels] / max(band.size, 1)
        for band in np.array_split(label_map, BANDS, axis=0)
    ]
    return np.array(shares, np.float32)
