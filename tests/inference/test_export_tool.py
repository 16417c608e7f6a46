"""tools/export.py: which options go together, and a run that becomes a folder and an ONNX file."""

from __future__ import annotations

import json
import sys

import numpy as np
import onnxruntime
import pytest

from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.inference.painter import Painter
from spade_paddle.layers.spectral import effective_state
from tests.inference.conftest import scene_labels
from tests.tool_module import tool_module


@pytest.fixture
def tool(root, monkeypatch, capsys):
    """Runs the tool in this process: its exit code, and what it said."""
    module = tool_module(root, "export")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["export.py", *map(str, arguments)])
        code = module.main()
        return code, capsys.readouterr()

    return run


@pytest.fixture
def run_folder(make_exported, tmp_path):
    """A run folder of a generator that makes its texture of noise."""
    trained, _ = make_exported("clade")
    run = RunFolder(tmp_path / "run")
    run.describe(trained.config, trained.label_set)
    average = effective_state(trained.generator)
    run.save({"average": average, "images_seen": 8, "seconds": 1.0})
    return run.path


def painted(file, label_map, noise):
    """By onnxruntime, as pixels."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    inputs = {"label_map": label_map[None].astype(np.int32), "noise": noise[None]}
    (picture,) = session.run(None, inputs)
    return (picture[0].transpose(1, 2, 0) + 1) * 127.5, session.get_modelmeta()


def test_a_run_becomes_a_model_folder_and_an_onnx_file_of_it(tool, run_folder, landscape, tmp_path):
    out, file = tmp_path / "out" / "model", tmp_path / "out" / "model.onnx"
    options = ("--name", "lakes", "--version", "3", "--onnx", file)
    code, said = tool("--run", run_folder, "--out", out, *options)
    assert code == 0, said.err
    assert f"model folder: {out}" in said.out and f"ONNX file: {file}" in said.out
    label_map = scene_labels(1, landscape, 64, 96)
    channels = Painter.load(out, threads=1).card.noise_channels
    noise = np.random.default_rng(5).standard_normal((channels, 64, 96), dtype=np.float32)
    picture, about = painted(file, label_map, noise)
    assert np.abs(picture - Painter.load(out, threads=1).paint(label_map, seed=5)).max() < 0.52
    told = about.custom_metadata_map
    assert (told["name"], told["version"]) == ("lakes", "3")

    # and the folder, which is there now, gives the same file again
    again = tmp_path / "again.onnx"
    code, said = tool("--model", out, "--onnx", again)
    assert (code, said.err) == (0, "")
    assert again.read_bytes() == file.read_bytes()


def test_coarse_noise_is_stronger_in_the_exported_model(tool, run_folder, landscape, tmp_path):
    pictures, label_map = [], scene_labels(1, landscape, 64, 96)
    for options in (
        (),
        ("--coarse-noise", "1", "1"),
        ("--coarse-noise", "1", "1", "1", "1", "1", "4"),
    ):
        code, said = tool("--run", run_folder, "--out", tmp_path / "model", *options)
        assert code == 0, said.err
        painter = Painter.load(tmp_path / "model", threads=1)
        recorded = painter.card.training.get("coarse_noise", [])
        assert recorded == [float(each) for each in options[1:]]
        pictures.append(painter.paint(label_map))
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])
    code, said = tool("--run", run_folder, "--out", tmp_path / "none", "--coarse-noise", "-1")
    assert code == 2 and "numbers of at least 0" in said.err
    assert not (tmp_path / "none").exists()


def test_without_onnx_a_run_becomes_a_model_folder_alone(tool, run_folder, tmp_path):
    code, said = tool("--run", run_folder, "--out", tmp_path / "model")
    assert code == 0, said.err
    model = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    assert (model["name"], model["version"]) == ("landscape", "1")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "model"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "expected --run RUN and --out MODEL, got neither"),
        (["--run", "r"], "expected --run RUN and --out MODEL, got --run"),
        (["--onnx", "f.onnx"], "expected --run RUN and --out MODEL, got --onnx"),
        (["--model", "m"], "needs --onnx FILE"),
        (["--model", "m", "--onnx", "f.onnx", "--run", "r"], "takes no --run"),
        (["--model", "m", "--onnx", "f.onnx", "--out", "o", "--version", "2"], "--out, --version"),
        (["--model", "m", "--onnx", "f.onnx", "--trainable"], "takes no --trainable"),
        (["--model", "m", "--onnx", "f.pt"], "--onnx f.pt: expected a file that ends in .onnx"),
        (["--run", "r", "--out", "o", "--onnx", "f"], "expected a file that ends in .onnx"),
        (["--model", "m", "--onnx", "f.onnx"], "m: this is not a model folder"),
    ],
)
def test_options_that_do_not_go_together_are_told_and_nothing_is_written(
    tool, monkeypatch, tmp_path, options, message
):
    monkeypatch.chdir(tmp_path)
    code, said = tool(*options)
    assert code == 2
    assert message in said.err and said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_told_before_anything_is_exported(
    tool, run_folder, monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "paddle2onnx", None)
    code, said = tool(
        *("--run", run_folder, "--out", tmp_path / "model", "--onnx", tmp_path / "f.onnx")
    )
    assert code == 2
    assert said.err.startswith("error: an ONNX file needs") and "pip install" in said.err
    assert {path.name for path in tmp_path.iterdir()} == {"run"}
