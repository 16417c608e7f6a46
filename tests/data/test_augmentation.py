"""The rows that DiffAugment is told what to do by."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.config import DataConfig, RegularizationConfig
from spade_paddle.data.augmentation import IDENTITY, draw_augmentation
from spade_paddle.data.batches import BatchSource
from tests.data.scenes import numbered_scene

ALL = {
    "brightness": 0.5,
    "saturation": 1.0,
    "contrast": 0.5,
    "translation": 0.125,
    "cutout": 0.5,
}
OFF = dict.fromkeys(ALL, 0.0)
COLUMNS = {
    "brightness": [0],
    "saturation": [1],
    "contrast": [2],
    "translation": [3, 4],
    "cutout": [5, 6, 7],
}


def test_what_is_off_changes_nothing():
    row = draw_augmentation(7, **OFF)
    assert row.dtype == np.float32
    assert row.tolist() == list(IDENTITY) == [0, 1, 1, 0, 0, 0.5, 0.5, 0]


@pytest.mark.parametrize("kind", COLUMNS)
def test_each_kind_has_its_own_columns_and_the_draws_it_has_among_the_others(kind):
    alone = draw_augmentation([1, 4, 9], **{**OFF, kind: ALL[kind]})
    together = draw_augmentation([1, 4, 9], **ALL)
    own = COLUMNS[kind]
    others = [index for index in range(8) if index not in own]
    assert np.array_equal(alone[own], together[own])
    assert alone[others].tolist() == np.take(IDENTITY, others).tolist()
    assert (alone[own] != np.take(IDENTITY, own)).all()


def test_numbers_are_spread_evenly_over_their_ranges():
    rows = np.stack([draw_augmentation([0, 4, k], **ALL) for k in range(4000)])
    lowest = [-0.5, 0, 0.5, -0.125, -0.125, 0, 0]
    highest = [0.5, 2, 1.5, 0.125, 0.125, 1, 1]
    for column, (low, high) in enumerate(zip(lowest, highest)):
        values = (rows[:, column] - low) / (high - low)
        assert values.min() >= 0
        assert values.max() <= 1
        # quarters of 1000 each, deviation 27
        counts, _ = np.histogram(values, bins=4, range=(0, 1))
        assert counts.min() > 850, column
    assert (rows[:, 7] == 0.5).all()
    correlations = np.corrcoef(rows[:, :7].T) - np.eye(7)
    assert np.abs(correlations).max() < 0.1


def test_half_the_strength_is_half_the_change():
    strong = draw_augmentation([1, 4, 9], **ALL)
    weak = draw_augmentation([1, 4, 9], **{kind: value / 2 for kind, value in ALL.items()})
    for column in range(5):
        change = strong[column] - np.float32([0, 1, 1, 0, 0][column])
        assert weak[column] - np.float32([0, 1, 1, 0, 0][column]) == pytest.approx(change / 2)
    assert (weak[7], strong[7]) == (0.25, 0.5)


def test_holes_are_in_a_share_of_the_pictures_and_change_no_other_draw():
    always = [draw_augmentation([0, 4, k], **ALL) for k in range(1000)]
    rows = [draw_augmentation([0, 4, k], **ALL, cutout_probability=0.3) for k in range(1000)]
    holes = [row[7] > 0 for row in rows]
    assert 250 < sum(holes) < 350  # deviation 14
    for row, other, hole in zip(rows, always, holes):
        assert np.array_equal(row[:5], other[:5])
        assert row[5:].tolist() == (other[5:].tolist() if hole else [0.5, 0.5, 0.0])
    never = draw_augmentation([0, 4, 1], **ALL, cutout_probability=0.0)
    assert never[7] == 0


def test_rows_are_made_from_the_seed_alone():
    assert np.array_equal(draw_augmentation([2, 4, 3], **ALL), draw_augmentation([2, 4, 3], **ALL))
    rows = {draw_augmentation([2, 4, k], **ALL).tobytes() for k in range(20)}
    assert len(rows) == 20


def source(augmentation, **more):
    options = DataConfig(load_mode="crop", crop_size=32)
    scenes = [numbered_scene(48, 48) for _ in range(5)]
    return BatchSource(
        scenes, options=options, seed=3, multiple=32, augmentation=augmentation, **more
    )


EVERYTHING = RegularizationConfig(**{f"augment_{kind}": value for kind, value in ALL.items()})


def test_batches_carry_the_rows_of_their_pictures_however_they_are_shared():
    whole = source(EVERYTHING).at(6, 4).augmentation
    assert whole.shape == (4, 8)
    assert whole.dtype == np.float32
    shares = [source(EVERYTHING).at(6 + k, 1).augmentation for k in (3, 1, 0, 2)]
    assert np.array_equal(whole[[3, 1, 0, 2]], np.concatenate(shares))
    for k in range(4):
        assert np.array_equal(whole[k], draw_augmentation([3, 4, 6 + k], **ALL))


@pytest.mark.parametrize(
    "field", [*(f"augment_{kind}" for kind in ALL), "augment_cutout_probability", "r1_gamma"]
)
def test_batches_carry_rows_where_any_of_it_is_on(field):
    batch = source(RegularizationConfig(**{field: 0.25})).at(0, 2)
    assert (batch.augmentation is None) == (field not in {f"augment_{kind}" for kind in ALL})


@pytest.mark.parametrize("off", [None, RegularizationConfig(r1_gamma=1.0)])
def test_rows_change_nothing_else_in_a_batch(off):
    more = {"noise_strides": (2, 1), "style_dim": 3}
    plain, augmented = (source(options, **more).at(4, 3) for options in (off, EVERYTHING))
    assert plain.augmentation is None
    for name in ("photo", "label_map", "instance_map", "style_noise"):
        assert np.array_equal(getattr(plain, name), getattr(augmented, name))
    for one, other in zip(plain.noise, augmented.noise):
        assert np.array_equal(one, other)
