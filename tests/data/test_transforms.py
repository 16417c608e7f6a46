from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.transforms import (
    center_crop,
    crop,
    drop_label,
    mirror,
    random_view,
    resize,
    resize_nearest,
    resize_photo,
    whole_picture,
)
from tests.synthetic import synthetic_scene


@pytest.fixture
def scene(landscape):
    return synthetic_scene(1, label_set=landscape, instances=True)


def test_nearest_neighbor_by_hand():
    ids = np.array([[1, 2], [3, 200]], np.uint8)
    doubled = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 200, 200], [3, 3, 200, 200]]
    assert resize_nearest(ids, 4, 4).tolist() == doubled
    # halving takes the pixel at the center of each 2x2 block, (0.5 + i) * 2 rounded down
    assert resize_nearest(np.arange(16).reshape(4, 4), 2, 2).tolist() == [[5, 7], [13, 15]]


@pytest.mark.parametrize("size", [(17, 23), (64, 96), (150, 99), (1, 1)])
def test_resizing_never_invents_an_id(scene, size):
    resized = resize(scene, *size)
    assert resized.photo.shape == (*size, 3)
    assert set(np.unique(resized.label_map)) <= set(np.unique(scene.label_map))
    assert set(np.unique(resized.instance_map)) <= set(np.unique(scene.instance_map))


def test_photos_that_shrink_one_way_and_grow_the_other_lose_no_detail_to_aliasing():
    # stripes one pixel wide are gray when many of them share a pixel; sampled they would be black
    # or white
    photo = np.zeros((8, 128, 3), np.uint8)
    photo[:, ::2] = 254
    resized = resize_photo(photo, 32, 16)
    assert resized.shape == (32, 16, 3)
    assert np.unique(resized).tolist() == [127]
    assert np.unique(resize_photo(photo, 8, 16)).tolist() == [127]


def test_mirror_twice_is_the_same_scene_and_keeps_photo_and_maps_together(scene):
    once = mirror(scene)
    assert np.array_equal(once.photo[:, 0], scene.photo[:, -1])
    assert np.array_equal(once.label_map[:, 0], scene.label_map[:, -1])
    assert np.array_equal(once.instance_map[:, 0], scene.instance_map[:, -1])
    assert np.array_equal(mirror(once).photo, scene.photo)


def test_crop_cuts_photo_and_maps_at_the_same_place(scene):
    part = crop(scene, 10, 20, 30, 40)
    assert np.array_equal(part.photo, scene.photo[10:40, 20:60])
    assert np.array_equal(part.label_map, scene.label_map[10:40, 20:60])
    middle = center_crop(scene, 64, 64)
    assert np.array_equal(middle.label_map, scene.label_map[:, 16:80])


def test_dropped_label_becomes_dont_care_everywhere_and_nothing_else_changes(scene):
    dropped = drop_label(scene, np.random.default_rng(0))
    gone = dropped.label_map == 255
    assert gone.any()
    assert len(np.unique(scene.label_map[gone])) == 1
    assert np.array_equal(dropped.label_map[~gone], scene.label_map[~gone])
    assert 255 not in scene.label_map  # the original is left alone


def test_random_views_are_crops_of_the_asked_size_and_differ(scene):
    views = [
        random_view(
            scene,
            np.random.default_rng(seed),
            DataConfig(crop_size=32, load_size=60, load_size_min=40),
            multiple=32,
        )
        for seed in range(6)
    ]
    assert all(view.label_map.shape == (32, 32) for view in views)
    assert len({view.photo.tobytes() for view in views}) == 6


@pytest.mark.parametrize(("aspect", "shape"), [(2.0, (32, 64)), (0.5, (128, 64)), (4.0, (16, 64))])
def test_random_views_have_the_asked_aspect_ratio_whatever_the_photos_have(scene, aspect, shape):
    options = DataConfig(crop_size=64, aspect_ratio=aspect, load_size=64)
    for seed in range(3):
        view = random_view(scene, np.random.default_rng(seed), options, multiple=32)
        assert view.label_map.shape == view.photo.shape[:2] == shape


def test_a_whole_picture_is_the_middle_at_the_scale_at_which_it_fits(scene):
    # the scene is 64 x 96
    half = resize(scene, 32, 48)
    assert np.array_equal(whole_picture(scene, 32, 32).photo, half.photo[:, 8:40])
    long = resize(scene, 64, 96)
    assert np.array_equal(whole_picture(scene, 32, 96).photo, long.photo[16:48])
