"""Paired comparisons worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.evaluation.comparison import Comparison, compare_to_first
from spade_paddle.evaluation.scores import SceneScores, ScoreRow, scene_estimates
from spade_paddle.metrics.bootstrap import bootstrap_weights


def row(model, *distances, style=None):
    scenes = [SceneScores(str(index), distance, 0.0) for index, distance in enumerate(distances)]
    estimates = scene_estimates(scenes, bootstrap_weights(len(scenes)))
    return ScoreRow(f"{model} {style}", model, style, scenes, estimates)


def test_differences_are_taken_on_the_same_resampled_scenes():
    comparison = Comparison(row("new", 1, 2, 5, 4), row("old", 2, 4, 5, 3))
    difference = comparison.differences["perceptual"]
    assert difference.value == -0.5
    draws = bootstrap_weights(4)
    assert difference.replicates == pytest.approx(draws @ np.array([-1, -2, 0, 1]) / 4)
    assert (comparison.nearer, len(comparison.row.scenes)) == (2, 4)
    assert comparison.to_dict()["perceptual"]["value"] == -0.5


def test_small_advantage_on_scenes_of_very_different_difficulty_shows():
    old = [1, 10, 100, 1000]
    new, old = row("new", *(x - 0.5 for x in old)), row("old", *old)
    low, high = Comparison(new, old).differences["perceptual"].interval
    assert (low, high) == (pytest.approx(-0.5), pytest.approx(-0.5))
    assert new.estimates["perceptual"].interval[1] > old.estimates["perceptual"].value


def test_like_is_compared_with_like():
    styles = ("average", "own")
    rows = [
        *(row("old", 1, 2, style=style) for style in styles),
        *(row("new", 1, 3, style=style) for style in styles),
        row("plain", 2, 2),
    ]
    pairs = [(each.row.title, each.baseline.title) for each in compare_to_first(rows)]
    assert pairs == [
        ("new average", "old average"),
        ("new own", "old own"),
        ("plain None", "old average"),
    ]


def test_one_model_is_compared_with_nobody():
    assert compare_to_first([row("old", 1, 2, style=style) for style in ("average", "own")]) == []
