"""Frechet distance of two sets of features (Heusel et al. 2017, there called FID).

Legend: n samples, D numbers each.
"""

from __future__ import annotations

import numpy as np


def frechet_distance(left: np.ndarray, right: np.ndarray) -> float:
    """``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` of the means m and covariances C of two sets.

    This is the squared 2-Wasserstein distance of two normal distributions. As in Heusel et
    al. 2017 the covariances are divided by n - 1. Instead of the root of the product,
    which is not symmetric, the trace of ``(R C2 R)^(1/2)`` is taken, with R the root of C1: both
    have the same eigenvalues. So a covariance without full rank does no harm, though sets of few
    samples look further apart than they are: compare only sets of the same sizes.

    Args:
        left: floats [n, D], n at least 2.
        right: floats [m, D], m at least 2.

    Returns:
        A number >= 0, the same for (right, left) but for rounding.

    Raises:
        ValueError: other shapes, fewer than 2 samples, or a number that is not finite.
    """
    left, right = checked_pair(left, right)
    covariance_left, covariance_right = _covariance(left), _covariance(right)
    root = _symmetric_root(covariance_left)
    roots = np.sqrt(_eigenvalues_above_noise(np.linalg.eigvalsh(root @ covariance_right @ root)))
    means = ((left.mean(axis=0) - right.mean(axis=0)) ** 2).sum()
    spreads = np.trace(covariance_left) + np.trace(covariance_right) - 2 * roots.sum()
    return max(float(means + spreads), 0.0)


def checked_pair(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features as ``float64`` [n, D] and [m, D].

    Raises:
        ValueError: other shapes, fewer than 2 samples, or a number that is not finite.
    """
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1] or not left.shape[1]:
        raise ValueError(
            "expected two sets of features [n, D] and [m, D] of one D, got shapes "
            f"{left.shape} and {right.shape}"
        )
    if min(len(left), len(right)) < 2:
        raise ValueError(
            f"a set needs at least 2 samples to have a spread, got {len(left)} and {len(right)}"
        )
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("features hold numbers that are not finite (nan or infinity)")
    return left, right


def _covariance(samples: np.ndarray) -> np.ndarray:
    """[n, D] -> [D, D]."""
    centred = samples - samples.mean(axis=0)
    return centred.T @ centred / (len(samples) - 1)


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric positive root of a covariance [D, D]."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(_eigenvalues_above_noise(eigenvalues)) @ vectors.T


def _eigenvalues_above_noise(eigenvalues: np.ndarray) -> np.ndarray:
    """Eigenvalues [D] of a matrix without negative ones; what is rounding noise becomes 0.

    The root would make much of it: of 1e-16 it is 1e-8, D times.
    """
    noise = np.finfo(np.float64).eps * len(eigenvalues) * max(eigenvalues.max(), 0.0)
    return np.where(eigenvalues > noise, eigenvalues, 0.0)
