"""Styles of many photos, each with the layout of its scene: a doodle gets the light of a scene
that is like it.

A style of a photo holds more than its light: a wood's says little about how a beach looks. So
the style of a similar scene paints better than that of any one photo, or of the average.

Legend: S styles, D length of one, K labels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spade_paddle.errors import ModelError
from spade_paddle.files import write_atomically

GALLERY = "styles.npz"
BANDS = 4
CHOICE = 12
"""A seed draws among so many of the most similar scenes."""


class Gallery:
    """The styles that a model chooses from.

    Args:
        vectors: float32 [S, D].
        layouts: float32 [S, BANDS, K], see :func:`layout`.
    """

    def __init__(self, vectors: np.ndarray, layouts: np.ndarray) -> None:
        self.vectors = vectors
        self.layouts = layouts

    def style_for(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """The style of the most similar scene, ``float32`` [D]; with a seed, of one of the CHOICE
        most similar ones.

        How unlike two scenes are is the sum of the absolute differences of their layouts.
        """
        own = layout(label_map, num_labels=self.layouts.shape[2])
        differences = np.abs(self.layouts - own).sum(axis=(1, 2))
        nearest = np.argsort(differences, kind="stable")[:CHOICE]
        index = 0 if seed is None else np.random.default_rng(seed).integers(len(nearest))
        return self.vectors[nearest[index]]

    @classmethod
    def load(cls, folder: Path, *, style_dim: int, num_labels: int) -> Gallery:
        """Read it from a model folder.

        Raises:
            ModelError: it does not go with the model.
        """
        with np.load(folder / GALLERY) as arrays:
            vectors, layouts = (arrays[name].astype(np.float32) for name in ("vectors", "layouts"))
        expected = [(len(vectors), style_dim), (len(vectors), BANDS, num_labels)]
        if not len(vectors) or [vectors.shape, layouts.shape] != expected:
            raise ModelError(
                f"{folder / GALLERY}: expected styles {expected[0]} and layouts {expected[1]}, "
                f"got {vectors.shape} and {layouts.shape}; export the model again",
                code="model_damaged",
            )
        return cls(vectors, layouts)

    def save(self, folder: Path) -> None:
        """Write it into a model folder, with half the digits, which do."""
        arrays = {"vectors": self.vectors, "layouts": self.layouts}

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:  # a path would get another ending
                np.savez_compressed(file, **{k: v.astype(np.float16) for k, v in arrays.items()})

        write_atomically(folder / GALLERY, write)


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
