"""Maps of ids come out of their files exactly, whatever the depth, and stay exact."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from spade_paddle.config import DataConfig
from spade_paddle.data.batches import BatchSource, SceneCache, stack
from spade_paddle.data.dataset import Pair, read_scene
from spade_paddle.data.label_pictures import read_ids
from spade_paddle.data.photos import photo_size, read_photo
from spade_paddle.data.transforms import crop, mirror, resize

# the ends of 8, 15 and 16 bits
IDS = np.array([[0, 1, 254, 255], [256, 257, 32767, 32768], [40000, 65534, 65535, 300]])


def png(ids, *, bits, color_type=0):
    """A PNG written by hand: gray (0) or palette (3) of any depth."""
    rows = b""
    for row in ids:
        digits = "".join(format(int(value), f"0{bits}b") for value in row)
        digits += "0" * (-len(digits) % 8)
        rows += b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big")
    head = struct.pack(">IIBBBBB", ids.shape[1], ids.shape[0], bits, color_type, 0, 0, 0)
    colors = [(b"PLTE", bytes(3 * 2**bits))] * (color_type == 3)
    chunks = [(b"IHDR", head), *colors, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize(
    ("bits", "color_type"),
    [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (1, 3), (2, 3), (4, 3), (8, 3)],
)
def test_ids_of_every_depth_are_the_numbers_in_the_file(tmp_path, bits, color_type):
    ids = np.arange(2**bits)[:: max(1, 2**bits // 512)]
    ids = np.stack([ids, ids[::-1]])
    (tmp_path / "ids.png").write_bytes(png(ids, bits=bits, color_type=color_type))
    read = read_ids(tmp_path / "ids.png")
    assert read.dtype == np.int64
    assert np.array_equal(read, ids)


def test_ids_of_32_bits_are_exact_too(tmp_path):
    ids = np.array([[0, 65536, 2**31 - 1]], np.int32)
    Image.fromarray(ids).save(tmp_path / "ids.png", "TIFF")
    assert Image.open(tmp_path / "ids.png").mode == "I"
    assert np.array_equal(read_ids(tmp_path / "ids.png"), ids)


def scene_files(folder, instances: bytes | np.ndarray):
    """Photo, label map and instance map of one scene of 3 x 4 pixels."""
    pair = Pair("a", *(folder / f"{name}.png" for name in ("photo", "labels", "instances")))
    Image.fromarray(np.arange(36, dtype=np.uint8).reshape(3, 4, 3)).save(pair.photo)
    Image.fromarray((np.arange(12, dtype=np.uint8) % 5).reshape(3, 4)).save(pair.label_map)
    if isinstance(instances, bytes):
        pair.instance_map.write_bytes(instances)
    else:
        Image.fromarray(instances).save(pair.instance_map)
    return pair


def test_instances_up_to_65535_stay_exact_from_the_file_to_the_batch(tmp_path, landscape):
    pair = scene_files(tmp_path, IDS.astype(np.uint16))
    scene = read_scene(pair, landscape)
    assert scene.instance_map.dtype == np.int32
    assert np.array_equal(scene.instance_map, IDS)
    doubled = resize(scene, 6, 8)
    assert np.array_equal(doubled.instance_map, IDS.repeat(2, axis=0).repeat(2, axis=1))
    assert np.array_equal(resize(doubled, 3, 4).instance_map, IDS)
    assert np.array_equal(crop(scene, 1, 1, 2, 3).instance_map, IDS[1:, 1:])
    assert np.array_equal(mirror(scene).instance_map, IDS[:, ::-1])
    batch = stack([scene, mirror(scene)])
    assert batch.instance_map.dtype == np.int32
    assert np.array_equal(batch.instance_map, [IDS, IDS[:, ::-1]])


def test_instances_up_to_65535_come_in_batches_of_a_data_set(tmp_path, landscape):
    pair = scene_files(tmp_path, IDS.astype(np.uint16))
    options = DataConfig(load_mode="fixed", crop_size=64, aspect_ratio=4 / 3)  # 48 x 64
    scenes = SceneCache([pair], label_set=landscape, options=options, multiple=16)
    batch = BatchSource(scenes, options=options, seed=0, multiple=16).at(0, 8)
    large = IDS.repeat(16, axis=0).repeat(16, axis=1)
    mirrored = [bool(photo[0, 0, 0] > photo[0, 0, -1]) for photo in batch.photo]
    assert set(mirrored) == {False, True}
    for instances, is_mirrored in zip(batch.instance_map, mirrored):
        assert np.array_equal(instances, large[:, ::-1] if is_mirrored else large)


@pytest.mark.parametrize("bits", [4, 8])
def test_instances_in_a_palette_png_are_its_indices(tmp_path, landscape, bits):
    ids = np.arange(12).reshape(3, 4) + (240 if bits == 8 else 4)
    pair = scene_files(tmp_path, png(ids, bits=bits, color_type=3))
    assert Image.open(pair.instance_map).mode == "P"
    assert np.array_equal(read_scene(pair, landscape).instance_map, ids)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", [None, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_the_size_of_a_photo_is_told_as_it_is_read(tmp_path, kind, orientation):
    image = Image.new("RGB", (6, 2))
    exif = image.getexif()
    if orientation:
        exif[0x0112] = orientation
    image.save(tmp_path / f"photo.{kind}", exif=exif)
    assert (
        photo_size(tmp_path / f"photo.{kind}") == read_photo(tmp_path / f"photo.{kind}").shape[:2]
    )
