"""How often scenes are drawn, by what they show."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.balance import (
    MAX_WEIGHT,
    balanced_order,
    label_shares,
    scene_weights,
)
from spade_paddle.data.batches import BatchSource, SceneCache
from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.errors import DataError
from tests.data.scenes import numbered_scene
from tests.synthetic import write_synthetic_dataset


def random_shares(scenes: int, labels: int, *, seed: int = 0) -> np.ndarray:
    """A few labels in each scene, some of them rare."""
    rng = np.random.default_rng(seed)
    shares = rng.gamma(0.3 / np.arange(1, labels + 1), size=(scenes, labels))
    return shares / shares.sum(axis=1, keepdims=True)


def test_shares_by_hand():
    maps = [
        np.array([[0, 0], [0, 2]], np.uint8),
        np.array([[255, 1]], np.uint8),  # don't care does not count
        np.array([[255, 255]], np.uint8),
    ]
    expected = [[0.75, 0, 0.25, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert label_shares(maps, num_labels=4).tolist() == expected


def test_weights_by_hand():
    # labels 0 and 1 are 3/4 and 1/4 of the pixels; a scene of 0 counts (4/3)^b, one of 1 4^b
    shares = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    assert scene_weights(shares, balance=1.0) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    half = np.array([1, 1, 1, 3**0.5])
    assert scene_weights(shares, balance=0.5) == pytest.approx(half / half.mean())
    mixed = np.array([[1.0, 0], [0.5, 0.5]])  # 3/4 and 1/4: 4/3 and (4/3 + 4) / 2 = 8/3
    assert scene_weights(mixed, balance=1.0) == pytest.approx([2 / 3, 4 / 3])


def by_formula(shares, balance, *, inverse=True):
    """As in the docstring, before anything is cut off; ``inverse=False``: wrong, common ones."""
    scenes, labels = shares.shape
    weights = np.zeros(scenes)
    for s in range(scenes):
        for k in range(labels):
            frequency = sum(shares[:, k]) / scenes
            weights[s] += shares[s, k] * frequency ** (-balance if inverse else balance)
    return weights / weights.mean()


def test_weights_agree_with_the_formula_where_nothing_is_cut_off():
    shares = random_shares(40, 6)
    expected = by_formula(shares, 0.4)
    assert expected.max() < MAX_WEIGHT
    assert scene_weights(shares, balance=0.4) == pytest.approx(expected)
    assert (
        np.abs(scene_weights(shares, balance=0.4) - by_formula(shares, 0.4, inverse=False)).max()
        > 0.1
    )


def test_balance_zero_or_a_single_label_makes_all_scenes_alike():
    shares = random_shares(40, 6)
    assert scene_weights(shares, balance=0.0) == pytest.approx(np.ones(40))
    assert scene_weights(np.ones((5, 1)), balance=1.0) == pytest.approx(np.ones(5))
    assert scene_weights(np.zeros((5, 3)), balance=1.0) == pytest.approx(np.ones(5))


def test_no_scene_is_drawn_more_than_three_times_as_often_as_the_average_one():
    shares = np.zeros((500, 3))
    shares[:, 0] = 1
    shares[:5] = [0, 0.5, 0.5]  # 1 % of the scenes
    weights = scene_weights(shares, balance=1.0)
    assert weights.mean() == pytest.approx(1)
    assert weights[:5] == pytest.approx([MAX_WEIGHT] * 5)
    assert weights[5:] == pytest.approx([(500 - 5 * MAX_WEIGHT) / 495] * 495)


def test_rare_labels_are_drawn_more_often_and_none_is_lost():
    shares = random_shares(300, 8)
    weights = scene_weights(shares, balance=0.5)
    before, after = shares.mean(axis=0), (shares * weights[:, None]).mean(axis=0)
    order = np.argsort(before)
    assert (after[order[:3]] > before[order[:3]]).all()
    assert after[order[-1]] < before[order[-1]]
    assert weights.min() > 0


def test_weights_depend_neither_on_the_order_of_labels_nor_of_scenes():
    shares, rng = random_shares(30, 6), np.random.default_rng(1)
    weights = scene_weights(shares, balance=0.7)
    assert scene_weights(shares[:, rng.permutation(6)], balance=0.7) == pytest.approx(weights)
    order = rng.permutation(30)
    assert scene_weights(shares[order], balance=0.7) == pytest.approx(weights[order])


def test_an_epoch_shows_each_scene_as_often_as_its_weight_says():
    weights = scene_weights(random_shares(60, 6), balance=0.8)
    counts = np.zeros(60)
    for epoch in range(400):
        order = balanced_order(weights, np.random.default_rng([1, epoch]))
        assert len(order) == 60
        seen = np.bincount(order, minlength=60)
        # a whole number next to the weight
        assert (np.abs(seen - weights) < 1 + 1e-9).all()
        counts += seen
    assert np.abs(counts / 400 - weights).max() < 0.1  # deviation at most 0.025


def test_scenes_of_equal_weight_come_once_an_epoch():
    for seed in range(20):
        order = balanced_order(np.ones(7), np.random.default_rng(seed))
        assert sorted(order) == list(range(7))


def source(weights, *, scenes=6):
    options = DataConfig(load_mode="crop", crop_size=32)
    return BatchSource(
        [numbered_scene(32, 32 + 32 * k) for k in range(scenes)],
        options=options,
        seed=3,
        multiple=32,
        weights=weights,
    )


def test_what_is_drawn_depends_on_seed_and_position_only():
    weights = np.array([3, 1, 0.5, 0.5, 0.5, 0.5])
    straight = [source(weights)._scene_index(k) for k in range(18)]
    one = source(weights)
    assert [one._scene_index(k) for k in (17, 3, 11, 0)] == [straight[k] for k in (17, 3, 11, 0)]
    for epoch in range(3):
        assert straight[6 * epoch : 6 * epoch + 6].count(0) == 3
    assert straight[:6] != straight[6:12]


def test_without_weights_the_order_is_the_one_it_always_was():
    drawn = [source(None)._scene_index(k) for k in range(12)]
    expected = [np.random.default_rng([3, 0, epoch]).permutation(6) for epoch in range(2)]
    assert drawn == np.concatenate(expected).tolist()


def test_label_maps_of_a_data_set_are_read_and_a_broken_one_is_named(tmp_path, landscape):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=4)
    pairs = find_pairs(tmp_path, "train")

    def weights(scenes, balance):
        options = DataConfig(label_balance=balance)
        return SceneCache(scenes, label_set=landscape, options=options, multiple=32).weights()

    assert weights(pairs, 0.0) is None
    drawn = weights(pairs, 0.5)
    assert drawn.shape == (4,)
    assert drawn.mean() == pytest.approx(1)
    assert np.array_equal(weights([read_scene(pair, landscape) for pair in pairs], 0.5), drawn)
    pairs[2].label_map.write_bytes(b"no picture")
    with pytest.raises(DataError, match=pairs[2].label_map.name):
        weights(pairs, 0.5)
