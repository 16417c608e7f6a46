"""Kernel distance of two sets of features: KID (Binkowski et al. 2018, "Demystifying MMD GANs").

Legend: n and m samples, D features each; ... any leading axes, one distance for each index.
"""

from __future__ import annotations

import numpy as np


def kernel_distance(
    left: np.ndarray,
    right: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    other_weights: np.ndarray | None = None,
) -> np.ndarray:
    """Unbiased estimate of the squared maximum mean discrepancy with the kernel
    ``k(x, y) = (x . y / D + 1)^3`` (equation 4 and section 4.2).

        sum_{i != j} k(x_i, x_j) / n (n - 1) + sum_{i != j} k(y_i, y_j) / m (m - 1)
            - 2 sum_{i, j} k(x_i, y_j) / n m

    It uses all samples at once. The usual mean over 100 random subsets of 1000 samples estimates
    the same quantity with more variance, and saves time only for sets much larger than ours.

    Args:
        left: floats [n, D], n at least 2.
        right: floats [m, D], m at least 2.
        weights: [..., n], integers: how often each sample of ``left`` is in the set; None: once.
        other_weights: [..., m], the same for ``right``.

    Returns:
        float64 [...], which may be negative.
    """
    left, right = (np.asarray(each, np.float64) for each in (left, right))
    weights = np.ones(len(left)) if weights is None else weights
    other_weights = np.ones(len(right)) if other_weights is None else other_weights
    across = _kernel(left, right)
    counts = [each.sum(axis=-1) for each in (weights, other_weights)]
    between = _total(across, weights, other_weights) / (counts[0] * counts[1])
    return _within(left, weights) + _within(right, other_weights) - 2 * between


def _kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left @ right.T / left.shape[1] + 1) ** 3


def _within(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of the kernel over pairs of different samples of one set."""
    kernel = _kernel(samples, samples)
    count = weights.sum(axis=-1)
    pairs = _total(kernel, weights, weights) - weights @ np.diag(kernel)
    return pairs / (count * (count - 1))


def _total(kernel: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return ((rows @ kernel) * columns).sum(axis=-1)
