from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.errors import DataError, LabelMapError, RequestError
from spade_paddle.inference.natural_edges import natural_edges
from spade_paddle.serving.paint_files import paint_files, read_style
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings
from tests.pictures import file_bytes, scene


@pytest.fixture
def service(painter):
    return PaintService(load_painter=lambda: painter, settings=ServiceSettings())


@pytest.fixture
def folder(tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    for name in ("b", "a"):
        (labels / f"{name}.png").write_bytes(file_bytes(scene()))
    (labels / "notes.txt").write_text("not a label map", encoding="utf-8")
    return labels


def test_each_label_file_of_a_folder_becomes_a_picture_of_its_name(service, folder, tmp_path):
    written = paint_files(folder, tmp_path / "new" / "out", service=service)
    assert [path.name for path in written] == ["a.png", "b.png"]
    assert Image.open(written[0]).size == (64, 64)
    assert sorted(path.name for path in (tmp_path / "new/out").iterdir()) == ["a.png", "b.png"]


def test_one_file_may_be_painted_as_jpeg(service, folder, tmp_path):
    (path,) = paint_files(folder / "a.png", tmp_path, service=service, image_format="jpeg")
    assert (path.name, Image.open(path).format) == ("a.jpeg", "JPEG")


def test_edges_may_be_natural(service, folder, tmp_path, label_set):
    (path,) = paint_files(folder / "a.png", tmp_path, service=service, edges="natural", seed=3)
    expected = label_set.colorize(natural_edges(scene(), label_set, seed=3))
    assert np.array_equal(np.asarray(Image.open(path)), expected)


def test_a_label_file_is_never_replaced_by_its_picture(service, folder):
    before = (folder / "a.png").read_bytes()
    with pytest.raises(DataError, match="another output folder"):
        paint_files(folder, folder, service=service)
    assert (folder / "a.png").read_bytes() == before


def test_a_broken_label_file_is_named_and_leaves_nothing_behind(service, folder, tmp_path):
    (folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(RequestError, match=r"a\.png"):
        paint_files(folder, tmp_path / "out", service=service)
    (folder / "a.png").write_bytes(file_bytes(np.full((64, 64), 99, np.uint8)))
    with pytest.raises(LabelMapError, match=r"a\.png"):
        paint_files(folder, tmp_path / "out", service=service)
    assert not (tmp_path / "out").exists()


def test_missing_input_and_empty_folders_are_said_plainly(service, tmp_path):
    with pytest.raises(DataError, match="nothing"):
        paint_files(tmp_path / "nope.png", tmp_path, service=service)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"\.png"):
        paint_files(tmp_path / "empty", tmp_path, service=service)


def test_an_output_folder_that_is_a_file_is_said_plainly(service, folder, tmp_path):
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="taken"):
        paint_files(folder, tmp_path / "taken", service=service)


def test_a_style_is_a_name_of_the_model_or_a_photo(service, painter, folder, tmp_path):
    painter.styles = {"sunset": np.ones(4)}
    painter.has_styles = True
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(file_bytes(np.zeros((40, 50, 3), np.uint8), image_format="JPEG"))
    paint_files(folder / "a.png", tmp_path / "out", service=service, style="sunset")
    paint_files(folder / "a.png", tmp_path / "out", service=service, style=str(photo))
    name, pixels = painter.asked_styles
    assert name == "sunset" and pixels.shape == (40, 50, 3)


def test_a_style_that_is_neither_is_said_with_the_names_before_anything_is_painted(
    service, painter, folder, tmp_path
):
    painter.styles = {"sunset": np.ones(4)}
    with pytest.raises(LabelMapError, match=r"dusk.*sunset"):
        paint_files(folder, tmp_path / "out", service=service, style="dusk")
    assert painter.painted == 0
    with pytest.raises(DataError):
        read_style(folder / "notes.txt", service=service)
