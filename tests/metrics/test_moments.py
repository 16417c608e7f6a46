"""Sums picture by picture give what all samples together give."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.frechet import frechet_distance, frechet_of_moments
from spade_paddle.metrics.moments import Moments


def test_known_answer():
    moments = Moments.of([[1, 0], [3, 4]])
    assert (moments.count, moments.total.tolist()) == (2, [4, 4])
    assert moments.products.tolist() == [[10, 12], [12, 16]]
    assert moments.mean.tolist() == [2, 2]
    assert moments.covariance.tolist() == [[2, 4], [4, 8]]  # of 1: -1, 1 and -2, 2


def test_pooled_scenes_are_all_samples_together_each_as_often_as_it_counts():
    rng = np.random.default_rng(0)
    scenes = [rng.standard_normal((count, 4)) + 3 for count in (5, 9, 7)]
    stacked = Moments.stacked([Moments.of(scene) for scene in scenes])
    weights = np.array([[1, 1, 1], [2, 0, 1]])
    pooled = stacked.pooled(weights)
    for index, row in enumerate(weights):
        samples = np.concatenate([scene for scene, times in zip(scenes, row) for _ in range(times)])
        assert pooled.count[index] == len(samples)
        assert pooled.mean[index] == pytest.approx(samples.mean(axis=0), rel=1e-12)
        expected = np.cov(samples, rowvar=False)
        assert pooled.covariance[index] == pytest.approx(expected, rel=1e-9)
    other = rng.standard_normal((40, 4))
    distance = frechet_of_moments(stacked.pooled(np.ones(3)), Moments.of(other))
    assert distance == pytest.approx(frechet_distance(np.concatenate(scenes), other), rel=1e-9)
