"""What computes the pictures: which engine is taken, and what happens where ours cannot be."""

from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pytest

from spade_paddle.errors import ConfigError
from spade_paddle.inference import engines
from spade_paddle.inference.native import kernels
from spade_paddle.inference.painter import Painter
from tests.inference.conftest import CONFIGS, scene_labels

pytestmark = pytest.mark.usefixtures("native_engine")


@pytest.fixture
def without_kernels(monkeypatch):
    def missing():
        raise kernels.KernelsMissing("its C library was not built")

    monkeypatch.setattr(engines, "library", missing)


@pytest.mark.parametrize("kind", CONFIGS)
def test_both_engines_paint_the_same_picture(kind, make_exported, landscape):
    _, folder = make_exported(kind)
    ours, paddles = (
        Painter.load(folder, threads=1, engine=engine) for engine in ("auto", "paddle")
    )
    assert (ours.engine, paddles.engine) == ("native", "paddle")
    for size in ((64, 64), (50, 70)):
        label_map = scene_labels(3, landscape, *size)
        pictures = [each.paint(label_map, seed=2).astype(int) for each in (ours, paddles)]
        assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_without_the_library_paddle_paints_and_one_line_says_so(
    make_exported, landscape, without_kernels, caplog
):
    _, folder = make_exported("clade")
    with caplog.at_level(logging.INFO):
        painter = Painter.load(folder, threads=1)
    assert painter.engine == "paddle"
    lines = [r.getMessage() for r in caplog.records if r.name == engines.__name__]
    assert lines == [
        "tiny is painted by Paddle Inference, not the native engine: its C library was not built"
    ]
    assert painter.paint(scene_labels(1, landscape, 64, 64)).std() > 1


def test_native_by_name_is_refused_where_it_cannot_be_had(make_exported, without_kernels):
    with pytest.raises(ConfigError, match="native engine here: its C library was not built; use"):
        Painter.load(make_exported("clade")[1], threads=1, engine="native")


def test_a_model_of_an_earlier_version_is_painted_by_paddle(make_exported, tmp_path, caplog):
    folder = tmp_path / "old"
    shutil.copytree(make_exported("clade")[1], folder)
    card = json.loads((folder / "model.json").read_text("utf-8"))
    del card["tensors"]
    (folder / "model.json").write_text(json.dumps(card), "utf-8")
    with caplog.at_level(logging.INFO):
        assert Painter.load(folder, threads=1).engine == "paddle"
    assert "an earlier version exported this model; export it again" in caplog.text


def test_weights_that_the_program_has_not_are_told(make_exported, tmp_path, caplog):
    folder = tmp_path / "odd"
    shutil.copytree(make_exported("clade")[1], folder)
    card = json.loads((folder / "model.json").read_text("utf-8"))
    card["tensors"]["up_0.conv_0.weight"] = "another"
    (folder / "model.json").write_text(json.dumps(card), "utf-8")
    with caplog.at_level(logging.INFO):
        assert Painter.load(folder, threads=1).engine == "paddle"
    assert "the program has no another" in caplog.text


def test_a_map_of_too_many_patterns_is_painted_by_paddle(make_exported, monkeypatch):
    _, folder = make_exported("spade")
    painter = Painter.load(folder, threads=1)
    expected = Painter.load(folder, threads=1, engine="paddle")
    monkeypatch.setattr(painter._generator._generator._tables, "_limit", 2**16)
    rng = np.random.default_rng(0)
    chance = rng.integers(0, 13, (64, 64))
    assert np.array_equal(painter.paint(chance), expected.paint(chance))
    plain = np.full((64, 64), 3)
    picture = painter.paint(plain).astype(int)
    assert np.abs(picture - expected.paint(plain)).max() <= 1
    assert 0 < painter._generator._generator._tables.bytes < 2**16


def test_memory_is_kept_unless_it_is_asked_not_to(make_exported, monkeypatch, caplog):
    asked = []
    monkeypatch.setattr(
        "spade_paddle.inference.painter.keep_freed_memory", lambda: asked.append(True)
    )
    with caplog.at_level(logging.DEBUG):
        Painter.load(make_exported("clade")[1], threads=1, keep_memory=False)
        assert asked == []
        Painter.load(make_exported("clade")[1], threads=1)
    assert asked == [True]
    assert "malloc keeps freed memory" in caplog.text
