from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.config import DataConfig
from spade_paddle.data.batches import BatchSource, SceneCache, stack
from spade_paddle.data.dataset import find_pairs, read_photo, read_scene
from spade_paddle.data.label_pictures import read_label_map
from spade_paddle.errors import DataError, LabelMapError, UserError
from tests.synthetic import synthetic_scene, write_synthetic_dataset


@pytest.fixture
def dataset(tmp_path, landscape):
    return write_synthetic_dataset(tmp_path / "data", label_set=landscape, instances=True)


def test_written_scenes_read_back_exactly(dataset, landscape):
    pairs = find_pairs(dataset, "train")
    assert [pair.stem for pair in pairs] == [f"{i:04d}" for i in range(6)]
    scene = read_scene(pairs[2], landscape)
    expected = synthetic_scene(2, label_set=landscape, instances=True)
    assert np.array_equal(scene.photo, expected.photo)
    assert np.array_equal(scene.label_map, expected.label_map)
    assert np.array_equal(scene.instance_map, expected.instance_map)
    assert scene.instance_map.max() > 255  # 16 bits


def test_synthetic_scenes_depend_on_the_seed_only(landscape):
    one, same, other = (synthetic_scene(seed, label_set=landscape) for seed in (4, 4, 5))
    assert np.array_equal(one.photo, same.photo)
    assert not np.array_equal(one.label_map, other.label_map)


def test_palette_png_is_read_by_index_not_by_color(tmp_path, landscape):
    ids = np.array([[0, 5], [12, 255]], np.uint8)
    image = Image.fromarray(ids, mode="P")
    image.putpalette(landscape.palette().flatten().tolist())
    image.save(tmp_path / "p.png")
    assert np.array_equal(read_label_map(tmp_path / "p.png", landscape), ids)


def test_photo_without_label_map_is_named(dataset):
    (dataset / "train" / "labels" / "0003.png").unlink()
    with pytest.raises(DataError, match=r"1 are incomplete: 0003"):
        find_pairs(dataset, "train")


def test_photo_without_instance_map_is_named(dataset):
    (dataset / "train" / "instances" / "0001.png").unlink()
    with pytest.raises(DataError, match="0001"):
        find_pairs(dataset, "train")


def test_missing_folder_says_what_a_data_set_looks_like(tmp_path):
    with pytest.raises(DataError, match="train/images, train/labels"):
        find_pairs(tmp_path, "train")


def test_empty_folder_is_an_error(dataset):
    for path in (dataset / "val" / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="there is no"):
        find_pairs(dataset, "val")


def test_sizes_that_differ_are_told(dataset, landscape):
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(dataset / "train" / "labels" / "0000.png")
    with pytest.raises(DataError, match=r"0000\.png: the map is 9x8 pixels but its photo 96x64"):
        read_scene(find_pairs(dataset, "train")[0], landscape)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda p: Image.new("RGB", (4, 4)).save(p, "PNG"), DataError, "colors are not ids"),
        (lambda p: Image.new("L", (4, 4)).save(p, "JPEG"), DataError, "must not be a JPEG"),
        (lambda p: p.write_bytes(b"not a picture"), DataError, "cannot be read"),
        (lambda p: Image.new("L", (4, 4), 77).save(p, "PNG"), LabelMapError, "label ids 77"),
    ],
)
def test_bad_label_files_are_named_with_the_reason(tmp_path, landscape, make, kind, message):
    path = tmp_path / "bad.png"
    make(path)
    with pytest.raises(kind, match=message) as error:
        read_label_map(path, landscape)
    assert isinstance(error.value, UserError)
    assert str(path) in str(error.value)


def test_photos_are_turned_upright(tmp_path):
    image = Image.new("RGB", (6, 2), (255, 0, 0))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was held sideways
    image.save(tmp_path / "photo.jpg", exif=exif)
    assert read_photo(tmp_path / "photo.jpg").shape == (6, 2, 3)


def test_broken_photo_is_named(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8 cut off")
    with pytest.raises(DataError, match=r"photo\.jpg: cannot be read as a photo"):
        read_photo(tmp_path / "photo.jpg")


OPTIONS = DataConfig(
    crop_size=32, load_size=40, load_size_min=34, drop_label_probability=0.5, instance_edges=True
)


def source(dataset, landscape, seed=3):
    pairs = find_pairs(dataset, "train")
    scenes = SceneCache(pairs, label_set=landscape, options=OPTIONS, multiple=32)
    return BatchSource(scenes, options=OPTIONS, seed=seed, multiple=32)


def test_batches_depend_on_position_and_seed_only(dataset, landscape):
    straight = source(dataset, landscape)
    for position in range(0, 16, 4):
        last = straight.at(position, 4)
    resumed = source(dataset, landscape).at(12, 4)
    assert np.array_equal(last.photo, resumed.photo)
    assert np.array_equal(last.label_map, resumed.label_map)
    other = source(dataset, landscape, seed=4).at(12, 4)
    assert not np.array_equal(last.photo, other.photo)


def test_every_epoch_shows_every_scene_once(landscape):
    scenes = [synthetic_scene(i, label_set=landscape, height=40, width=40) for i in range(5)]
    marked = [type(s)(np.full_like(s.photo, i), s.label_map) for i, s in enumerate(scenes)]
    options = DataConfig(crop_size=32, load_size=40)
    batches = BatchSource(marked, options=options, seed=0, multiple=32)
    photo = batches.at(5, 10).photo
    seen = np.rint((photo[:, 0, 0, 0] + 1) * 127.5).astype(int)
    assert sorted(seen[:5]) == [0, 1, 2, 3, 4]
    assert sorted(seen[5:]) == [0, 1, 2, 3, 4]


def test_batches_hold_photos_in_minus_one_to_one_and_exact_ids(dataset, landscape):
    batch = source(dataset, landscape).at(0, 8)
    assert batch.photo.shape == (8, 3, 32, 32)
    assert batch.photo.dtype == np.float32
    assert batch.photo.min() >= -1
    assert batch.photo.max() <= 1
    assert set(np.unique(batch.label_map)) <= {1, 3, 5, 7, 255}
    assert batch.instance_map.shape == (8, 32, 32)


def test_stack_maps_0_and_255_to_minus_one_and_one(landscape):
    scene = synthetic_scene(0, label_set=landscape)
    scene.photo[0, 0], scene.photo[0, 1] = 0, 255
    photo = stack([scene]).photo
    assert photo[0, :, 0, 0].tolist() == [-1, -1, -1]
    assert photo[0, :, 0, 1].tolist() == [1, 1, 1]
