"""Styles of many photos, each with its scene's layout; a doodle gets the style of a similar scene.

The style of a photo holds more than its light: that of a forest says little about how a beach
looks. So the style of a similar scene paints better than that of any one photo, or the average.

Legend: S styles, D length of one, K labels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spade_paddle.errors import ModelError
from spade_paddle.files import write_arrays_atomically

GALLERY = "styles.npz"
BANDS = 4
BRIGHTEST, BRIGHTEST_OF = 2, 6
"""Without a seed it is the mean of the brightest few of so many similar scenes: a friendly picture,
whose labels are easier to tell than with the style of one (hub_module/MODEL_CARD.md)."""
CHOICE = 12
"""A seed draws among so many of the most similar scenes."""

_ARRAYS = ("vectors", "layouts", "brightness")


class Gallery:
    """The styles that a model chooses from.

    Args:
        vectors: float32 [S, D].
        layouts: float32 [S, BANDS, K], see ``layout``.
        brightness: float32 [S], of the photos; see ``brightness``.
    """

    def __init__(self, vectors: np.ndarray, layouts: np.ndarray, brightness: np.ndarray) -> None:
        self.vectors = vectors
        self.layouts = layouts
        self.brightness = brightness

    def style_for(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """A style for a label map, ``float32`` [D]: the mean of those of the BRIGHTEST brightest of
        the BRIGHTEST_OF most similar scenes; with a seed, that of one of the CHOICE most similar.

        How unlike two scenes are is the sum of the absolute differences of their layouts.
        """
        own = layout(label_map, num_labels=self.layouts.shape[2])
        differences = np.abs(self.layouts - own).sum(axis=(1, 2))
        nearest = np.argsort(differences, kind="stable")
        if seed is None:
            nearest = nearest[:BRIGHTEST_OF]
            brightest = nearest[np.argsort(-self.brightness[nearest], kind="stable")[:BRIGHTEST]]
            return self.vectors[brightest].mean(axis=0)
        index = np.random.default_rng(seed).integers(min(CHOICE, len(nearest)))
        return self.vectors[nearest[index]]

    @classmethod
    def load(cls, folder: Path, *, style_dim: int, num_labels: int) -> Gallery:
        """Read it from a model folder.

        Raises:
            ModelError: it does not go with the model.
        """
        with np.load(folder / GALLERY) as arrays:
            own = [arrays[name].astype(np.float32) for name in _ARRAYS]
        count = len(own[0])
        expected = [(count, style_dim), (count, BANDS, num_labels), (count,)]
        shapes = [array.shape for array in own]
        if not count or shapes != expected:
            raise ModelError(
                f"{folder / GALLERY}: expected {', '.join(_ARRAYS)} of the shapes {expected}, got "
                f"{shapes}; export the model again",
                code="model_damaged",
            )
        return cls(*own)

    def save(self, folder: Path) -> None:
        """Write it into a model folder, with half the digits, which do."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in _ARRAYS}
        write_arrays_atomically(folder / GALLERY, **arrays)


def brightness(photo: np.ndarray) -> float:
    """The mean over all pixels of the largest of red, green and blue, 0..255."""
    return float(photo.max(axis=2).mean())


def layout(label_map: np.ndarray, *, num_labels: int) -> np.ndarray:
    """What lies where, roughly: the share of every label in each of BANDS horizontal bands.

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
