"""Pictures that were painted elsewhere."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import DataError
from spade_paddle.evaluation.pictures import PictureFolder


@pytest.fixture(scope="module")
def pairs(data):
    return find_pairs(data, "val")


@pytest.fixture
def folder(data, tmp_path):
    """A copy of the photos as pictures."""
    return shutil.copytree(data / "val" / "images", tmp_path / "pictures")


def view(pair, landscape):
    return whole_picture(read_scene(pair, landscape), 64, 64)


def test_pictures_go_to_their_scenes_by_name_whatever_the_seed(folder, pairs, landscape):
    Image.new("RGB", (64, 96)).save(folder / "another.png")
    pictures = PictureFolder("theirs", folder, pairs)
    assert (pictures.title, pictures.style) == ("theirs", None)
    for pair in reversed(pairs):
        scene = view(pair, landscape)
        for seed in (0, 7):
            assert np.array_equal(pictures.paint(scene, seed=seed), scene.photo)


def test_pictures_of_the_middle_square_are_taken_whole(folder, pairs, landscape):
    scene = view(pairs[0], landscape)
    (folder / f"{pairs[0].stem}.png").unlink()
    large = np.asarray(Image.fromarray(scene.photo).resize((128, 128), Image.NEAREST))
    Image.fromarray(large).save(folder / f"{pairs[0].stem}.bmp")  # any ending
    painted = PictureFolder("theirs", folder, pairs).paint(scene, seed=0)
    assert np.array_equal(painted, scene.photo)


def test_missing_pictures_are_named(folder, pairs):
    for pair in pairs[1:3]:
        (folder / f"{pair.stem}.png").unlink()
    message = r"of the 4 scenes 2 have no picture here: 0001, 0002; .*\(0001\.png\)"
    with pytest.raises(DataError, match=message) as error:
        PictureFolder("theirs", folder, pairs)
    assert error.value.code == "pictures_missing"
    PictureFolder("theirs", folder, [pairs[0], pairs[3]])  # of the others nobody asks


def test_no_folder_and_two_of_one_name_are_told(folder, pairs, tmp_path):
    with pytest.raises(DataError, match="nowhere: there is no such folder; --pictures"):
        PictureFolder("theirs", tmp_path / "nowhere", pairs)
    shutil.copy(folder / "0001.png", folder / "0001.jpg")
    with pytest.raises(DataError, match=r"0001\.jpg and 0001\.png"):
        PictureFolder("theirs", folder, pairs)


def test_fingerprint_tells_names_and_contents(folder, pairs):
    def fingerprint():
        return PictureFolder("theirs", folder, pairs).to_dict()["sha256"]

    first = fingerprint()
    Image.new("RGB", (4, 4)).save(folder / "another.png")
    assert fingerprint() == first
    paths = [folder / f"{pair.stem}.png" for pair in pairs[:2]]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents)):
        path.write_bytes(content)
    assert fingerprint() != first
