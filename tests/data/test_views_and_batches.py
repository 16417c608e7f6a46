"""Samples and batches in every load mode, and the default mode's bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data.batches import BatchSource, SceneCache
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.data.transforms import middle_view, to_load_size
from spade_paddle.data_config import LOAD_MODES
from tests.data.scenes import MULTIPLE, colored_scene, numbered_scene
from tests.synthetic import synthetic_scene, write_synthetic_dataset

MIDDLES = [
    # load mode -> size of the sample of a 120 x 200 photo; load size 100, crop 32 x 64
    ("resize_and_crop", (96, 96)),
    ("scale_width", (64, 96)),
    ("scale_width_and_crop", (32, 96)),
    ("scale_shortside", (96, 160)),
    ("scale_shortside_and_crop", (96, 192)),
    ("crop", (32, 64)),
    ("fixed", (32, 64)),
    ("none", (128, 192)),
]


@pytest.mark.parametrize(("mode", "size"), MIDDLES)
def test_samples_are_the_same_each_time_and_fit_the_networks(mode, size):
    options = DataConfig(load_mode=mode, load_size=100, crop_size=64, aspect_ratio=2.0)
    scene = to_load_size(colored_scene(120, 200), options, multiple=MULTIPLE)
    view = middle_view(scene, options, multiple=MULTIPLE)
    assert view.label_map.shape == view.photo.shape[:2] == size
    assert np.array_equal(view.instance_map // 200, view.label_map)
    again = middle_view(scene, options, multiple=MULTIPLE)
    assert np.array_equal(view.photo, again.photo)
    # the middle of the photo is in the middle of the sample
    assert view.label_map[size[0] // 2, size[1] // 2] == 12
    runs = np.diff(view.instance_map % 200, axis=1)
    assert (runs >= 0).all()


def test_a_sample_of_photos_as_they_are_keeps_their_scale():
    scene = numbered_scene(120, 200)
    view = middle_view(scene, DataConfig(load_mode="crop", crop_size=64), multiple=MULTIPLE)
    assert np.array_equal(view.instance_map, scene.instance_map[28:92, 68:132])


def source_of(folder, label_set, options, **more):
    scenes = SceneCache(
        find_pairs(folder, "train"), label_set=label_set, options=options, multiple=MULTIPLE
    )
    return BatchSource(scenes, options=options, seed=3, multiple=MULTIPLE, **more)


@pytest.mark.parametrize("mode", LOAD_MODES)
def test_batches_of_every_mode_depend_on_seed_and_position_only(tmp_path, landscape, mode):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=3, height=70, width=100)
    options = DataConfig(load_mode=mode, load_size=64, crop_size=32)
    straight = source_of(tmp_path, landscape, options, noise_strides=(2, 1))
    batches = [straight.at(position, 2) for position in range(0, 8, 2)]
    resumed = source_of(tmp_path, landscape, options, noise_strides=(2, 1)).at(6, 2)
    for name in ("photo", "label_map"):
        assert np.array_equal(getattr(batches[-1], name), getattr(resumed, name))
    for last, again in zip(batches[-1].noise, resumed.noise):
        assert np.array_equal(last, again)
    for batch in batches:
        height, width = batch.label_map.shape[1:]
        shapes = [maps.shape for maps in batch.noise]
        assert shapes == [(2, 1, height // 2, width // 2), (2, 1, height, width)]
        assert batch.photo.shape == (2, 3, *batch.label_map.shape[1:])
    assert not np.array_equal(batches[0].photo, batches[-1].photo)


def test_pictures_of_different_sizes_come_one_by_one_each_with_noise_of_its_size(landscape):
    options = DataConfig(load_mode="none", crop_size=32)
    scenes = [numbered_scene(32, 96), numbered_scene(64, 64)]
    batches = BatchSource(scenes, options=options, seed=0, multiple=32, noise_strides=(1,))
    shapes = [batches.at(k, 1).noise[0].shape for k in range(2)]
    assert sorted(shapes) == [(1, 1, 32, 96), (1, 1, 64, 64)]


@pytest.mark.parametrize("smallest", [None, 34])
def test_batches_of_the_default_mode_are_those_of_the_plain_computation(
    tmp_path, landscape, smallest
):
    """Bit for bit what was trained on before there were other modes."""
    write_synthetic_dataset(
        tmp_path, label_set=landscape, train=4, height=90, width=70, instances=True
    )
    options = DataConfig(
        load_size=48,
        load_size_min=smallest,
        crop_size=64,
        aspect_ratio=2.0,
        drop_label_probability=0.5,
    )
    pairs = find_pairs(tmp_path, "train")
    scenes = SceneCache(pairs, label_set=landscape, options=options, multiple=32, positions=True)
    batch = BatchSource(scenes, options=options, seed=5, multiple=32).at(4, 4)
    order = np.random.default_rng([5, 0, 1]).permutation(4)
    seen = set()
    for index in range(4):
        scene = synthetic_scene(
            int(order[index]), label_set=landscape, height=90, width=70, instances=True
        )
        rng = np.random.default_rng([5, 1, 4 + index])
        photo, labels, instances, positions, what = plain_view(scene, rng, smallest=smallest)
        seen.add(what)
        expected = photo.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
        assert np.array_equal(batch.photo[index], expected)
        assert np.array_equal(batch.label_map[index], labels)
        assert np.array_equal(batch.instance_map[index], instances)
        assert np.array_equal(batch.positions[index], positions.transpose(2, 0, 1))
    assert len(seen) > 1


def plain_view(scene, rng, *, smallest):
    """Load size 48 (or drawn), crop 32 x 64, of a photo of 90 x 70."""

    def nearest(values, height, width):
        rows = ((np.arange(height) + 0.5) * values.shape[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * values.shape[1] / width).astype(int)
        return values[rows][:, columns]

    load_size = 48 if smallest is None else int(rng.integers(smallest, 49))
    # the crop is 64 wide: the short side, 48 or less, grows to that
    assert load_size < 64
    maps = [scene.label_map, scene.instance_map, intra_class_positions(scene.label_map)]
    maps = [nearest(nearest(values, 62, 48), 83, 64) for values in maps]
    photo = cv2.resize(scene.photo, (48, 62), interpolation=cv2.INTER_AREA)
    photo = cv2.resize(photo, (64, 83), interpolation=cv2.INTER_CUBIC)
    top, left = int(rng.integers(0, 83 - 32 + 1)), int(rng.integers(0, 1))
    assert left == 0
    photo, labels, instances, positions = (a[top : top + 32] for a in (photo, *maps))
    mirrored = rng.random() < 0.5
    if mirrored:
        photo, labels, instances, positions = (
            a[:, ::-1] for a in (photo, labels, instances, positions)
        )
        positions = positions * np.array([1, -1], np.float32)
    dropped = rng.random() < 0.5
    if dropped:
        labels = np.where(labels == rng.choice(np.unique(labels)), 255, labels)
    return photo, labels, instances, positions, (mirrored, dropped)


def test_shifts_for_the_perceptual_loss_depend_on_seed_and_position_only(tmp_path, landscape):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=3, height=70, width=100)
    options = DataConfig(load_size=64, crop_size=32)
    source = source_of(tmp_path, landscape, options, shift=3)
    shifts = np.stack([source.at(position, 1).shift[0] for position in range(200)])
    assert shifts.shape == (200, 2)
    assert (shifts.min(axis=0) == 0).all()
    assert (shifts.max(axis=0) == 3).all()
    again = source_of(tmp_path, landscape, options, shift=3).at(150, 4).shift
    assert np.array_equal(again, shifts[150:154])
    assert source_of(tmp_path, landscape, options).at(0, 1).shift is None
