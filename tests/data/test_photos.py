"""Photos of every kind become upright 8-bit RGB; broken ones are told."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data import photos
from spade_paddle.data.photos import is_plain, read_photo, read_photo_bytes
from spade_paddle.errors import DataError

TURNED_RIGHT = {0x0112: 6}  # EXIF orientation: the camera was held upright


def gradient(height=8, width=12):
    """Red grows to the right, green downwards."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = (columns * 255 / (width - 1), rows * 255 / (height - 1), np.full(rows.shape, 40))
    return np.stack(channels, axis=2).round().astype(np.uint8)


def exif(values):
    made = Image.Exif()
    made.update(values)
    return made


def test_photo_that_the_camera_turned_comes_upright(tmp_path):
    upright = gradient()
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))  # the sensor's picture
    turned.save(tmp_path / "photo.png", exif=exif(TURNED_RIGHT))
    assert np.array_equal(read_photo(tmp_path / "photo.png"), upright)


def test_gray_photo_has_three_equal_channels(tmp_path):
    gray = gradient()[..., 0]
    Image.fromarray(gray).save(tmp_path / "gray.png")
    assert np.array_equal(read_photo(tmp_path / "gray.png"), np.stack([gray] * 3, axis=2))


def test_sixteen_bits_become_eight_by_scaling_not_by_cutting_off(tmp_path):
    values = np.array([[0, 257, 25700, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert read_photo(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 1, 100, 255]


def test_cmyk_photo_keeps_its_colors(tmp_path):
    red = Image.new("RGB", (16, 16), (220, 30, 40)).convert("CMYK")
    red.save(tmp_path / "print.jpg", quality=100)
    assert np.abs(read_photo(tmp_path / "print.jpg").astype(int) - (220, 30, 40)).max() <= 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_become_white(tmp_path, mode):
    picture = Image.new("RGBA", (4, 2), (0, 0, 0, 255))
    picture.paste((10, 20, 30, 0), (0, 0, 2, 2))
    picture.convert(mode).save(tmp_path / "cut.png")
    photo = read_photo(tmp_path / "cut.png")
    assert (photo[:, :2] == 255).all()
    assert (photo[:, 2:] == 0).all()


def test_short_side_is_met_and_the_shape_kept(tmp_path):
    Image.fromarray(gradient(300, 600)).save(tmp_path / "large.jpg")
    assert read_photo(tmp_path / "large.jpg", short_side=100).shape == (100, 200, 3)


def test_photo_is_never_enlarged(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "small.png")
    assert np.array_equal(read_photo(tmp_path / "small.png", short_side=100), gradient())


def test_fast_decoding_of_large_jpegs_shows_the_same_picture(tmp_path):
    Image.fromarray(gradient(800, 1200)).save(tmp_path / "large.jpg", quality=95)
    fast = read_photo(tmp_path / "large.jpg", short_side=80).astype(int)
    exact = photos.shrink(read_photo(tmp_path / "large.jpg"), 80).astype(int)
    assert np.abs(fast - exact).max() <= 4


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40)],
    ids=["empty", "text", "head"],
)
def test_what_is_no_picture_is_told_with_its_name(tmp_path, content):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.jpg: cannot be read as a photo") as caught:
        read_photo(tmp_path / "x.jpg")
    assert caught.value.code == "photo_unreadable"


def test_truncated_photo_is_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="truncated"):
        read_photo(tmp_path / "cut.jpg")


def test_photo_of_an_iphone_is_told_what_to_do(tmp_path):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    with pytest.raises(DataError, match="save it as JPEG"):
        read_photo(tmp_path / "IMG_1.HEIC")


def test_huge_photo_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "LIMIT_PIXELS", 95)
    Image.fromarray(gradient()).save(tmp_path / "huge.png")
    with pytest.raises(DataError, match="12 x 8 pixels"):
        read_photo(tmp_path / "huge.png")


def test_pillow_does_not_refuse_what_we_allow(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)  # it warns above, refuses above 120
    Image.fromarray(gradient()).save(tmp_path / "large.png")
    assert read_photo(tmp_path / "large.png").shape == (8, 12, 3)


def test_only_upright_rgb_jpegs_may_be_copied(tmp_path):
    picture = Image.fromarray(gradient())
    picture.save(tmp_path / "plain.jpg")
    picture.save(tmp_path / "turned.jpg", exif=exif(TURNED_RIGHT))
    picture.convert("L").save(tmp_path / "gray.jpg")
    picture.save(tmp_path / "photo.png")
    copied = [path.name for path in sorted(tmp_path.iterdir()) if is_plain(path)]
    assert copied == ["plain.jpg"]
    assert not is_plain(tmp_path / "plain.jpg", short_side=7)
    assert is_plain(tmp_path / "plain.jpg", short_side=8)


def sent(kind):
    buffer = io.BytesIO()
    Image.fromarray(gradient(10, 12)).save(buffer, kind, quality=95)
    return buffer.getvalue()


def test_sent_photos_may_have_the_limit_of_pixels_as_jpeg_and_half_of_it_otherwise():
    assert read_photo_bytes(sent("JPEG"), where="photo", max_pixels=120).shape == (10, 12, 3)
    assert np.array_equal(
        read_photo_bytes(sent("PNG"), where="photo", max_pixels=240), gradient(10, 12)
    )
    for kind, limit in (("JPEG", 119), ("PNG", 239)):
        with pytest.raises(DataError, match="photo: 12 x 10 pixels are more than") as error:
            read_photo_bytes(sent(kind), where="photo", max_pixels=limit)
        assert error.value.code == "photo_too_large"
    with pytest.raises(DataError, match="photo: cannot be read as a photo"):
        read_photo_bytes(b"GIF89a", where="photo")
