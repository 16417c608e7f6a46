"""tools/train_annotator.py: PaddleSeg's own trainer on our data."""

from __future__ import annotations

import shutil

import numpy as np
import paddle
import pytest
import yaml

from spade_paddle.annotate.training import AnnotatorTraining
from spade_paddle.errors import ConfigError, ModelError


def test_annotator_folder_has_network_transforms_labels_and_weights(studio, landscape):
    content = yaml.safe_load((studio.annotator / "model.yml").read_text())
    assert content["model"]["type"] == "PPMobileSeg"
    assert [step["type"] for step in content["val_dataset"]["transforms"]] == [
        "ResizeByShort",
        "Normalize",
    ]
    assert (studio.annotator / "labels.json").read_text(encoding="utf-8") == landscape.to_json()
    weights = paddle.load(str(studio.annotator / "model.pdparams"))
    trained = paddle.load(str(studio.folder / "run" / "iter_80" / "model.pdparams"))
    assert list(weights) == list(trained)
    assert len(weights) > 100
    for name, array in trained.items():
        stored = np.asarray(weights[name])
        kind = np.float16 if stored.ndim > 1 else np.float32  # vectors, such as statistics, stay
        assert stored.dtype == kind, name
        assert np.array_equal(stored, np.asarray(array).astype(kind)), name


def test_training_goes_on_from_the_newest_checkpoint(studio, tmp_path):
    shutil.copytree(studio.folder / "run", tmp_path / "run")
    folders = ("--data", studio.data, "--run", tmp_path / "run", "--out", tmp_path / "out")
    result = studio.run("train_annotator", "--config", studio.config, *folders, "--iters", 82)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Resume model from {tmp_path / 'run' / 'iter_80'}" in result.stdout
    assert (tmp_path / "run" / "iter_82" / "model.pdparams").is_file()
    assert "mean IoU 0." in result.stdout
    assert (tmp_path / "out" / "model.pdparams").is_file()


def test_finished_training_run_again_only_writes_the_annotator(studio, tmp_path):
    shutil.copytree(studio.folder / "run", tmp_path / "run")
    folders = ("--data", studio.data, "--run", tmp_path / "run", "--out", tmp_path / "out")
    result = studio.run("train_annotator", "--config", studio.config, *folders)
    assert result.returncode == 0, result.stdout + result.stderr
    again = (tmp_path / "out" / "model.pdparams").read_bytes()
    assert again == (studio.annotator / "model.pdparams").read_bytes()


def read(path, tmp_path):
    return AnnotatorTraining(path, data=tmp_path, run=tmp_path / "run", iters=None)


def test_resumed_training_sees_the_views_that_are_still_to_come(studio, tmp_path):
    training = AnnotatorTraining(studio.config, data=studio.data, run=tmp_path / "run", iters=10)
    whole, rest = training._dataset(0), training._dataset(6)
    assert (len(whole), len(rest)) == (40, 16)
    assert (whole[24]["img"] == rest[0]["img"]).all()


def test_configuration_without_training_sections_is_told(tmp_path):
    path = tmp_path / "net.yml"
    path.write_text("model: {type: PPMobileSeg, num_classes: 3}\n")
    with pytest.raises(ConfigError, match="missing: batch_size, iters, train_dataset"):
        read(path, tmp_path)


def test_what_is_no_configuration_is_told(tmp_path):
    path = tmp_path / "net.yml"
    path.write_text("model: [half\n")
    with pytest.raises(ModelError, match="cannot be read as a PaddleSeg configuration"):
        read(path, tmp_path)
    path.write_text("batch_size: 3\n")
    with pytest.raises(ModelError, match="with a 'model:' section"):
        read(path, tmp_path)


def test_export_before_any_training_is_told(studio, tmp_path):
    with pytest.raises(ConfigError, match="there is no checkpoint yet"):
        read(studio.config, tmp_path).export(tmp_path / "out")
