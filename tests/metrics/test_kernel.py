"""The kernel distance by hand, and against a loop over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.kernel import kernel_distance


def kernel(x, y):
    return (sum(a * b for a, b in zip(x, y)) / len(x) + 1) ** 3


def by_pairs(left, right):
    """Equation of Binkowski et al. 2018, section 4, pair by pair."""
    total = 0.0
    for samples in (left, right):
        count = len(samples)
        pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
        total += sum(kernel(samples[i], samples[j]) for i, j in pairs) / len(pairs)
    between = [kernel(x, y) for x in left for y in right]
    return total - 2 * sum(between) / len(between)


def test_four_numbers_by_hand():
    # within: k(0, 1) = 1 and k(1, 2) = 27; between: k(0, 1), k(0, 2) = 1, k(1, 1) = 8, k(1, 2) = 27
    left, right = np.array([[0.0], [1]]), np.array([[1.0], [2]])
    assert kernel_distance(left, right) == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)


@pytest.mark.parametrize("counts", [(9, 9), (6, 11), (2, 3)])
def test_it_is_the_mean_over_all_pairs(counts):
    rng = np.random.default_rng(0)
    left = rng.standard_normal((counts[0], 5))
    right = 0.5 + rng.standard_normal((counts[1], 5))
    expected = by_pairs(left.tolist(), right.tolist())
    assert kernel_distance(left, right) == pytest.approx(expected, rel=1e-10)
    assert kernel_distance(right, left) == pytest.approx(expected, rel=1e-10)


def test_sets_of_one_distribution_are_about_0_apart_and_as_often_below():
    rng = np.random.default_rng(0)
    same = [kernel_distance(*rng.standard_normal((2, 12, 8))) for _ in range(300)]
    error = np.std(same) / 300**0.5
    assert abs(np.mean(same)) < 3 * error  # with the pairs of a sample and itself it is above 10
    assert 60 < sum(value < 0 for value in same) < 240
    other = kernel_distance(rng.standard_normal((50, 8)), 1 + rng.standard_normal((50, 8)))
    assert other > 10 * np.std(same)


def test_order_of_the_samples_does_not_count():
    rng = np.random.default_rng(0)
    left, right = rng.random((7, 4)), rng.random((6, 4))
    shuffled = kernel_distance(left[::-1], right[::-1])
    assert shuffled == pytest.approx(kernel_distance(left, right), rel=1e-9)


def test_single_sample_is_refused():
    with pytest.raises(ValueError, match="at least 2 samples"):
        kernel_distance(np.zeros((1, 3)), np.zeros((4, 3)))
