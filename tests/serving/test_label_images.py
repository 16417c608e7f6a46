from __future__ import annotations

import contextlib
import struct
import zlib
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from spade_paddle.data import color_masks
from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.serving.sent_pictures import read_sent_label_map
from tests.pictures import file_bytes, palette_png, scene
from tests.serving.conftest import FakePainter

LIMITS = SizeLimits(min_side=32, max_pixels=512 * 512)


def read_with(label_set: LabelSet, data: bytes) -> tuple[np.ndarray, list[dict]]:
    painter = FakePainter(label_set)
    painter.limits = LIMITS
    return read_sent_label_map(data, painter=painter, where="images[0]")


@pytest.fixture
def decode(label_set):
    return lambda data: read_with(label_set, data)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def hand_made_png(width: int, height: int, *, bits: int, kind: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def codes(notes) -> list[str]:
    return [note["code"] for note in notes]


def test_a_gray_png_is_read_as_ids_without_any_change(decode):
    ids = scene(40, 72)
    ids[0, :13] = range(13)
    ids[1, 0] = 255
    read, notes = decode(file_bytes(ids))
    assert np.array_equal(read, ids) and read.dtype == np.uint8 and notes == []


def test_the_indices_of_a_palette_png_are_the_ids_whatever_its_colors(decode, label_set):
    ids = scene(top=4, bottom=2)
    odd_palette = np.roll(label_set.palette(), 7, axis=0)
    assert np.array_equal(decode(palette_png(ids, odd_palette))[0], ids)


def test_a_text_that_unpacks_to_too_much_is_refused_for_what_it_is(decode):
    data = file_bytes(scene())
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(5_000_000)))
    with pytest.raises(RequestError, match="metadata cannot be read") as caught:
        decode(data[:33] + bomb + data[33:])  # after the header
    assert caught.value.code == "not_an_image"


