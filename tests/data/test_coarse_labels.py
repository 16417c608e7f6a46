"""Label maps as a child draws them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.coarse import CELLS, coarse_label_map
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.data.transforms import coarse_labels, random_view
from tests.synthetic import synthetic_scene


def blotches(height, width, *, seed=0, ids=(0, 3, 7, 255)):
    """Discs of random labels, and specks."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    label_map = np.full((height, width), ids[0], np.uint8)
    for _ in range(12):
        row, column, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, 10)
        label_map[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = rng.choice(ids)
    label_map[rng.random((height, width)) < 0.05] = ids[1]
    return label_map


def reference(label_map, cell):
    """The definition, pixel by pixel."""
    height, width = label_map.shape
    stairs = label_map.copy()
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            square = np.s_[top : top + cell, left : left + cell]
            ids, counts = np.unique(label_map[square], return_counts=True)
            stairs[square] = ids[counts == counts.max()].min()
    half = cell * 3 // 4  # a window of about one and a half cells
    around = np.arange(-half, half + 1)
    smoothed = stairs.copy()
    ids = np.unique(stairs)
    weights = [(stairs == value).astype(int) for value in ids]
    for _ in range(2):
        weights = [
            np.array(
                [
                    [
                        weight[
                            np.clip(row + around, 0, height - 1)[:, None],
                            np.clip(column + around, 0, width - 1),
                        ].sum()
                        for column in range(width)
                    ]
                    for row in range(height)
                ]
            )
            for weight in weights
        ]
    for row in range(height):
        for column in range(width):
            here = [weight[row, column] for weight in weights]
            smoothed[row, column] = ids[here.index(max(here))]
    return smoothed


@pytest.mark.parametrize(("height", "width", "cell"), [(24, 32, 4), (21, 27, 4), (26, 19, 8)])
def test_coarse_maps_agree_with_the_definition(height, width, cell):
    label_map = blotches(height, width)
    coarse = coarse_label_map(label_map, cell)
    assert coarse.dtype == np.uint8
    assert np.array_equal(coarse, reference(label_map, cell))
    assert not np.array_equal(coarse, label_map)


def test_of_two_labels_with_the_same_weight_around_a_pixel_the_lower_is_taken():
    cells = np.array([[3, 1, 2], [0, 3, 0], [1, 2, 0]], np.uint8)
    label_map = cells.repeat(4, axis=0).repeat(4, axis=1)
    coarse = coarse_label_map(label_map, 4)
    assert np.array_equal(coarse, reference(label_map, 4))
    assert coarse[6, 4] == coarse[8, 4] == 0  # 3 and 1 weigh as much


def test_a_cell_becomes_its_most_frequent_label_by_hand():
    label_map = np.full((8, 8), 5, np.uint8)
    label_map[:, 4:] = 2
    label_map[1, 1] = label_map[6, 3] = 9  # specks go
    assert coarse_label_map(label_map, 4).tolist() == [[5] * 4 + [2] * 4] * 8
    label_map[:] = 255
    label_map[:2, :] = 4  # half of the upper cells: of two that are as frequent, the lowest
    assert coarse_label_map(label_map[:4], 4).tolist() == [[4] * 8] * 4


def test_straight_borders_between_cells_stay_where_they_are_and_corners_become_round():
    label_map = np.zeros((96, 96), np.uint8)
    label_map[:, 48:] = 1
    for cell in CELLS:
        assert np.array_equal(coarse_label_map(label_map, cell), label_map)
    label_map[:48] = 0  # now a quarter of the map, with one corner
    for cell in CELLS:
        coarse = coarse_label_map(label_map, cell)
        changed = coarse != label_map
        assert changed[48, 48]
        assert coarse.sum() < label_map.sum()
        rows, columns = np.nonzero(changed)
        assert np.hypot(rows - 48, columns - 48).max() < 2 * cell


def test_the_stairs_of_a_slope_become_smooth():
    rows, columns = np.mgrid[:128, :128]
    slope = (rows > columns).astype(np.uint8)
    coarse = coarse_label_map(slope, 16)
    # the border runs beside the diagonal; stairs alone would be 0 to 15 pixels from it
    distance = (coarse.argmax(axis=0) - np.arange(128))[32:96]
    assert np.ptp(distance) <= 2


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("seed", range(4))
def test_no_label_invents_itself_and_dont_care_is_a_label_like_others(cell, seed):
    label_map = blotches(70, 50, seed=seed)
    coarse = coarse_label_map(label_map, cell)
    assert coarse.shape == label_map.shape
    assert set(np.unique(coarse)) <= set(np.unique(label_map))
    # nothing but the order of the ids counts
    renamed = coarse_label_map(np.where(label_map == 255, 8, label_map).astype(np.uint8), cell)
    assert np.array_equal(np.where(coarse == 255, 8, coarse), renamed)
    assert np.array_equal(coarse_label_map(label_map.T, cell), coarse.T)


def test_larger_cells_leave_less():
    label_map = blotches(96, 96, seed=2)

    def border_length(ids):
        return (ids[:, 1:] != ids[:, :-1]).sum() + (ids[1:] != ids[:-1]).sum()

    lengths = [border_length(coarse_label_map(label_map, cell)) for cell in CELLS]
    assert border_length(label_map) > lengths[0] > lengths[1] > lengths[2] > 0


def test_a_uniform_map_stays():
    label_map = np.full((20, 30), 255, np.uint8)
    assert np.array_equal(coarse_label_map(label_map, 16), label_map)


@pytest.fixture
def scene(landscape):
    made = synthetic_scene(1, label_set=landscape, instances=True)
    return dataclasses.replace(made, positions=intra_class_positions(made.label_map))


def test_photo_and_instances_stay_and_positions_become_those_of_the_coarse_map(scene):
    before = scene.label_map.copy()
    coarse = coarse_labels(scene, np.random.default_rng(0))
    assert coarse.photo is scene.photo
    assert coarse.instance_map is scene.instance_map
    assert np.array_equal(scene.label_map, before)
    assert not np.array_equal(coarse.label_map, before)
    assert np.array_equal(coarse.positions, intra_class_positions(coarse.label_map))
    assert not np.array_equal(coarse.positions, scene.positions)


def test_compatible_positions_stay_compatible(scene):
    with_zero = dataclasses.replace(scene, label_map=np.where(scene.label_map == 1, 0, 5))
    with_zero = dataclasses.replace(with_zero, label_map=with_zero.label_map.astype(np.uint8))
    coarse = coarse_labels(with_zero, np.random.default_rng(0), icpe_compatible=True)
    assert not coarse.positions[coarse.label_map == 0].any()
    assert coarse.positions[coarse.label_map == 5].any()


def test_every_cell_size_is_drawn_and_the_seed_says_which(scene):
    def drawn(seed):
        return coarse_labels(scene, np.random.default_rng(seed)).label_map.tobytes()

    possible = {coarse_label_map(scene.label_map, cell).tobytes() for cell in CELLS}
    assert len(possible) == 3
    assert {drawn(seed) for seed in range(20)} == possible
    assert drawn(3) == drawn(3)


@pytest.mark.parametrize("dropped", [0.0, 0.5])
def test_views_are_the_same_but_for_the_coarse_map(scene, dropped):
    """Older runs go on with the views they had; switching it on moves no other draw."""
    coarse = 0
    for seed in range(12):
        off, half, always = (
            random_view(
                scene,
                np.random.default_rng(seed),
                DataConfig(
                    crop_size=32,
                    load_size=64,
                    load_size_min=40,
                    drop_label_probability=dropped,
                    coarse_label_probability=probability,
                ),
                multiple=32,
            )
            for probability in (0.0, 0.5, 1.0)
        )
        for view in (half, always):
            assert np.array_equal(view.photo, off.photo)
            assert np.array_equal(view.instance_map, off.instance_map)
        cells = [coarse_label_map(off.label_map, cell).tobytes() for cell in CELLS]
        assert always.label_map.tobytes() in cells
        assert half.label_map.tobytes() in (off.label_map.tobytes(), always.label_map.tobytes())
        coarse += half.label_map.tobytes() == always.label_map.tobytes()
    assert 0 < coarse < 12


def test_without_coarse_maps_nothing_more_is_drawn(scene):
    rng = np.random.default_rng(4)
    random_view(scene, rng, DataConfig(crop_size=32, load_size=40), multiple=32)
    expected = np.random.default_rng(4)
    expected.integers(0, 40 - 32 + 1)
    expected.integers(0, 60 - 32 + 1)
    expected.random()
    expected.random()
    assert rng.random() == expected.random()
