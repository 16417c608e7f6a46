"""PyTorch's files without PyTorch: its own two formats, and what is refused."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from spade_paddle.pth_files import ForbiddenGlobal, read_pth
from tests.pth import write_pth

FOLDER = Path(__file__).parent / "pth"
FORMATS = ("archive", "row_of_pickles")
WHOLE = np.arange(24, dtype=np.float32).reshape(4, 6)


@pytest.mark.parametrize("name", FORMATS)
def test_pytorchs_own_files_are_read_in_both_formats(name):
    content = read_pth(FOLDER / f"{name}.pth")
    expected = {
        "whole": WHOLE,
        "turned": WHOLE.T[1:3],
        "parameter": WHOLE[1, 2:5],
        "half": WHOLE[0].astype(np.float16),
        "bfloat16": np.float32([0, 1.0078125, 2.015625, 3.03125, 4.03125, 5.0625]),
        "count": np.int64(5),
        "empty": np.zeros((0, 3), np.float32),
        "true": WHOLE[0] > 3,
    }
    nested = content.pop("nested")
    assert content.keys() == expected.keys()
    for key, array in expected.items():
        assert content[key].dtype == array.dtype, key
        assert content[key].shape == array.shape, key
        assert np.array_equal(content[key], array), key
    assert nested["epoch"] == 3
    assert np.array_equal(nested["list"], [WHOLE[0]])


def test_what_the_tests_write_is_what_pytorch_writes(tmp_path):
    content = {"a": WHOLE, "b": {"c": np.arange(3), "d": [1, "text"]}}
    found = read_pth(write_pth(tmp_path / "a.pth", content))
    assert np.array_equal(found["a"], WHOLE)
    assert found["b"]["c"].tolist() == [0, 1, 2]
    assert found["b"]["d"] == [1, "text"]


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", ["archive", "first", "last"])
def test_nothing_is_run(tmp_path, place):
    payload = pickle.dumps({"a": Evil(tmp_path / "made")}, protocol=2)
    path = tmp_path / "evil.pth"
    if place == "archive":
        path = write_pth(path, {"a": Evil(tmp_path / "made")})
    elif place == "first":
        path.write_bytes(payload)
    else:  # behind the magic number, the version, the system and the content
        whole = (FOLDER / "row_of_pickles.pth").read_bytes()
        file = io.BytesIO(whole)
        for _ in range(3):
            pickle.load(file)
        path.write_bytes(whole[: file.tell()] + payload)
    with pytest.raises(ForbiddenGlobal, match="mkdir"):
        read_pth(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_cut_off_files_are_refused(name, tmp_path):
    whole = (FOLDER / f"{name}.pth").read_bytes()
    path = tmp_path / "cut.pth"
    for length in (0, 20, len(whole) // 2, len(whole) - 8):
        path.write_bytes(whole[:length])
        with pytest.raises(Exception) as error:  # of many kinds
            read_pth(path)
        assert not isinstance(error.value, AssertionError)


def rewritten(path, out, change):
    """A copy of an archive with its files changed by a function of name and bytes."""
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, change(name, archive.read(name)))
    return out


def test_tensor_beyond_its_storage_is_refused(tmp_path):
    path = write_pth(tmp_path / "a.pth", {"a": WHOLE})

    def shorten(name, data):
        return data[:-4] if name.endswith("/data/0") else data

    with pytest.raises(ValueError, match="larger than its storage"):
        read_pth(rewritten(path, tmp_path / "b.pth", shorten))


def test_other_byte_orders_are_refused(tmp_path):
    def turn(name, data):
        return b"big" if name.endswith("byteorder") else data

    out = rewritten(FOLDER / "archive.pth", tmp_path / "b.pth", turn)
    with pytest.raises(ValueError, match="byte order"):
        read_pth(out)
    shutil.copy(FOLDER / "row_of_pickles.pth", tmp_path / "c.pth")
    data = (tmp_path / "c.pth").read_bytes()
    place = data.index(b"little_endian") + len(b"little_endian")
    tail = data[place : place + 8].replace(b"\x88", b"\x89", 1)  # True becomes False
    (tmp_path / "c.pth").write_bytes(data[:place] + tail + data[place + 8 :])
    with pytest.raises(ValueError, match="byte order"):
        read_pth(tmp_path / "c.pth")
