"""tools/evaluate.py as people run it, in processes of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from spade_paddle.annotate import segmentation_network
from spade_paddle.evaluation.job import evaluate_models
from tests.engine.conftest import environment


@pytest.fixture(scope="module")
def run(root, data, weights):
    def run(*options):
        command = [sys.executable, str(root / "tools" / "evaluate.py"), "--side", "64"]
        command += ["--data", str(data), "--features", str(weights), *map(str, options)]
        return subprocess.run(
            command, env=environment(root), capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def models(make_exported):
    return [make_exported(name)[1] for name in ("clade", "style")]


def test_two_models_are_measured_and_compared_the_same_each_time(run, models, tmp_path):
    options = [*("--model", models[0], "--model", models[1]), "--annotator", "none"]
    results = [run(*options, "--json", tmp_path / "deep" / name) for name in ("a", "b")]
    for result in results:
        assert result.returncode == 0, result.stderr
    assert results[0].stdout == results[1].stdout
    texts = [(tmp_path / "deep" / name).read_text(encoding="utf-8") for name in ("a", "b")]
    assert texts[0] == texts[1]
    content = json.loads(texts[0])
    protocol = content["protocol"]
    assert (protocol["part"], protocol["scenes"], protocol["side"]) == ("val", 4, 64)
    assert [model["folder"] for model in protocol["models"]] == [str(model) for model in models]
    assert [row["style"] for row in content["rows"]] == [None, None, "average", "drawn", "own"]
    lines = results[0].stdout.splitlines()
    for row in content["rows"][1:]:
        numbers = [
            *(f"{row['patch_frechet']:.1f}", f"{1000 * row['picture_kernel']:.1f}"),
            *(f"{row['perceptual']:.4f}", f"{row['colour']:.1f}"),
        ]
        cells = [line.strip("|").replace(" ", "").split("|") for line in lines]
        assert [row["title"].replace(" ", ""), *numbers] in cells
    for comparison in content["comparisons"]:
        assert any(
            comparison["title"] in line
            and f"{comparison['mean']:+.4f} |" in line
            and f"{comparison['better']} of 4" in line
            for line in lines
        )
    assert len(content["comparisons"]) == 3


@pytest.mark.skipif(importlib.util.find_spec("paddleseg") is None, reason="no PaddleSeg")
def test_annotator_that_comes_along_looks_at_the_pictures(run, models, tmp_path):
    result = run("--model", models[0], "--json", tmp_path / "all.json")
    assert result.returncode == 0, result.stderr
    assert "| mean IoU | accuracy |" in result.stdout
    content = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert content["protocol"]["annotator"] == "landscape"
    real, painted = content["rows"]
    assert real["iou"].keys() == painted["iou"].keys()
    # an untrained model's pictures show hardly anything of their maps
    assert painted["pixel_accuracy"] < real["pixel_accuracy"] <= 1
    assert content["comparisons"] == []


def test_without_paddleseg_one_line_says_what_to_install(monkeypatch, models, data, weights):
    monkeypatch.setattr(segmentation_network.importlib.util, "find_spec", lambda name: None)
    said = []
    report = evaluate_models(
        models[:1], data=data, features=weights, annotator="landscape", side=64, say=said.append
    )
    assert len(said) == 1
    assert "without mean IoU and accuracy: PaddleSeg is not installed; install it with" in said[0]
    assert report.protocol["annotator"] is None
    assert "mean IoU" not in report.text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "nowhere"], "nowhere: this is not a model folder"),
        (["--features", "none.npz"], "none.npz: there is no such weights file"),
        (["--data", "nowhere"], "nowhere: this is no data set"),
        (["--annotator", "nobody"], "there is no such annotator"),
        (["--json", "/"], "--json is a folder"),
        (["--side", "16"], "expected a whole number from 32 to 1024"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(run, models, options, message):
    if "--model" not in options:
        options = ["--model", models[0], *options]
    result = run(*options)
    assert result.returncode == 2
    assert message in result.stderr.strip().splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
