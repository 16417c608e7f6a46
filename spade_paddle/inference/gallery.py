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
BRIGHTEST, BRIGHTEST_OF = 2, 6
"""Without a seed, the style is the mean over the BRIGHTEST brightest photos among the BRIGHTEST_OF
most similar scenes. An annotator recognizes more of the labels in such pictures than with the style
of a single scene (hub_module/MODEL_CARD.md)."""
CHOICE = 12
"""With a seed, the style is drawn from this many of the most similar scenes."""

_ARRAYS = ("vectors", "layouts", "brightness")


class Gallery:
    """The styles that a model chooses from.

    Args:
        vectors: style vectors, float32 [S, D].
        layouts: float32 [S, BANDS, K], see ``layout``.
        brightness: of the photos, float32 [S], 0..255, see ``brightness``.
    """

    def __init__(self, vectors: np.ndarray, layouts: np.ndarray, brightness: np.ndarray) -> None:
        self.vectors = vectors
        self.layouts = layouts
        self.brightness = brightness

    def style_for(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """Choose a style for a label map, ``float32`` [D].

        Without a seed, the mean over the BRIGHTEST brightest photos among the BRIGHTEST_OF most
        similar scenes; with a seed, that of a random one of the CHOICE most similar. The distance
        between two scenes is the L1 distance of their layouts.
        """
        query = layout(label_map, num_labels=self.layouts.shape[2])
        differences = np.abs(self.layouts - query).sum(axis=(1, 2))
        nearest = np.argsort(differences, kind="stable")
        if seed is None:
            nearest = nearest[:BRIGHTEST_OF]
            brightest = nearest[np.argsort(-self.brightness[nearest], kind="stable")[:BRIGHTEST]]
            return self.vectors[brightest].mean(axis=0)
        index = np.random.default_rng(seed).integers(min(CHOICE, len(nearest)))
        return self.vectors[nearest[index]]

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


def brightness(photo: np.ndarray) -> float:
    """Mean over the pixels of max(R, G, B), 0..255 (the V of HSV)."""
    return float(photo.max(axis=2).mean())


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
