"""Scores of pictures in memory."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.judge.judge import Judge
from spade_paddle.metrics.frechet import frechet_distance
from spade_paddle.metrics.grid import grid_energy
from tests.evaluation.conftest import extractor, weights

__all__ = ["extractor", "weights"]


def photos(count, *, seed):
    """Pictures of one kind: soft blobs with grain, 64 pixels a side."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 180, (count, 4, 4, 3)).repeat(16, 1).repeat(16, 2)
    return (coarse + rng.integers(0, 60, (count, 64, 64, 3))).astype(np.uint8)


@pytest.fixture(scope="module")
def judge(extractor):
    return Judge(extractor, photos=photos(6, seed=1), others=photos(6, seed=2))


def test_the_photos_score_nothing_and_others_of_their_kind_about_one(judge):
    own = judge.score(photos(6, seed=1))
    assert own["frechet_4"] == pytest.approx(0, abs=1e-6)
    assert own["grid"] == 1
    third = judge.score(photos(6, seed=3))
    for name in ("frechet_4", "frechet_10", "grid", "score"):
        assert 0.5 < third[name] < 2, name


def test_scores_are_distances_over_the_floor(judge, extractor):
    pictures = 255 - photos(6, seed=1)
    scores = judge.score(iter(pictures))

    def samples(of, layer):
        return np.concatenate([extractor.extract(picture).samples(layer) for picture in of])

    for name, layer in (("frechet_4", "block4"), ("frechet_10", "block10")):
        real, other, painted = (
            samples(of, layer) for of in (photos(6, seed=1), photos(6, seed=2), pictures)
        )
        floor = frechet_distance(real, other)
        assert judge.floors[name] == pytest.approx(floor, rel=1e-6)
        assert scores[name] == pytest.approx(frechet_distance(painted, real) / floor, rel=1e-5)
    assert scores["score"] == pytest.approx((scores["frechet_4"] * scores["frechet_10"]) ** 0.5)


def test_a_weave_shows_in_the_grid_and_in_the_score(judge):
    woven = photos(6, seed=1)
    woven[:, ::8, ::8] = 255
    scores = judge.score(woven)
    ratio = np.mean([grid_energy(p) for p in woven]) / np.mean(
        [grid_energy(p) for p in photos(6, seed=1)]
    )
    assert scores["grid"] == pytest.approx(ratio)
    assert scores["grid"] > 3
    assert scores["score"] > 0.3  # of the photos themselves 0


def test_looking_changes_nothing(judge):
    pictures = photos(3, seed=5)
    assert judge.score(pictures) == judge.score(pictures.copy())
