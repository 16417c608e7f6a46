"""Photos whose pictures cannot share a batch are told before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.config import DataConfig
from spade_paddle.data.dataset import Pair
from spade_paddle.data.photos import photo_size
from spade_paddle.data.picture_sizes import check_one_size
from spade_paddle.data_config import LOAD_MODES
from spade_paddle.errors import ConfigError, DataError

ONE_SIZE = [mode for mode in LOAD_MODES if mode.endswith("crop") or mode == "fixed"]
OTHERS = [mode for mode in LOAD_MODES if mode not in ONE_SIZE]


def photos(folder, *sizes):
    """Pairs of photos of these heights and widths; there are no label maps."""
    pairs = []
    for index, (height, width) in enumerate(sizes):
        path = folder / f"photo{index}.jpg"
        Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path)
        pairs.append(Pair(path.stem, path, folder / "none.png", None))
    return pairs


def check(pairs, mode, *, pictures=2, **more):
    options = DataConfig(load_mode=mode, load_size=64, **more)
    sizes = ((pair.photo, photo_size(pair.photo)) for pair in pairs)
    check_one_size(sizes, options, multiple=32, pictures=pictures)


@pytest.mark.parametrize("mode", OTHERS)
def test_two_photos_of_different_shapes_are_named_with_the_way_out(tmp_path, mode):
    pairs = photos(tmp_path, (64, 128), (64, 128), (128, 64), (200, 200))
    with pytest.raises(DataError) as error:
        check(pairs, mode)
    text = str(error.value)
    assert f"{pairs[0].photo} becomes " in text
    assert f" but {pairs[2].photo} " in text
    assert mode in text
    assert "batch_size" in text and "ends in crop, or fixed" in text
    assert error.value.code == "sizes_in_batch"
    assert ("becomes 128x64" in text) == (mode != "scale_width")


@pytest.mark.parametrize(
    ("mode", "sizes"),
    [
        ("none", [(64, 128), (70, 120)]),  # both nearest to 64 x 128
        ("scale_width", [(64, 128), (300, 600), (71, 128)]),
        ("scale_shortside", [(64, 128), (300, 600), (64, 130)]),
    ],
)
def test_photos_that_become_one_size_share_a_batch(tmp_path, mode, sizes):
    pairs = photos(tmp_path, *sizes)
    check(pairs, mode)
    with pytest.raises(DataError):
        check([*pairs, *photos(tmp_path, (640, 128))], mode)


def test_photos_on_their_side_are_measured_upright(tmp_path):
    pairs = photos(tmp_path, (64, 128), (128, 64))
    image = Image.open(pairs[1].photo)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(pairs[1].photo, exif=exif)
    check(pairs, "none")
    image.save(pairs[1].photo)
    with pytest.raises(DataError):
        check(pairs, "none")


@pytest.mark.parametrize("mode", LOAD_MODES)
def test_one_picture_at_a_time_may_have_any_size(tmp_path, mode):
    scaled = mode.startswith(("resize", "scale"))
    pairs = photos(tmp_path, (64, 128), (128, 64))
    check(pairs, mode, pictures=1, load_size_min=40 if scaled else None)


@pytest.mark.parametrize("mode", ONE_SIZE)
def test_modes_of_one_size_look_at_no_photo(tmp_path, mode):
    check([Pair("a", tmp_path / "none.jpg", tmp_path / "none.png", None)], mode, pictures=4)


@pytest.mark.parametrize("mode", ["scale_width", "scale_shortside"])
def test_sizes_drawn_by_chance_share_no_batch(tmp_path, mode):
    pairs = photos(tmp_path, (64, 128), (64, 128))
    with pytest.raises(ConfigError, match=r"data\.load_size_min: .* a random size") as error:
        check(pairs, mode, load_size_min=40)
    assert error.value.code == "sizes_in_batch"


def test_a_photo_that_cannot_be_read_is_named(tmp_path):
    pairs = photos(tmp_path, (64, 64), (64, 64))
    pairs[1].photo.write_bytes(b"\xff\xd8 cut off")
    with pytest.raises(DataError, match=r"photo1\.jpg: cannot be read as a photo"):
        check(pairs, "none")
