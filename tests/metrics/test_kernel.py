"""The kernel distance by its definition, and what unbiased means."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spade_paddle.metrics.kernel import kernel_distance


def by_definition(left, right):
    def k(x, y):
        return (x @ y / len(x) + 1) ** 3

    def within(samples):
        return np.mean([k(x, y) for x, y in itertools.permutations(samples, 2)])

    across = np.mean([k(x, y) for x in left for y in right])
    return within(left) + within(right) - 2 * across


def test_two_samples_each_by_hand():
    # D = 2: k(x, y) = (x . y / 2 + 1)^3
    left = np.array([[2.0, 0], [0, 2]])  # k of the two: 1
    right = np.array([[2.0, 2], [0, 0]])  # k of the two: 1
    # across: k((2,0),(2,2)) = 27, with (0,0) 1, and the same for (0,2): a mean of 14
    assert kernel_distance(left, right) == pytest.approx(1 + 1 - 2 * 14)


def test_it_is_the_definition_without_pairs_of_one_sample_and_itself():
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((5, 7)), rng.random((8, 7))
    expected = by_definition(left, right)
    assert kernel_distance(left, right) == pytest.approx(expected, rel=1e-12)
    assert kernel_distance(right, left) == pytest.approx(expected, rel=1e-12)


def test_it_has_no_bias_where_frechet_has_much():
    rng = np.random.default_rng(1)
    distances = [kernel_distance(*rng.standard_normal((2, 8, 20))) for _ in range(400)]
    error = np.std(distances) / 20  # of the mean of 400
    assert abs(np.mean(distances)) < 3 * error
    assert min(distances) < 0 < max(distances)


def test_weights_say_how_often_a_sample_counts():
    rng = np.random.default_rng(2)
    left, right = rng.standard_normal((4, 6)), rng.standard_normal((5, 6)) + 1
    weights = np.array([[1.0, 1, 1, 1], [0, 2, 1, 1]])
    other = np.array([[1.0, 1, 1, 1, 1], [3, 0, 0, 1, 1]])
    found = kernel_distance(left, right, weights=weights, other_weights=other)
    expected = [
        by_definition(np.repeat(left, w.astype(int), axis=0), np.repeat(right, v.astype(int), 0))
        for w, v in zip(weights, other)
    ]
    assert found == pytest.approx(expected, rel=1e-12)
    assert found[0] == pytest.approx(kernel_distance(left, right))
