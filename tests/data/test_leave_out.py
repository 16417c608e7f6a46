"""Scenes that leave_out.txt names are passed over, by training and by the doctor."""

from __future__ import annotations

import pytest

from spade_paddle.data.dataset import Part, find_pairs, left_out_lines
from spade_paddle.doctor.examine import examine
from spade_paddle.errors import DataError
from tests.synthetic import write_synthetic_dataset


@pytest.fixture
def dataset(tmp_path, landscape):
    return write_synthetic_dataset(tmp_path / "data", label_set=landscape)


def stems(dataset, part):
    return [pair.stem for pair in find_pairs(dataset, part)]


def test_without_the_file_every_scene_counts_and_nothing_is_told(dataset):
    assert stems(dataset, "train") == ["0000", "0001", "0002", "0003", "0004", "0005"]
    assert left_out_lines(dataset) == []


def test_scenes_that_are_named_are_passed_over_and_counted(dataset, landscape):
    # as an editor on Windows leaves it; 0005 is in train only, 0001 in both parts
    (dataset / "leave_out.txt").write_bytes(b"\xef\xbb\xbf0001\r\n\r\n 0005 \r\n")
    assert stems(dataset, "train") == ["0000", "0002", "0003", "0004"]
    assert stems(dataset, "val") == ["0000"]
    assert left_out_lines(dataset) == [f"{dataset}/leave_out.txt: scenes left out: 2"]
    report = examine(dataset, landscape)
    assert [part.scenes for part in report.summary] == [4, 1]


def test_a_broken_photo_that_is_left_out_stops_nothing(dataset, landscape):
    (dataset / "train/images/0002.png").write_bytes(b"no photo")
    (dataset / "train/labels/0003.png").unlink()
    assert examine(dataset, landscape).failed
    (dataset / "leave_out.txt").write_text("0002\n0003\n")
    assert not examine(dataset, landscape).failed
    assert len(stems(dataset, "train")) == 4


def test_a_name_that_is_not_there_is_told(dataset):
    (dataset / "leave_out.txt").write_text("0001\nlake.jpg\n湖\n", encoding="utf-8")
    counted, warning = left_out_lines(dataset)
    assert counted.endswith("scenes left out: 1")
    assert "no photo or label map of the name lake.jpg, 湖 (file names without" in warning


def test_a_file_that_is_no_text_is_an_error(dataset):
    (dataset / "leave_out.txt").write_bytes(b"\xff\xfe0")
    with pytest.raises(DataError, match=r"leave_out\.txt: expected a UTF-8 text file") as caught:
        find_pairs(dataset, "train")
    assert caught.value.code == "leave_out_unreadable"


def test_leaving_everything_out_is_said(dataset):
    (dataset / "leave_out.txt").write_text("0000\n0001\n")
    with pytest.raises(DataError, match="val/images: there is no"):
        find_pairs(dataset, "val")


def test_instance_maps_are_left_out_too(tmp_path, landscape):
    folder = write_synthetic_dataset(tmp_path / "data", label_set=landscape, instances=True)
    (folder / "leave_out.txt").write_text("0002\n")
    assert "0002" not in Part(folder, "train").instances.by_stem
    assert len(find_pairs(folder, "train")) == 5
