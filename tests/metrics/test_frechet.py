"""The Frechet distance against closed forms, on samples whose moments are exact."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.frechet import frechet_distance, frechet_of_moments
from spade_paddle.metrics.moments import Moments


def samples(mean, covariance, *, count=40, seed=0):
    """[count, D] samples whose mean and covariance (divided by count - 1) are these exactly."""
    noise = np.random.default_rng(seed).standard_normal((count, len(mean)))
    noise -= noise.mean(axis=0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise, rowvar=False)).T)
    return white @ np.linalg.cholesky(np.asarray(covariance, float)).T + mean


def test_equal_covariances_leave_the_squared_distance_of_the_means():
    covariance = [[2, 1], [1, 3]]
    left, right = samples([0, 0], covariance), samples([3, -4], covariance, seed=1)
    assert frechet_distance(left, right) == pytest.approx(25, rel=1e-9)


def test_normal_of_twice_the_deviation_is_one_further_in_every_dimension():
    # |m|^2 = 14, and (1 - 2)^2 for each of three dimensions
    left, right = samples([1, 2, 3], np.eye(3)), samples([0, 0, 0], 4 * np.eye(3), seed=1)
    assert frechet_distance(left, right) == pytest.approx(14 + 3, rel=1e-9)


def test_covariances_that_do_not_commute():
    # of 2 x 2 matrices tr(M^(1/2)) = sqrt(tr M + 2 sqrt(det M)); here M = [[8, 5], [4, 15]]
    one, other = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[4.0, 0.0], [0.0, 5.0]])
    assert (one @ other).tolist() == [[8, 5], [4, 15]]
    expected = 5 + 9 - 2 * np.sqrt(23 + 2 * np.sqrt(100))
    distance = frechet_distance(samples([0, 0], one), samples([0, 0], other, seed=1))
    assert distance == pytest.approx(expected, rel=1e-9)
    # neither of the short cuts: roots multiplied, deviations only
    roots = [_root(matrix) for matrix in (one, other)]
    assert distance != pytest.approx(14 - 2 * np.trace(roots[0] @ roots[1]), rel=1e-3)
    assert distance != pytest.approx(14 - 2 * (8**0.5 + 15**0.5), rel=1e-3)


def _root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(values**0.5) @ vectors.T


def test_covariances_are_divided_by_one_less_than_the_samples():
    # variances 2 and 8 of two samples each: (sqrt 8 - sqrt 2)^2 = 2
    assert frechet_distance(np.array([[-1.0], [1]]), np.array([[-2.0], [2]])) == pytest.approx(2)


def test_sets_on_lines_across_each_other_add_their_variances():
    # rank 1 each, and nothing in common: 9 + 2 + 8
    left = np.array([[-1.0, 0, 3], [1, 0, 3]])
    right = np.array([[0.0, -2, 0], [0, 2, 0]])
    assert frechet_distance(left, right) == pytest.approx(19, rel=1e-12)


def test_fewer_samples_than_dimensions_give_the_exact_distance():
    # tr((C1 C2)^(1/2)) is the sum of the singular values of Y X^T for centered samples X, Y
    rng = np.random.default_rng(3)
    left, right = rng.standard_normal((5, 60)), 2 * rng.standard_normal((7, 60)) + 1
    x = (left - left.mean(axis=0)) / np.sqrt(4)
    y = (right - right.mean(axis=0)) / np.sqrt(6)
    cross = np.linalg.svd(y @ x.T, compute_uv=False).sum()
    means = ((left.mean(axis=0) - right.mean(axis=0)) ** 2).sum()
    expected = means + (x**2).sum() + (y**2).sum() - 2 * cross
    assert frechet_distance(left, right) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("count", [4, 500])
def test_set_has_no_distance_to_itself_in_any_order(count):
    left = 100 * np.random.default_rng(0).random((count, 60)).astype(np.float32)
    spread = left.var(axis=0).sum()
    assert 0 <= frechet_distance(left, left[::-1]) < 1e-9 * spread


def test_both_ways_are_equally_far_and_shifts_and_turns_change_nothing():
    rng = np.random.default_rng(1)
    left, right = rng.random((30, 6)), rng.random((50, 6)) ** 2
    distance = frechet_distance(left, right)
    assert distance > 0.01
    assert frechet_distance(right, left) == pytest.approx(distance, rel=1e-9)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    assert frechet_distance(left @ turn + 7, right @ turn + 7) == pytest.approx(distance, rel=1e-9)
    assert frechet_distance(3 * left, 3 * right) == pytest.approx(9 * distance, rel=1e-9)


def test_constant_sets_are_apart_by_their_means_only():
    assert frechet_distance(np.zeros((3, 2)), np.full((4, 2), 5.0)) == 50


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (np.zeros((4, 3)), np.zeros((4, 2)), "with the same D"),
        (np.zeros(4), np.zeros(4), r"expected features \[n, D\]"),
        (np.zeros((4, 0)), np.zeros((4, 0)), r"expected features \[n, D\]"),
        (np.zeros((4, 3)), np.zeros((1, 3)), "at least 2 samples"),
        (np.zeros((4, 3)), np.full((4, 3), np.nan), "nan or infinity"),
        (np.full((4, 3), np.inf), np.zeros((4, 3)), "nan or infinity"),
    ],
)
def test_what_is_no_pair_of_sets_is_refused(left, right, words):
    with pytest.raises(ValueError, match=words):
        frechet_distance(left, right)


def test_several_pairs_at_once_are_the_same_one_by_one():
    rng = np.random.default_rng(2)
    left, right = rng.random((4, 30, 5)), rng.random((4, 20, 5)) ** 2
    right[3] = 1  # without any spread, so that the noise of its eigenvalues is its own
    stacked = [Moments.stacked([Moments.of(each) for each in sets]) for sets in (left, right)]
    expected = [frechet_distance(*pair) for pair in zip(left, right)]
    assert frechet_of_moments(*stacked) == pytest.approx(expected, rel=1e-9)
