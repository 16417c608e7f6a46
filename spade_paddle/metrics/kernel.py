"""Kernel distance of two sets of features (Binkowski et al. 2018, there called KID).

Legend: n samples, D numbers each.
"""

from __future__ import annotations

import numpy as np

from spade_paddle.metrics.frechet import checked_pair


def kernel_distance(left: np.ndarray, right: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel ``k(x, y) = (x.y / D + 1)^3``.

    ``mean k(x, x') + mean k(y, y') - 2 mean k(x, y)`` over the pairs of different samples of left
    (x), of right (y), and all pairs between them (Binkowski et al. 2018). They average
    over random subsets; we take the whole sets, which are small. Unbiased whatever the sizes, so
    for equal distributions it lies about 0, often below.

    Args:
        left: floats [n, D], n at least 2.
        right: floats [m, D], m at least 2.

    Raises:
        ValueError: other shapes, fewer than 2 samples, or a number that is not finite.
    """
    left, right = checked_pair(left, right)
    between = _kernel(left, right).mean()
    return float(_mean_of_others(left) + _mean_of_others(right) - 2 * between)


def _kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """[n, D], [m, D] -> [n, m]."""
    return (left @ right.T / left.shape[1] + 1) ** 3


def _mean_of_others(samples: np.ndarray) -> float:
    """Mean of the kernel over all pairs of different samples."""
    values = _kernel(samples, samples)
    count = len(samples)
    return (values.sum() - np.trace(values)) / (count * (count - 1))
