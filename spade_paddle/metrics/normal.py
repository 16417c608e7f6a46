"""Normal distributions of many dimensions fitted to few samples, and how far apart two are.

Legend: n samples, D features each, k rows of a factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Normal:
    """A normal distribution: its mean and a factor F of its covariance ``F^T F``.

    Fitted to fewer samples than dimensions, F has fewer rows than columns, so no matrix [D, D] is
    needed.

    Args:
        mean: float64 [D].
        factor: float64 [k, D].
    """

    mean: np.ndarray
    factor: np.ndarray

    @classmethod
    def of_samples(cls, samples: np.ndarray, weights: np.ndarray | None = None) -> Normal:
        """Fit to samples; the covariance is divided by n - 1.

        Args:
            samples: floats [n, D], n at least 2.
            weights: [n], integers: how often each sample is in the set; None: once.
        """
        weights = np.ones(len(samples)) if weights is None else weights
        counted = weights > 0
        samples, weights = samples[counted].astype(np.float64), weights[counted]
        count = weights.sum()
        mean = weights @ samples / count
        factor = (samples - mean) * np.sqrt(weights / (count - 1))[:, None]
        if len(factor) > factor.shape[1]:
            factor = np.linalg.qr(factor, mode="r")
        return cls(mean, factor)

    @classmethod
    def of_covariance(cls, mean: np.ndarray, covariance: np.ndarray) -> Normal:
        """Build from a mean [D] and a covariance [D, D]."""
        eigenvalues, vectors = np.linalg.eigh(np.asarray(covariance, np.float64))
        factor = np.sqrt(np.maximum(eigenvalues, 0))[:, None] * vectors.T
        return cls(np.asarray(mean, np.float64), factor)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance, [D, D]."""
        return self.factor.T @ self.factor

    def frechet(self, other: Normal) -> float:
        """The Frechet distance of frechet.py: ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``.

        The symmetric matrix ``F1 C2 F1^T`` has the nonzero eigenvalues of ``C1 C2``. It equals
        ``(F1 F2^T) (F1 F2^T)^T``, so the square roots of its eigenvalues are the singular values of
        ``F1 F2^T``. This avoids squaring and square roots, which amplify rounding errors.
        """
        roots = np.linalg.svd(self.factor @ other.factor.T, compute_uv=False).sum()
        spreads = (self.factor**2).sum() + (other.factor**2).sum()
        distance = ((self.mean - other.mean) ** 2).sum() + spreads - 2 * roots
        return max(float(distance), 0.0)
