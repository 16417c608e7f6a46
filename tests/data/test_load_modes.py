"""What every load mode does to a photo and its maps."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.transforms import random_view, to_load_size
from spade_paddle.data_config import LOAD_MODES
from tests.data.scenes import IDS_OF_BLOCKS, MULTIPLE, color_of, colored_scene, numbered_scene
from tests.synthetic import synthetic_scene

SCALED = tuple(mode for mode in LOAD_MODES if mode.startswith(("resize", "scale")))


def view_of(scene, options, *, seed=0):
    loaded = to_load_size(scene, options, multiple=MULTIPLE)
    return random_view(loaded, np.random.default_rng(seed), options, multiple=MULTIPLE)


SIZES = [
    # (load mode, height x width of the photo) -> loaded, view; load size 96, crop 32 x 64
    ("resize_and_crop", (120, 200), (96, 96), (32, 64)),
    ("scale_width", (120, 200), (64, 96), (64, 96)),  # 57.6 rows are nearest to 64
    ("scale_width", (200, 120), (160, 96), (160, 96)),
    ("scale_width_and_crop", (120, 200), (58, 96), (32, 64)),
    ("scale_shortside", (120, 200), (96, 160), (96, 160)),
    ("scale_shortside", (200, 120), (160, 96), (160, 96)),
    ("scale_shortside", (40, 130), (96, 320), (96, 320)),  # 312 columns are nearest to 320
    ("scale_shortside_and_crop", (120, 200), (96, 160), (32, 64)),
    ("scale_shortside_and_crop", (200, 120), (160, 96), (32, 64)),
    ("crop", (120, 200), (120, 200), (32, 64)),
    ("scale_width_and_crop", (30, 200), (32, 214), (32, 64)),  # 14 rows are too few
    ("crop", (20, 40), (32, 64), (32, 64)),
    ("fixed", (120, 200), (32, 64), (32, 64)),
    ("none", (120, 200), (128, 192), (128, 192)),
    ("none", (15, 40), (32, 32), (32, 32)),
]


@pytest.mark.parametrize(("mode", "photo", "loaded", "view"), SIZES)
def test_sizes_by_hand(mode, photo, loaded, view):
    options = DataConfig(load_mode=mode, load_size=96, crop_size=64, aspect_ratio=2.0)
    scene = to_load_size(numbered_scene(*photo), options, multiple=MULTIPLE)
    assert scene.label_map.shape == loaded
    for seed in range(3):
        picture = view_of(numbered_scene(*photo), options, seed=seed)
        assert picture.photo.shape == (*view, 3)
        assert picture.label_map.shape == picture.instance_map.shape == view


ALL, HALF, SQUARED = np.s_[:], np.s_[1::2, 1::2], np.s_[1::2, 2::4]
IDS = [
    # mode, load size -> the pixels of the 64 x 128 photo that are taken: those in the centers
    ("resize_and_crop", 32, SQUARED),
    ("scale_width", 64, HALF),
    ("scale_width_and_crop", 64, HALF),
    ("scale_shortside", 32, HALF),
    ("scale_shortside_and_crop", 32, HALF),
    ("crop", 286, ALL),
    ("fixed", 286, SQUARED),
    ("none", 286, ALL),
]


def test_ids_are_listed_for_every_mode():
    assert {mode for mode, *_ in IDS} == set(LOAD_MODES) == {mode for mode, *_ in SIZES}


@pytest.mark.parametrize(("mode", "load_size", "taken"), IDS)
def test_ids_by_hand(mode, load_size, taken):
    options = DataConfig(load_mode=mode, load_size=load_size, crop_size=32, flip=False)
    scene = numbered_scene(64, 128)
    expected = scene.instance_map[taken]
    corners = set()
    for seed in range(8):
        view = view_of(scene, options, seed=seed)
        if options.crops:
            top, left = (int(place[0]) for place in np.nonzero(expected == view.instance_map[0, 0]))
            corners.add((top, left))
            part = np.s_[top : top + 32, left : left + 32]
        else:
            part = ALL
        assert np.array_equal(view.instance_map, expected[part])
        assert np.array_equal(view.label_map, scene.label_map[taken][part])
    assert len(corners) > 1 or expected.shape == (32, 32) or not options.crops


def test_a_photo_that_is_too_small_for_a_crop_is_enlarged_as_little_as_it_needs():
    scene = numbered_scene(16, 40)
    view = view_of(scene, DataConfig(load_mode="crop", crop_size=32, flip=False))
    left = int(view.instance_map[0, 0])
    doubled = scene.instance_map.repeat(2, axis=0).repeat(2, axis=1)
    starts = [2 * left, 2 * left + 1]
    assert any(np.array_equal(view.instance_map, doubled[:, s : s + 32]) for s in starts)
    # load size 64 makes 32 x 64 of 40 x 80, in which 64 x 64 does not fit; 64 x 128 does, made of
    # the photo itself
    options = DataConfig(load_mode="scale_width_and_crop", load_size=64, crop_size=64, flip=False)
    rows = view_of(numbered_scene(40, 80), options).instance_map[:, 0] // 80
    assert rows.tolist() == [int((row + 0.5) * 40 / 64) for row in range(64)]


@pytest.mark.parametrize("mode", SCALED)
def test_the_load_size_is_drawn_between_its_least_and_its_greatest(mode):
    options = DataConfig(load_mode=mode, load_size=160, load_size_min=64, crop_size=64, flip=False)
    scene = numbered_scene(320, 640)
    scales = []
    for seed in range(40):
        view = view_of(scene, options, seed=seed)
        height, width = view.label_map.shape
        if options.crops:
            assert (height, width) == (64, 64)
        else:
            assert height % 32 == width % 32 == 0
        columns = view.instance_map[0] % 640
        scales.append((width - 1) / (columns[-1] - columns[0]))
    side = 320 if "shortside" in mode else 640  # that becomes the load size
    least, greatest = min(scales) * side, max(scales) * side
    slack = 2 if options.crops else 32  # without a crop: multiples of 32 of the longer side
    fits = 128 if mode == "scale_width_and_crop" else 64  # 64 rows of 320: width 128
    assert abs(least - fits) < 8 + slack
    assert abs(greatest - 160) < 8 + slack


def away_from_borders(labels, distance):
    """Where all pixels around have the same label."""
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    return cv2.dilate(labels, kernel) == cv2.erode(labels, kernel)


def test_least_and_greatest_load_size_are_both_drawn():
    # a width of 80 is nearest to 64, one of 81 to 96
    options = DataConfig(load_mode="scale_width", load_size=81, load_size_min=80)
    views = [view_of(numbered_scene(81, 81), options, seed=seed) for seed in range(12)]
    assert {view.label_map.shape for view in views} == {(64, 64), (96, 96)}


def test_photos_are_not_brought_to_multiples_before_their_load_size_is_drawn():
    options = DataConfig(load_mode="scale_width", load_size=100, load_size_min=64)
    scene = to_load_size(numbered_scene(120, 200), options, multiple=MULTIPLE)
    assert scene.label_map.shape == (60, 100)


@pytest.mark.parametrize("size", [(100, 150), (150, 100), (64, 64), (301, 97), (66, 300)])
@pytest.mark.parametrize(
    ("mode", "smallest"), [*((mode, None) for mode in LOAD_MODES), *((mode, 64) for mode in SCALED)]
)
def test_photo_and_maps_stay_together_and_ids_come_from_the_source(mode, size, smallest):
    options = DataConfig(load_mode=mode, load_size=96, load_size_min=smallest, crop_size=64)
    scene = colored_scene(*size)
    mirrored = []
    for seed in range(6):
        view = view_of(scene, options, seed=seed)
        labels = view.label_map
        assert labels.dtype == np.uint8
        assert set(np.unique(labels)) <= set(IDS_OF_BLOCKS.ravel())
        # the maps agree in every pixel
        assert np.array_equal(view.instance_map // 200, labels)
        assert np.array_equal(view.positions[..., 0], labels.astype(np.float32) / 256)
        column = view.instance_map % 200
        sign = np.sign(view.positions[0, 0, 1])
        assert np.array_equal(view.positions[..., 1], sign * (column + 1).astype(np.float32) / 4)
        # a mirrored picture runs from right to left, and its offsets have the other sign
        runs = np.diff(column, axis=1)
        assert (runs >= 0).all() if sign > 0 else (runs <= 0).all()
        mirrored.append(sign < 0)
        # the photo agrees wherever no other label is near enough to mix with it
        inside = away_from_borders(labels, 6)
        assert inside.mean() > 0.1
        assert np.abs(view.photo[inside].astype(int) - color_of(labels[inside])).max() <= 1
    assert 0 < sum(mirrored) < 6


@pytest.mark.parametrize("mode", LOAD_MODES)
def test_compatible_positions_are_turned_upside_down_with_a_mirrored_picture(mode):
    options = DataConfig(load_mode=mode, load_size=64, crop_size=64, icpe_compatible=True)
    plain = dataclasses.replace(options, flip=False)
    scene = colored_scene(64, 64)
    seed = next(
        seed
        for seed in range(9)
        if not np.array_equal(
            view_of(scene, options, seed=seed).photo, view_of(scene, plain, seed=seed).photo
        )
    )
    mirrored, straight = (view_of(scene, o, seed=seed) for o in (options, plain))
    assert np.array_equal(mirrored.label_map, straight.label_map[:, ::-1])
    assert np.array_equal(mirrored.instance_map, straight.instance_map[:, ::-1])
    assert np.array_equal(mirrored.positions, straight.positions[::-1])


@pytest.mark.parametrize("mode", LOAD_MODES)
def test_a_dropped_label_is_gone_from_the_label_map_alone(landscape, mode):
    options = DataConfig(load_mode=mode, load_size=64, crop_size=64, drop_label_probability=1.0)
    scene = synthetic_scene(0, label_set=landscape, height=70, width=90, instances=True)
    kept = dataclasses.replace(options, drop_label_probability=0.0)
    for seed in range(4):
        view, whole = (view_of(scene, o, seed=seed) for o in (options, kept))
        gone = view.label_map == 255
        assert len(np.unique(whole.label_map[gone])) == 1
        assert np.array_equal(view.label_map[~gone], whole.label_map[~gone])
        assert np.array_equal(view.photo, whole.photo)
        assert np.array_equal(view.instance_map, whole.instance_map)
