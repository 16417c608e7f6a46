"""Frechet distances through factors, held to those through covariances."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.frechet import frechet_distance
from spade_paddle.metrics.normal import Normal


def sets(n, m, dimensions):
    rng = np.random.default_rng(n)
    return rng.standard_normal((n, dimensions)), rng.random((m, dimensions)) ** 2


def through_factors(left, right):
    return Normal.of_samples(left).frechet(Normal.of_samples(right))


@pytest.mark.parametrize(("n", "m"), [(4, 7), (5, 90), (80, 90), (2, 2)])
def test_distance_is_that_of_the_covariances(n, m):
    left, right = sets(n, m, 30)
    expected = frechet_distance(left, right)
    assert expected > 1
    assert through_factors(left, right) == pytest.approx(expected, rel=1e-9)
    assert through_factors(right, left) == pytest.approx(expected, rel=1e-9)


def test_normal_of_twice_the_deviation_is_one_further_in_every_dimension():
    # |m|^2 = 14, and (1 - 2)^2 for each of three dimensions
    one = Normal.of_covariance(np.array([1, 2, 3]), np.eye(3))
    other = Normal.of_covariance(np.zeros(3), 4 * np.eye(3))
    assert one.frechet(other) == pytest.approx(17, rel=1e-12)


@pytest.mark.parametrize("n", [6, 60])
def test_stored_moments_are_as_good_as_samples(n):
    left, right = sets(n, 9, 20)
    normal = Normal.of_samples(left)
    assert normal.covariance == pytest.approx(np.cov(left, rowvar=False))
    assert normal.mean == pytest.approx(left.mean(axis=0))
    stored = Normal.of_covariance(normal.mean, normal.covariance)
    other = Normal.of_samples(right)
    assert stored.frechet(other) == pytest.approx(normal.frechet(other), rel=1e-7)


def test_sample_that_counts_twice_is_two_samples():
    left, right = sets(6, 8, 12)
    weights = np.array([2.0, 0, 1, 3, 0, 1])
    drawn = np.repeat(left, weights.astype(int), axis=0)
    expected = Normal.of_samples(drawn)
    found = Normal.of_samples(left, weights)
    assert found.mean == pytest.approx(expected.mean)
    assert found.covariance == pytest.approx(expected.covariance)
    other = Normal.of_samples(right)
    assert found.frechet(other) == pytest.approx(expected.frechet(other), rel=1e-9)


@pytest.mark.parametrize("n", [5, 50])
def test_a_set_has_no_distance_to_itself(n):
    left = 100 * sets(n, 2, 40)[0]
    assert 0 <= through_factors(left, left[::-1]) < 1e-9 * left.var(axis=0).sum()
