"""Label maps corrected where an annotator is sure of another label; and tools/correct.py."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.annotate.annotator import Annotation
from spade_paddle.annotate.correction import correct_labels, corrected
from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.label_pictures import read_label_map
from spade_paddle.errors import DataError
from tests.synthetic import SKY, write_synthetic_dataset

PHOTO = np.zeros((2, 4, 3), np.uint8)


def test_only_what_the_annotator_is_sure_of_is_replaced():
    label_map = np.array([[1, 1, 2, 255], [4, 4, 5, 5]], np.uint8)
    sure = np.array([[1, 2, 255, 2], [3, 4, 255, 6]], np.uint8)
    result = corrected(label_map, PHOTO, sure=sure, keep=[], reach=0)
    assert result.tolist() == [[1, 2, 2, 255], [3, 4, 5, 6]]
    result = corrected(label_map, PHOTO, sure=sure, keep=[4, 1], reach=0)
    assert result.tolist() == [[1, 1, 2, 255], [4, 4, 5, 6]]


def test_edges_move_in_the_end():
    """What was corrected belongs to the region that is then moved to the photo's edge."""
    photo = np.full((20, 20, 3), (120, 90, 60), np.uint8)
    photo[:10] = (130, 170, 220)
    label_map, sure = np.full((20, 20), 3, np.uint8), np.full((20, 20), 255, np.uint8)
    label_map[:4], sure[:12] = 2, 1
    result = corrected(label_map, photo, sure=sure, keep=[], reach=4)
    assert (result[:9] == 1).all() and (result[11:] == 3).all()


class SkyEverywhere:
    """An annotator that is sure of sky in the left half."""

    def __init__(self, label_set):
        self.label_set = label_set

    def annotate(self, photo):
        label_map = np.full(photo.shape[:2], 255, np.uint8)
        label_map[:, : photo.shape[1] // 2] = SKY
        return Annotation(label_map, np.ones_like(label_map, np.float32))


@pytest.mark.parametrize("part", ["", "train"])
def test_a_folder_of_maps_is_written_and_the_data_set_stays(tmp_path, landscape, part):
    data = tmp_path / "data"
    write_synthetic_dataset(data, label_set=landscape, train=3, height=32, width=48)
    if not part:
        data = data / "train"
    before = {path: path.read_bytes() for path in data.rglob("*.*")}
    corrections = correct_labels(data, tmp_path / "out", annotator=SkyEverywhere(landscape))
    names = sorted(path.stem for path in (data / part / "labels").iterdir())
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == names
    assert {path: path.read_bytes() for path in data.rglob("*.*")} == before
    total = np.zeros((256, 256), int)
    for name in names:
        old = read_label_map(data / part / "labels" / f"{name}.png", landscape)
        new = read_label_map(tmp_path / "out" / f"{name}.png", landscape)
        assert (new[:, :24] == SKY).all() and np.array_equal(new[:, 24:], old[:, 24:])
        assert corrections.shares[name] == (new != old).mean() > 0
        np.add.at(total, (old, new), 1)
    assert np.array_equal(corrections.relabeled, total)


def test_the_data_set_is_never_overwritten(tmp_path, landscape):
    write_synthetic_dataset(tmp_path, label_set=landscape, height=32, width=32)
    with pytest.raises(DataError, match="would be overwritten") as caught:
        correct_labels(tmp_path, tmp_path / "train" / "labels", annotator=SkyEverywhere(landscape))
    assert caught.value.code == "out_is_input"


def test_the_tool_corrects_a_wrong_map_with_a_real_network(studio, landscape, tmp_path):
    data = tmp_path / "data"
    write_synthetic_dataset(data, label_set=landscape, train=2, height=64, width=64)
    path = data / "train" / "labels" / "0000.png"
    truth = read_label_map(path, landscape)
    wrong = np.where(truth == SKY, landscape.id_of("flower"), truth)
    write_label_map(path, wrong, landscape)
    options = ("--data", data, "--out", tmp_path / "out", "--model", studio.annotator)
    result = studio.run("correct", *options, "--min-confidence", "0.4")
    assert result.returncode == 0, result.stderr
    assert "2 label maps" in result.stdout and "flower " in result.stdout
    new = read_label_map(tmp_path / "out" / path.name, landscape)
    assert (new == SKY)[truth == SKY].mean() > 0.5
    result = studio.run("correct", *options, "--min-confidence", "0.4", "--keep", "flower")
    kept = read_label_map(tmp_path / "out" / path.name, landscape)
    assert (kept == SKY).sum() < 0.1 * (new == SKY).sum()