def test_gray_with_transparency_is_read_as_ids(decode):
    ids = scene(top=4, bottom=2)
    with_alpha = np.dstack([ids, np.full_like(ids, 255)])
    read, notes = decode(file_bytes(with_alpha))
    assert np.array_equal(read, ids) and notes == []


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_gray_pngs_of_few_bits_keep_their_ids(decode, bits):
    pattern = 0b01011011  # whatever the depth, a row of repeated ids below 12
    rows = (b"\x00" + bytes([pattern]) * (32 * bits // 8)) * 32
    read, _ = decode(hand_made_png(32, 32, bits=bits, kind=0, rows=rows))
    first = [(pattern >> (8 - bits * (i + 1))) & (2**bits - 1) for i in range(8 // bits)]
    assert read[0, : len(first)].tolist() == first


def test_sixteen_bit_ids_beyond_the_label_set_are_refused_with_the_id(decode):
    wide = np.full((32, 32), 300, np.uint16)
    with pytest.raises(LabelMapError, match="300"):
        decode(file_bytes(wide))


def test_an_unknown_id_is_refused_with_the_ids_and_the_highest_known(decode):
    ids = scene()
    ids[5, 5] = 200
    with pytest.raises(LabelMapError) as caught:
        decode(file_bytes(ids))
    assert caught.value.code == "label_unknown"
    assert caught.value.details == {"ids": [200], "highest": 12}
    assert str(caught.value).startswith("images[0]")


def test_palette_colors_become_ids_exactly_and_without_a_note(decode, label_set):
    ids = scene(top=11, bottom=9)
    ids[0, :13] = range(13)
    ids[3, 3] = 255
    read, notes = decode(file_bytes(label_set.colorize(ids)))
    assert np.array_equal(read, ids) and notes == []


def test_colors_near_the_palette_are_snapped_and_counted(decode, label_set):
    ids = scene()
    picture = label_set.colorize(ids)
    picture[:2, :10] += 3
    read, notes = decode(file_bytes(picture))
    assert np.array_equal(read, ids)
    (note,) = notes
    assert note.pop("message").startswith("20 of 4096 pixels")
    assert note == {"code": "colors_snapped", "count": 20, "total": 64 * 64}


def test_more_than_one_per_cent_of_foreign_colors_is_refused_with_the_count(decode, label_set):
    picture = label_set.colorize(scene())
    picture[:1, :41] = (255, 0, 255)
    with pytest.raises(LabelMapError) as caught:
        decode(file_bytes(picture))
    assert caught.value.code == "unknown_colors"
    assert caught.value.details == {"count": 41, "total": 4096}


def test_up_to_one_per_cent_of_foreign_colors_takes_the_nearest_label(decode, label_set):
    picture = label_set.colorize(scene())
    picture[:1, :40] = (255, 0, 255)
    read, notes = decode(file_bytes(picture))
    assert codes(notes) == ["colors_snapped"] and set(np.unique(read)) <= set(range(13))


def disc(ground: int, label: int, label_set, *, side: int) -> tuple[Image.Image, np.ndarray]:
    """A disc of one label on another with smoothed edges, and which pixels are of one alone."""
    large = Image.new("L", (4 * side,) * 2, ground)
    ImageDraw.Draw(large).ellipse([side, side, 3 * side, 3 * side], fill=label)
    ids = np.asarray(large)
    blocks = ids.reshape(side, 4, side, 4).swapaxes(1, 2).reshape(side, side, -1)
    pure = np.where((blocks == blocks[..., :1]).all(axis=2), blocks[..., 0], -1)
    return Image.fromarray(label_set.colorize(ids)).reduce(4), pure


@pytest.mark.parametrize("side", [32, 96])
def test_a_smoothed_disc_of_any_label_on_any_other_shows_no_third(decode, label_set, side):
    for ground, label in permutations(range(len(label_set)), 2):
        picture, pure = disc(ground, label, label_set, side=side)
        read, notes = decode(file_bytes(np.asarray(picture)))
        assert set(np.unique(read)) == {ground, label}, (ground, label)
        assert (read == pure)[pure >= 0].all(), (ground, label)
        assert codes(notes) == ["colors_snapped"]


def test_noise_is_refused_before_any_edge_is_settled(decode, monkeypatch):
    def settled(*_, **__):
        raise AssertionError("this takes seconds")

    monkeypatch.setattr(color_masks, "_assign_edges", settled)
    monkeypatch.setattr(color_masks, "_assign_similar", settled)
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    with pytest.raises(LabelMapError) as caught:
        decode(file_bytes(picture))
    assert caught.value.code == "unknown_colors"
    assert caught.value.details["count"] > 0.9 * 64 * 64


def test_a_png_of_what_was_a_jpeg_is_read_by_the_labels_around(decode, label_set):
    ids = scene()
    noise = np.random.default_rng(0).integers(-9, 10, (64, 64, 3))
    picture = (label_set.colorize(ids) + noise).clip(0, 255).astype(np.uint8)
    read, notes = decode(file_bytes(picture))
    assert np.array_equal(read, ids) and codes(notes) == ["colors_snapped"]


def test_labels_of_one_color_are_told_to_send_ids(label_set):
    first, second = label_set.labels[:2]
    alike = LabelSet("alike", (first, replace(second, color=first.color)))
    with pytest.raises(LabelMapError, match="pixel values are the ids") as caught:
        data = file_bytes(alike.colorize(np.zeros((64, 64), np.uint8)))
        read_with(alike, data)
    assert caught.value.code == "unknown_colors"
    ids = np.ones((64, 64), np.uint8)
    read, _ = read_with(alike, file_bytes(ids))
    assert np.array_equal(read, ids)


def test_transparent_pixels_become_dont_care_and_are_counted(decode, label_set):
    rgba = np.dstack([label_set.colorize(scene()), np.full((64, 64), 255, np.uint8)])
    rgba[:8] = 0
    read, notes = decode(file_bytes(rgba))
    assert (read[:8] == 255).all() and (read[8:32] == 1).all()
    assert (notes[0]["code"], notes[0]["count"]) == ("transparent_pixels", 8 * 64)


def test_ids_saved_into_three_equal_channels_are_taken_as_ids_with_a_note(decode):
    ids = scene(top=3, bottom=12)
    read, notes = decode(file_bytes(np.dstack([ids] * 3)))
    assert np.array_equal(read, ids) and codes(notes) == ["gray_taken_as_ids"]


def test_a_gray_jpeg_is_refused_because_jpeg_changes_ids(decode):
    with pytest.raises(LabelMapError, match="PNG") as caught:
        decode(file_bytes(scene(), image_format="JPEG", quality=95))
    assert caught.value.code == "lossy_labels"


def test_a_jpeg_in_palette_colors_is_read_when_it_is_good_enough(decode, label_set):
    ids = scene()
    data = file_bytes(label_set.colorize(ids), image_format="JPEG", quality=98, subsampling=0)
    assert np.array_equal(decode(data)[0], ids)


def test_a_bad_jpeg_of_colors_is_refused_as_lossy_with_the_count(decode, label_set):
    ids = np.random.default_rng(0).integers(0, 13, (64, 64)).astype(np.uint8)
    with pytest.raises(LabelMapError) as caught:
        decode(file_bytes(label_set.colorize(ids), image_format="JPEG", quality=30))
    assert caught.value.code == "lossy_labels" and caught.value.details["count"] > 40


@pytest.mark.parametrize("size", [(1, 1), (31, 64), (64, 31)])
def test_a_map_with_a_side_below_the_least_is_refused(decode, size):
    with pytest.raises(LabelMapError) as caught:
        decode(file_bytes(np.zeros(size, np.uint8)))
    assert caught.value.code == "label_map_too_small"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_huge_picture_is_refused_by_its_header_without_unpacking_it(decode, monkeypatch):
    unpacked = []
    monkeypatch.setattr(Image.Image, "load", lambda self: unpacked.append(self.size))
    for side in (5000, 12000, 60000):  # the last two make Pillow warn and raise by itself
        with pytest.raises(LabelMapError) as caught:
            decode(hand_made_png(side, side, bits=8, kind=0, rows=b""))
        assert caught.value.code == "label_map_too_large"
    assert unpacked == []


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n", bytes(5000)]
)
def test_bytes_that_are_no_picture_are_refused(decode, data):
    with pytest.raises(RequestError) as caught:
        decode(data)
    assert caught.value.code == "not_an_image"


def test_every_cut_of_a_png_gives_a_clear_error_or_the_whole_map(decode):
    ids = scene()
    data = file_bytes(ids)
    for length in range(len(data)):
        with contextlib.suppress(RequestError, LabelMapError):
            assert np.array_equal(decode(data[:length])[0], ids)


def test_a_flipped_byte_anywhere_never_raises_anything_but_our_errors(decode):
    data = bytearray(file_bytes(scene(32, 32)))
    for index in range(len(data)):
        broken = bytearray(data)
        broken[index] ^= 0xFF
        with contextlib.suppress(RequestError, LabelMapError):
            decode(bytes(broken))
