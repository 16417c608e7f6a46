"""Mean and covariance of features from sums that can be stored per picture.

Legend: n samples, D features each; S scenes; ... any leading axes, none for a single set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Count, sum and sum of outer products of a set of samples, or of several sets at once.

    They are additive: those of a union of sets are the sums of theirs, and those of resampled
    scenes (metrics/bootstrap.py) weighted sums, so the samples themselves need not be kept.

    Args:
        count: float64 [...], number of samples.
        total: float64 [..., D], sum of the samples.
        products: float64 [..., D, D], ``sum x x^T``.
    """

    count: np.ndarray
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, samples: np.ndarray) -> Moments:
        """Compute the moments of one set of samples, floats [n, D].

        Raises:
            ValueError: another shape, or values that are not finite.
        """
        samples = np.asarray(samples, np.float64)
        if samples.ndim != 2 or not samples.shape[1]:
            raise ValueError(f"expected features [n, D], got the shape {samples.shape}")
        if not np.isfinite(samples).all():
            raise ValueError("expected finite features, got nan or infinity")
        return cls(np.float64(len(samples)), samples.sum(axis=0), samples.T @ samples)

    @classmethod
    def stacked(cls, sets: Sequence[Moments]) -> Moments:
        """Stack the moments of S single sets along a new leading axis [S]."""
        fields = ("count", "total", "products")
        return cls(*(np.stack([getattr(each, name) for each in sets]) for name in fields))

    def pooled(self, weights: np.ndarray) -> Moments:
        """Combine stacked moments [S] to those of weighted unions.

        Args:
            weights: [..., S], how often each set is in the union.

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
        """The mean, [..., D]."""
        return self.total / self.count[..., None]

    @property
    def covariance(self) -> np.ndarray:
        """The covariance, [..., D, D], divided by n - 1.

        Computed as mean of squares minus square of the mean, which is inaccurate if the mean is
        much larger than the standard deviation; that of feature maps is not.
        """
        mean, count = self.mean, self.count[..., None, None]
        outer = mean[..., :, None] * mean[..., None, :]
        return (self.products - count * outer) / (count - 1)
