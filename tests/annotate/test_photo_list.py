"""Names and order of the photos of a folder."""

from __future__ import annotations

import itertools

import pytest

from spade_paddle.annotate.photo_list import find_photos, shard_of
from spade_paddle.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name in (
        "b.jpg",
        "a/b.JPG",
        "a/b.png",
        "c.heic",
        "c.JPEG",
        "d/e/f.tif",
        ".hidden.jpg",
        "x.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def test_photos_are_sorted_and_named_after_their_path(folder):
    photos = find_photos(folder)
    assert [photo.source for photo in photos] == sorted(photo.source for photo in photos)
    names = {photo.source: photo.name for photo in photos}
    assert names == {
        "a/b.JPG": "a__b_JPG",  # two photos would get the name a__b
        "a/b.png": "a__b_png",
        "b.jpg": "b",
        "c.JPEG": "c_JPEG",
        "c.heic": "c_heic",
        "d/e/f.tif": "d__e__f",
    }


def test_no_two_photos_share_a_name(folder):
    names = [photo.name.lower() for photo in find_photos(folder)]
    assert len(set(names)) == len(names)


def test_shards_are_disjoint_and_together_all(folder):
    photos = find_photos(folder)
    shards = [shard_of(photos, index, 4) for index in (1, 2, 3, 4)]
    assert sorted(itertools.chain(*shards), key=lambda photo: photo.source) == photos
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_missing_folder_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no such folder of photos"):
        find_photos(tmp_path / "nowhere")
