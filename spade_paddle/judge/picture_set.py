"""What is stored about a set of pictures: enough for their scores, also on resampled scenes.

Legend: S pictures, one per scene; ... any leading axes.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from spade_paddle.judge.feature_extractor import LAYERS, PictureFeatures
from spade_paddle.metrics.frechet import frechet_of_moments
from spade_paddle.metrics.grid import grid_energy
from spade_paddle.metrics.moments import Moments


class PictureSet:
    """Feature moments and grid energies of a set of pictures, which are added one by one.

    The scores take weights [..., S]: how often each picture is in the set; None: once.
    """

    def __init__(self) -> None:
        self._moments: dict[str, list[Moments]] = {name: [] for name in LAYERS}
        self._grids: list[float] = []

    def add(self, picture: np.ndarray, features: PictureFeatures) -> None:
        """Add a picture ``uint8`` [H, W, 3]; not after the first call of ``frechet``."""
        for name, layer in LAYERS.items():
            self._moments[name].append(features.moments(layer))
        self._grids.append(grid_energy(picture))

    def __len__(self) -> int:
        return len(self._grids)

    def frechet(
        self,
        name: str,
        other: PictureSet,
        *,
        weights: np.ndarray | None = None,
        other_weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """Frechet distance to another set, float64 [...].

        Args:
            name: of the distance, a key of LAYERS.
            other: the other set.
            weights: of the pictures of this set.
            other_weights: of the pictures of the other set.
        """
        return frechet_of_moments(
            self._stacked[name].pooled(_or_ones(weights, len(self))),
            other._stacked[name].pooled(_or_ones(other_weights, len(other))),
        )

    def grid(self, *, weights: np.ndarray | None = None) -> np.ndarray:
        """Mean grid energy of the pictures, float64 [...], 0..1."""
        weights = _or_ones(weights, len(self))
        return weights @ np.array(self._grids) / weights.sum(axis=-1)

    @cached_property
    def _stacked(self) -> dict[str, Moments]:
        return {name: Moments.stacked(moments) for name, moments in self._moments.items()}


def _or_ones(weights: np.ndarray | None, count: int) -> np.ndarray:
    return np.ones(count) if weights is None else weights
