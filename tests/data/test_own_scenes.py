"""Scenes in memory, instead of files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.batches import SceneCache
from spade_paddle.data.dataset import Scene
from spade_paddle.errors import DataError, LabelMapError
from tests.data.scenes import MULTIPLE


def scene(**changes):
    rows = np.repeat(np.arange(40, dtype=np.uint8)[:, None] % 13, 64, axis=1)
    plain = Scene(np.repeat(rows[..., None], 3, axis=2), rows, rows.astype(np.int32), name="hill")
    return dataclasses.replace(plain, **changes)


def cache(*scenes, label_set, **options):
    options = DataConfig(load_mode="none", crop_size=32, **options)
    return SceneCache(scenes, label_set=label_set, options=options, multiple=MULTIPLE)


def test_they_have_their_names_or_their_numbers_and_their_sizes(landscape):
    nameless = scene(name="")
    kept = cache(scene(), nameless, label_set=landscape)
    assert len(kept) == 2
    assert kept.names() == ["hill", "0001"]
    assert list(kept.sizes()) == [("hill", (40, 64)), ("0001", (40, 64))]
    assert kept[1].name == "0001"
    assert kept[0].size == (32, 64)  # the nearest multiples, whole


def test_without_any_there_is_nothing_to_train_on(landscape):
    with pytest.raises(DataError, match="expected at least one, got none"):
        cache(label_set=landscape)


def test_rare_labels_weigh_more_only_where_that_is_wanted(landscape):
    rare = scene(label_map=np.full((40, 64), 12, np.uint8))
    common = [scene(label_map=np.full((40, 64), 1, np.uint8), name=str(i)) for i in range(3)]
    assert cache(rare, *common, label_set=landscape).weights() is None
    weights = cache(rare, *common, label_set=landscape, label_balance=1.0).weights()
    assert weights[0] > weights[1] == weights[2] == weights[3]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"photo": np.zeros((40, 63, 3), np.uint8)}, DataError, r"scene 'hill': .* \[40, 63, 3\]"),
        ({"photo": np.zeros((40, 64), np.uint8)}, DataError, r"got uint8 \[40, 64\]"),
        ({"photo": np.zeros((40, 64, 3), np.float32)}, DataError, "got float32"),
        ({"instance_map": np.zeros((40, 63), np.int32)}, DataError, r"and \[40, 63\]"),
        ({"label_map": np.full((40, 64), 77, np.uint8)}, LabelMapError, "scene 'hill'.*77"),
        ({"label_map": np.zeros((40, 64, 1), np.uint8)}, LabelMapError, "scene 'hill'"),
    ],
)
def test_arrays_that_make_no_scene_are_refused_by_its_name(landscape, changes, error, message):
    with pytest.raises(error, match=message):
        cache(scene(**changes), label_set=landscape)[0]
