"""Frechet distance of two sets of features (Heusel et al. 2017, there called FID).

Legend: n samples, D features each; ... any leading axes, one distance for each index.
"""

from __future__ import annotations

import numpy as np

from spade_paddle.metrics.moments import Moments


def frechet_distance(left: np.ndarray, right: np.ndarray) -> float:
    """The Frechet distance (``frechet_of_moments``) of two sets of samples.

    Args:
        left: floats [n, D], n at least 2.
        right: floats [m, D], m at least 2.

    Raises:
        ValueError: other shapes, fewer than 2 samples, or a number that is not finite.
    """
    return float(frechet_of_moments(Moments.of(left), Moments.of(right)))


def frechet_of_moments(left: Moments, right: Moments) -> np.ndarray:
    """``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` of the means m and covariances C of two sets.

    This is the squared 2-Wasserstein distance of two normal distributions. As in Heusel et al. 2017
    the covariances are divided by n - 1. Instead of the square root of ``C1 C2``, which is not
    symmetric, that of ``R C2 R`` is computed, with R the square root of C1: both have the same
    eigenvalues, and covariances may be rank-deficient. The distance is biased upwards for few
    samples, so compare only sets of the same sizes.

    Args:
        left: moments of [...] sets of at least 2 samples.
        right: moments of [...] sets of at least 2 samples.

    Returns:
        float64 [...], >= 0; symmetric up to rounding.

    Raises:
        ValueError: they differ in D, or a set has fewer than 2 samples.
    """
    if left.total.shape[-1] != right.total.shape[-1]:
        raise ValueError(
            "expected two sets of features [n, D] and [m, D] with the same D, got D "
            f"{left.total.shape[-1]} and {right.total.shape[-1]}"
        )
    fewest = [float(np.min(each.count)) for each in (left, right)]
    if min(fewest) < 2:
        raise ValueError(
            f"expected at least 2 samples in each set, got {fewest[0]:g} and {fewest[1]:g}"
        )
    covariances = left.covariance, right.covariance
    root = _symmetric_root(covariances[0])
    eigenvalues = np.linalg.eigvalsh(root @ covariances[1] @ root)
    roots = np.sqrt(_eigenvalues_above_noise(eigenvalues)).sum(axis=-1)
    means = ((left.mean - right.mean) ** 2).sum(axis=-1)
    spreads = sum(np.trace(each, axis1=-2, axis2=-1) for each in covariances) - 2 * roots
    return np.maximum(means + spreads, 0.0)


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric positive semidefinite square root of covariances [..., D, D]."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    roots = np.sqrt(_eigenvalues_above_noise(eigenvalues))
    return vectors * roots[..., None, :] @ np.swapaxes(vectors, -1, -2)


def _eigenvalues_above_noise(eigenvalues: np.ndarray) -> np.ndarray:
    """Set eigenvalues [..., D] of positive semidefinite matrices to 0 if they are rounding errors.

    The square root would amplify them: that of 1e-16 is 1e-8, and there may be D of them.
    """
    largest = np.maximum(eigenvalues.max(axis=-1, keepdims=True), 0.0)
    noise = np.finfo(np.float64).eps * eigenvalues.shape[-1] * largest
    return np.where(eigenvalues > noise, eigenvalues, 0.0)
