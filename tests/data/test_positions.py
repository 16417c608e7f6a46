from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.batches import SceneCache, stack
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.positions import intra_class_positions, mirrored_positions
from spade_paddle.data.transforms import crop, mirror, resize
from tests import reference
from tests.synthetic import synthetic_scene, write_synthetic_dataset


def test_positions_of_a_row_of_three_and_a_column_of_two_by_hand():
    # class 5: columns 0, 1, 2 around 1 -> -1, 0, 1; one row -> 0
    # class 0: rows 0, 1 around 0.5 -> -0.5, 0.5 over 0.50001; one column -> 0
    label_map = np.array([[5, 5, 5, 0], [7, 7, 7, 0]], np.uint8)
    positions = intra_class_positions(label_map)
    third = 1 / 1.00001
    assert positions.dtype == np.float32
    assert np.allclose(positions[0, :3, 1], [-third, 0, third], atol=1e-7)
    assert np.allclose(positions[:, 3, 0], [-0.5 / 0.50001, 0.5 / 0.50001], atol=1e-7)
    assert np.abs(positions[:, :3, 0]).max() < 1e-6
    assert np.abs(positions[:, 3, 1]).max() < 1e-6


def test_regions_that_touch_at_a_corner_are_one_and_others_of_the_class_are_not():
    diagonal = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], np.uint8)
    positions = intra_class_positions(diagonal)
    assert positions[0, 0, 0] < -0.9  # the two at the corner have their middle between them
    assert positions[1, 1, 0] > 0.9
    assert positions[3, 2].tolist() == [0, 0]  # alone


@pytest.mark.parametrize("compatible", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_positions_agree_with_the_definition(landscape, seed, compatible):
    label_map = synthetic_scene(seed, label_set=landscape, height=24, width=30).label_map.copy()
    label_map[3:6, 2:9] = 255
    label_map[12:15] = 0
    expected = reference.intra_class_positions(label_map, skip_zero=compatible)
    got = intra_class_positions(label_map, compatible=compatible)
    assert np.allclose(got, expected, atol=1e-6)


def test_class_zero_has_an_encoding_unless_compatible_with_the_public_code():
    label_map = np.zeros((4, 6), np.uint8)
    assert np.abs(intra_class_positions(label_map)).max() > 0.9
    assert not intra_class_positions(label_map, compatible=True).any()


def test_positions_stay_within_minus_one_and_one_with_their_middle_at_zero(landscape):
    label_map = synthetic_scene(4, label_set=landscape).label_map
    positions = intra_class_positions(label_map)
    assert np.abs(positions).max() <= 1
    for value in np.unique(label_map):
        assert np.abs(positions[label_map == value].sum(axis=0)).max() < 1e-2


def test_mirroring_is_the_same_as_encoding_the_mirrored_map(landscape):
    label_map = synthetic_scene(2, label_set=landscape).label_map
    mirrored = mirrored_positions(intra_class_positions(label_map))
    right = intra_class_positions(np.ascontiguousarray(label_map[:, ::-1]))
    assert np.allclose(mirrored, right, atol=1e-6)
    # the known mistakes are something else: no change of sign, and upside down
    assert not np.allclose(intra_class_positions(label_map)[:, ::-1], right, atol=1e-2)
    compatible = mirrored_positions(intra_class_positions(label_map), compatible=True)
    assert np.array_equal(compatible, intra_class_positions(label_map)[::-1])
    assert not np.allclose(compatible, right, atol=1e-2)


def test_positions_are_cropped_resized_and_mirrored_with_the_label_map(landscape):
    scene = synthetic_scene(3, label_set=landscape, height=32, width=48)
    scene = dataclasses.replace(scene, positions=intra_class_positions(scene.label_map))
    part = crop(scene, 4, 6, 20, 24)
    assert np.array_equal(part.positions, scene.positions[4:24, 6:30])
    doubled = resize(scene, 64, 96)
    assert np.array_equal(doubled.positions[::2, ::2], scene.positions)
    assert np.array_equal(mirror(scene).positions[:, :, 1], -scene.positions[:, ::-1, 1])
    upside_down = mirror(scene, icpe_compatible=True)
    assert np.array_equal(upside_down.positions, scene.positions[::-1])
    assert np.array_equal(upside_down.label_map, scene.label_map[:, ::-1])


def test_scenes_get_their_positions_at_full_size_and_batches_have_them_in_front(
    landscape, tmp_path
):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=1)
    pairs = find_pairs(tmp_path, "train")

    def cache(load_size, *, positions=False):
        return SceneCache(
            pairs,
            label_set=landscape,
            options=DataConfig(load_size=load_size),
            multiple=32,
            positions=positions,
        )

    assert cache(32)[0].positions is None
    assert stack([cache(32)[0]]).positions is None
    scene, full = cache(32, positions=True)[0], cache(64)[0]
    rows = ((np.arange(32) + 0.5) * 2).astype(int)
    columns = ((np.arange(48) + 0.5) * 2).astype(int)
    expected = intra_class_positions(full.label_map)[rows][:, columns]
    assert np.array_equal(scene.positions, expected)
    assert np.array_equal(stack([scene]).positions[0], expected.transpose(2, 0, 1))
