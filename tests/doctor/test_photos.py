"""Faults of photos and their sizes, one planted at a time: it is named, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.config import Config, DataConfig
from spade_paddle.doctor import photo_facts
from tests.synthetic import synthetic_scene

PHOTO, LABELS = "train/images/0002.png", "train/labels/0002.png"


def test_truncated_photo_is_named(dataset):
    path = dataset / PHOTO
    path.write_bytes(path.read_bytes()[:-500])
    assert dataset.found() == {"photo_unreadable": (PHOTO,)}
    assert "truncated" in dataset.message("photo_unreadable")


def test_photo_without_a_byte_is_named(dataset):
    (dataset / PHOTO).write_bytes(b"")
    assert dataset.found() == {"photo_unreadable": (PHOTO,)}
    assert "empty, 0 bytes" in dataset.message("photo_unreadable")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_no_damage_of_a_photo_stops_the_doctor(dataset, kind):
    path = dataset / PHOTO
    scene = synthetic_scene(2, label_set=dataset.label_set)
    Image.fromarray(scene.photo).save(path, kind)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(40):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 300), 3):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged[: rng.integers(10, len(damaged))])
        named += PHOTO in dataset.found().get("photo_unreadable", ())
    assert named > 20


def test_sizes_that_differ_are_named(dataset):
    dataset.write(LABELS, dataset.ids(LABELS)[::2, ::2])
    assert dataset.found() == {"sizes_differ": (LABELS,)}
    assert "48x32 pixels but its photo 96x64" in dataset.message("sizes_differ")


def test_map_that_fits_the_photo_only_as_it_is_stored_is_named(dataset):
    photo = dataset.ids(PHOTO)
    dataset.write(PHOTO, photo, orientation=6)  # shown, it stands 64 x 96
    assert dataset.found() == {"sizes_differ_exif": (LABELS,)}


def test_photo_that_is_turned_when_it_is_read_is_told(dataset):
    photo = dataset.ids(PHOTO)
    dataset.write(PHOTO, np.rot90(photo), orientation=6)  # shown, it lies again
    assert dataset.found() == {"photo_rotated": (PHOTO,)}


def test_photo_upside_down_is_told(dataset):
    dataset.write(PHOTO, dataset.ids(PHOTO), orientation=3)
    assert dataset.found() == {"photo_rotated": (PHOTO,)}


def test_photo_smaller_than_the_crop_is_named(dataset):
    small = dataset.ids(PHOTO)[:40], dataset.ids(LABELS)[:40]
    for name, array in zip((PHOTO, LABELS), small):
        dataset.write(name, array)
    fits = Config(data=DataConfig(crop_size=64, load_size=64))
    assert dataset.found(config=fits) == {"photo_small": (PHOTO,)}
    assert "the smallest is 96x40" in dataset.message("photo_small", config=fits)
    wide = Config(data=DataConfig(crop_size=64, load_size=40, aspect_ratio=2.0))  # 64 x 32 pixels
    assert dataset.found(config=wide) == {}
    whole = Config(data=DataConfig(crop_size=64, load_mode="none"))  # there is no crop
    assert dataset.found(config=whole) == {}


@pytest.mark.parametrize(
    "options, factor",
    [
        ({"load_size": 64}, None),
        ({"load_size": 68}, 1.06),
        ({"load_size": 68, "load_size_min": 40}, 1.06),
        ({"load_size": 102, "load_mode": "scale_width_and_crop"}, 1.06),
        ({"load_size": 96, "load_mode": "scale_width_and_crop"}, None),
        ({"load_size": 68, "load_mode": "resize_and_crop"}, None),  # narrower, but not larger
        ({"load_size": 128, "load_mode": "resize_and_crop"}, 1.33),
        ({"load_size": 68, "load_mode": "crop"}, None),  # not resized at all
    ],
)
def test_photos_that_are_enlarged_to_the_load_size_are_named(dataset, options, factor):
    config = Config(data=DataConfig(crop_size=32, **options))
    found = dataset.found(config=config)
    assert list(found) == (["photo_enlarged"] if factor else [])
    if factor:
        assert f"by up to {factor:.2f}" in dataset.message("photo_enlarged", config=config)
        assert PHOTO in found["photo_enlarged"]


def test_extreme_aspect_ratio_is_named(dataset):
    for name in (PHOTO, LABELS):
        dataset.write(name, np.tile(dataset.ids(name), (1, 3) + (1,) * (name == PHOTO)))
    assert dataset.found() == {"photo_aspect": (PHOTO,)}


@pytest.mark.parametrize(
    ("mode", "kind", "told"),
    [("CMYK", "JPEG", "CMYK"), ("RGBA", "PNG", "transparency"), ("L", "PNG", "gray")],
)
def test_photo_that_is_converted_is_told(dataset, mode, kind, told):
    with Image.open(dataset / PHOTO) as image:
        converted = image.convert(mode)
    converted.save(dataset / PHOTO, kind)
    assert dataset.found() == {"photo_mode": (PHOTO,)}
    assert f"1 {told}" in dataset.message("photo_mode")


def test_16_bit_colors_are_told(dataset):
    import cv2

    cv2.imwrite(str(dataset / PHOTO), dataset.ids(PHOTO)[..., ::-1].astype(np.uint16) * 257)
    assert dataset.found() == {"photo_mode": (PHOTO,)}
    assert "16 bits per channel" in dataset.message("photo_mode")


def test_16_bit_gray_photo_is_told(dataset):
    dataset.write(PHOTO, dataset.ids(PHOTO)[..., 1].astype(np.uint16) * 257)
    assert dataset.found() == {"photo_mode": (PHOTO,)}
    assert "16-bit gray" in dataset.message("photo_mode")


def test_photo_of_too_many_pixels_is_named(dataset, monkeypatch):
    monkeypatch.setattr(photo_facts, "LIMIT_PIXELS", 96 * 64 - 1)
    photos = {f"train/images/{i:04d}.png" for i in range(6)} | {
        f"val/images/{i:04d}.png" for i in range(2)
    }
    found = dataset.found(quick=True)
    assert set(found["photo_unreadable"]) == photos
    assert "larger than 0 million pixels" in dataset.message("photo_unreadable", quick=True)


def test_photo_twice_in_train_is_named(dataset):
    with Image.open(dataset / "train/images/0000.png") as image:
        image.save(dataset / PHOTO, "JPEG", quality=90)
    files = (PHOTO, "train/images/0000.png")
    assert dataset.found() == {"photos_duplicate": files}
    assert "0002.png is 0000.png" in dataset.message("photos_duplicate")


def test_photo_of_train_that_is_in_val_is_named(dataset):
    with Image.open(dataset / "val/images/0001.png") as image:
        image.save(dataset / PHOTO)
    assert dataset.found() == {"photos_leak": (PHOTO, "val/images/0001.png")}


def test_same_photo_with_the_same_map_is_one_finding(dataset):
    for name in ("images", "labels"):
        copy = (dataset / f"train/{name}/0000.png").read_bytes()
        (dataset / f"train/{name}/0002.png").write_bytes(copy)
    assert set(dataset.found()) == {"photos_duplicate"}


def test_three_copies_leave_two_to_take_away(dataset):
    for copy in ("0002", "0004"):
        data = (dataset / "train/images/0000.png").read_bytes()
        (dataset / f"train/images/{copy}.png").write_bytes(data)
    message = dataset.message("photos_duplicate")
    assert "0002.png is 0000.png, 0004.png is 0000.png" in message
