"""Intervals by resampling scenes: known answers, and how often they cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.bootstrap import Estimate, bootstrap_weights
from spade_paddle.metrics.frechet import frechet_of_moments
from spade_paddle.metrics.moments import Moments


def gaussian_scenes(rng, *, scenes=24, shift=0.0, offsets=None):
    """Moments of scenes of 12 samples of 3 numbers, which lie about a place of the scene's own."""
    offsets = rng.standard_normal((scenes, 1, 3)) if offsets is None else offsets
    samples = offsets + rng.standard_normal((scenes, 12, 3)) + shift
    return Moments.stacked([Moments.of(scene) for scene in samples])


def distance(left, right):
    return lambda weights: frechet_of_moments(left.pooled(weights), right.pooled(weights))


def test_every_draw_has_as_many_scenes_as_there_are():
    draws = bootstrap_weights(7, replicates=500)
    assert draws.shape == (500, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert draws.mean() == 1
    assert draws.var() == pytest.approx(6 / 7, rel=0.1)  # of a binomial of 7 and 1/7
    assert np.array_equal(draws, bootstrap_weights(7, replicates=500))
    assert not np.array_equal(draws, bootstrap_weights(7, replicates=500, seed=1))


def test_interval_of_a_mean_is_that_of_its_standard_error():
    values = np.random.default_rng(0).standard_normal(400)
    score = Estimate.of(
        lambda weights: weights @ values / 400, bootstrap_weights(400, replicates=2000)
    )
    assert score.value == pytest.approx(values.mean())
    low, high = score.interval
    reach = 1.96 * values.std() / 20
    assert low == pytest.approx(score.value - reach, abs=0.1 * reach)
    assert high == pytest.approx(score.value + reach, abs=0.1 * reach)


def test_interval_lies_about_the_value_wherever_the_replicates_lie():
    # percentiles 10.25 and 19.75 of replicates about 15
    interval = Estimate(5.0, np.linspace(10, 20, 101)).interval
    assert interval == (pytest.approx(0.25), pytest.approx(9.75))


def covered(interval, truth):
    return interval[0] <= truth <= interval[1]


def test_interval_of_a_frechet_distance_covers_its_mean_in_19_of_20_cases():
    rng = np.random.default_rng(1)

    def pair():
        return gaussian_scenes(rng), gaussian_scenes(rng, shift=1.0)

    ones = np.ones(24)
    truth = np.mean([distance(*pair())(ones) for _ in range(1500)])
    draws = bootstrap_weights(24)
    estimates = [Estimate.of(distance(*pair()), draws) for _ in range(200)]
    share = np.mean([covered(each.interval, truth) for each in estimates])
    assert 0.87 <= share <= 0.99
    # percentiles as they are lie too high: resampled sets are further apart than the sets are
    plain = [np.percentile(each.replicates, [2.5, 97.5]) for each in estimates]
    above = np.mean([truth < low for low, _ in plain])
    below = np.mean([truth > high for _, high in plain])
    assert above > below + 0.02


def test_paired_difference_is_seen_where_the_intervals_of_the_two_overlap():
    rng = np.random.default_rng(2)
    offsets = 3 * rng.standard_normal((24, 1, 3))  # of scenes that are much unlike each other
    photos = gaussian_scenes(rng, offsets=offsets)
    good, bad = (gaussian_scenes(rng, offsets=offsets, shift=shift) for shift in (0.5, 0.8))
    draws = bootstrap_weights(24)
    better, worse = (Estimate.of(distance(each, photos), draws) for each in (good, bad))
    difference = worse.minus(better)
    assert difference.value == worse.value - better.value
    low, high = difference.interval
    assert 0 < low < difference.value < high
    # other draws for the other model: the difficulty of the scenes would not drop out
    aside = Estimate.of(distance(bad, gaussian_scenes(rng)), bootstrap_weights(24, seed=5)).minus(
        better
    )
    assert aside.interval[1] - aside.interval[0] > 2 * (high - low)


def test_floor_of_equal_distributions_is_about_the_distance_itself():
    rng = np.random.default_rng(3)
    ones = np.ones(24)
    ratios = [
        distance(gaussian_scenes(rng), gaussian_scenes(rng))(ones)
        / distance(gaussian_scenes(rng), gaussian_scenes(rng))(ones)
        for _ in range(300)
    ]
    assert 0.85 < np.median(ratios) < 1.15


def test_multiples_divide_everything():
    estimate = Estimate(6.0, np.array([5.0, 7.0, 6.0])).divided_by(2.0)
    assert (estimate.value, estimate.replicates.tolist()) == (3.0, [2.5, 3.5, 3.0])
