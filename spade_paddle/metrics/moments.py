"""Mean and covariance of features out of sums that can be kept picture by picture.

Legend: n samples, D numbers each; S scenes; ... any leading axes, none for a single set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Count, sum and sum of outer products of a set of samples, or of several sets at once.

    Those of a union are the sums of its parts'. So a set of pictures need not be kept, and a
    resampled one (metrics/bootstrap.py) is a weighted sum.

    Args:
        count: float64 [...], samples.
        total: float64 [..., D], their sum.
        products: float64 [..., D, D], ``sum x x^T``.
    """

    count: np.ndarray
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, samples: np.ndarray) -> Moments:
        """Those of one set, floats [n, D].

        Raises:
            ValueError: another shape, or a number that is not finite.
        """
        samples = np.asarray(samples, np.float64)
        if samples.ndim != 2 or not samples.shape[1]:
            raise ValueError(f"expected features [n, D], got the shape {samples.shape}")
        if not np.isfinite(samples).all():
            raise ValueError("features hold numbers that are not finite (nan or infinity)")
        return cls(np.float64(len(samples)), samples.sum(axis=0), samples.T @ samples)

    @classmethod
    def stacked(cls, sets: Sequence[Moments]) -> Moments:
        """Of S single sets one with a leading axis [S]."""
        fields = ("count", "total", "products")
        return cls(*(np.stack([getattr(each, name) for each in sets]) for name in fields))

    def pooled(self, weights: np.ndarray) -> Moments:
        """Stacked ones [S] as one set, or several, in which each counts so many times.

        Args:
            weights: [..., S].

        Returns:
            Moments with the leading axes of ``weights``.
        """
        sums = [
            np.tensordot(weights, values, axes=1)
            for values in (self.count, self.total, self.products)
        ]
        return Moments(*sums)

    @property
    def mean(self) -> np.ndarray:
        """[..., D]."""
        return self.total / self.count[..., None]

    @property
    def covariance(self) -> np.ndarray:
        """[..., D, D], divided by n - 1.

        The squared mean is taken off the mean of squares, which costs digits where a mean is
        large beside the spread; those of feature maps are not.
        """
        mean, count = self.mean, self.count[..., None, None]
        outer = mean[..., :, None] * mean[..., None, :]
        return (self.products - count * outer) / (count - 1)
