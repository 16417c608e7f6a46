"""Paired comparisons worked out by hand."""

from __future__ import annotations

import pytest

from spade_paddle.evaluation.comparison import Comparison, compare_to_first
from spade_paddle.evaluation.scores import Row, SceneScores


def row(model, *distances, style=None):
    scenes = [SceneScores(str(index), distance, 0.0) for index, distance in enumerate(distances)]
    return Row(f"{model} {style}", model, style, 0.0, 0.0, scenes)


def test_differences_are_taken_scene_by_scene():
    comparison = Comparison.of(row("new", 1, 2, 5, 4), row("old", 2, 4, 5, 3))
    assert comparison.differences == [-1, -2, 0, 1]
    assert comparison.mean == -0.5
    # squares about the mean: 0.25 + 2.25 + 0.25 + 2.25 = 5, over 3, over 4 scenes
    assert comparison.standard_error == pytest.approx((5 / 3 / 4) ** 0.5)
    assert comparison.better == 2


def test_small_advantage_on_scenes_of_very_different_difficulty_shows():
    old = [1, 10, 100, 1000]
    comparison = Comparison.of(row("new", *(x - 0.5 for x in old)), row("old", *old))
    assert (comparison.mean, comparison.standard_error, comparison.better) == (-0.5, 0, 4)


def test_like_is_compared_with_like():
    styles = ("average", "own")
    rows = [
        *(row("old", 1, 2, style=style) for style in styles),
        *(row("new", 1, 3, style=style) for style in styles),
        row("plain", 2, 2),
    ]
    pairs = [(each.title, each.baseline) for each in compare_to_first(rows)]
    assert pairs == [
        ("new average", "old average"),
        ("new own", "old own"),
        ("plain None", "old average"),
    ]


def test_one_model_is_compared_with_nobody():
    assert compare_to_first([row("old", 1, 2, style=style) for style in ("average", "own")]) == []
