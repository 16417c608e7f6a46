"""Scenes kept in memory: faster, never different, never more than allowed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spade_paddle.config import DataConfig
from spade_paddle.data import batches
from spade_paddle.data.batches import BatchSource, SceneCache
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data_config import LOAD_MODES
from tests.synthetic import write_synthetic_dataset

OPTIONS = DataConfig(load_size=64, load_size_min=40, crop_size=32, drop_label_probability=0.5)
# a scene at load size 64 is 64 x 96 pixels: photo 3 bytes, label 1, instance 4, positions 2 * 4
PIXELS = 64 * 96


@pytest.fixture(scope="module")
def pairs(tmp_path_factory, landscape):
    folder = tmp_path_factory.mktemp("data")
    write_synthetic_dataset(folder, label_set=landscape, train=5, instances=True)
    return find_pairs(folder, "train")


@pytest.fixture
def reads(monkeypatch):
    """The stems that are read from the disk, in order."""
    seen = []
    read_scene = batches.read_scene

    def counted(pair, label_set):
        seen.append(pair.stem)
        return read_scene(pair, label_set)

    monkeypatch.setattr(batches, "read_scene", counted)
    return seen


def cache(pairs, landscape, size_bytes, *, options=OPTIONS, positions=True):
    options = dataclasses.replace(options, cache_gib=size_bytes / 2**30)
    return SceneCache(pairs, label_set=landscape, options=options, multiple=32, positions=positions)


@pytest.mark.parametrize("mode", LOAD_MODES)
def test_batches_are_the_same_bits_with_no_some_and_enough_memory(pairs, landscape, mode):
    scaled = mode.startswith(("resize", "scale"))
    options = dataclasses.replace(OPTIONS, load_mode=mode, load_size_min=40 if scaled else None)
    expected = None
    for size in (0, 40 * PIXELS, 2**31):
        scenes = cache(pairs, landscape, size, options=options)
        source = BatchSource(scenes, options=options, seed=2, multiple=32, noise_strides=(1,))
        found = [vars(source.at(position, 1)) for position in range(12)]  # two epochs and more
        expected = expected or found
        for batch, other in zip(found, expected):
            for name, values in batch.items():
                assert np.array_equal(values, other[name]), name
    assert expected[0]["positions"] is not None
    assert expected[0]["instance_map"] is not None


@pytest.mark.parametrize(
    ("size", "again"),
    [
        (0, 5),  # nothing is kept
        (16 * PIXELS - 1, 5),
        (16 * PIXELS, 4),  # one scene, its positions and instances counted in
        (40 * PIXELS, 3),  # two and a half scenes: two
        (80 * PIXELS, 0),
        (2**31, 0),
        (float("inf"), 0),
    ],
)
def test_as_many_scenes_are_kept_as_fit_and_the_others_read_again(
    pairs, landscape, reads, size, again
):
    scenes = cache(pairs, landscape, size)
    first = [scenes[index] for index in range(5)]
    assert len(reads) == 5
    second = [scenes[index] for index in range(5)]
    assert len(reads) == 5 + again
    for one, other in zip(first, second):
        for name, values in vars(one).items():
            assert np.array_equal(values, vars(other)[name]), name


def test_scenes_without_positions_take_less(pairs, landscape, reads):
    scenes = cache(pairs, landscape, 40 * PIXELS, positions=False)
    for index in (0, 1, 2, 3, 4, 0, 1, 2, 3, 4):
        assert scenes[index].positions is None
    assert len(reads) == 5


def test_two_gib_are_kept_unless_said_otherwise(pairs, landscape, reads):
    assert DataConfig().cache_gib == 2.0
    scenes = SceneCache(pairs, label_set=landscape, options=DataConfig(), multiple=32)
    assert scenes[1] is scenes[1]
    assert len(reads) == 1


@pytest.mark.parametrize("mode", ["scale_shortside", "none"])
def test_views_leave_what_is_kept_alone(pairs, landscape, mode):
    # in these modes a view is the kept scene itself where it is not mirrored
    options = DataConfig(load_mode=mode, load_size=64, crop_size=32, drop_label_probability=1.0)
    kept, fresh = (cache(pairs, landscape, s, options=options) for s in (2**31, 0))
    BatchSource(kept, options=options, seed=0, multiple=32).at(0, 10)
    for index in range(5):
        for name, values in vars(fresh[index]).items():
            assert np.array_equal(vars(kept[index])[name], values), name
