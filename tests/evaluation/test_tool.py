"""tools/evaluate.py as people run it, in processes of its own."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys

import pytest

from spade_paddle.annotate import segmentation_network
from spade_paddle.data.split import split_of
from spade_paddle.errors import DataError, UserError
from spade_paddle.evaluation.task import Task, evaluate
from spade_paddle.files import sha256
from tests.engine.conftest import environment
from tests.evaluation.test_contenders import trained_with, with_val_share
from tests.synthetic import write_synthetic_dataset

TASK = "spade_paddle.evaluation.task"


@pytest.fixture(scope="module")
def run(processes, root, data, weights):
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
    assert protocol["half"] == "report"
    assert (protocol["part"], protocol["scenes"], protocol["side"]) == ("val", 2, 64)
    assert [model["folder"] for model in protocol["models"]] == [str(model) for model in models]
    assert [row["style"] for row in content["rows"]] == [None, None, "average", "drawn", "own"]
    lines = results[0].stdout.splitlines()
    floor = content["rows"][0]["frechet_10"]["value"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for row in content["rows"][1:]:
        distance, color = row["frechet_10"], row["color"]
        assert distance["over_floor"] == pytest.approx(distance["value"] / floor)
        shown = next(line for line in cells if line[0] == row["title"])
        assert shown[3] == f"{distance['value']:.2f}"
        assert shown[4] == (
            f"{distance['value'] / floor:.2f} "
            f"[{distance['low'] / floor:.2f}, {distance['high'] / floor:.2f}]"
        )
        assert any(
            line[0] == row["title"]
            and line[2] == f"{color['value']:.1f} [{color['low']:.1f}, {color['high']:.1f}]"
            for line in cells
        )
    for comparison in content["comparisons"]:
        assert any(
            line[:2] == [comparison["title"], comparison["baseline"]]
            and line[-1] == f"{comparison['nearer']} of 2"
            for line in cells
        )
    assert len(content["comparisons"]) == 3


def test_scenes_are_those_of_the_half_that_is_asked_for(run, models, tmp_path):
    options = ["--model", models[0], "--annotator", "none", "--half", "choose"]
    result = run(*options, "--json", tmp_path / "choose.json")
    assert result.returncode == 0, result.stderr
    content = json.loads((tmp_path / "choose.json").read_text(encoding="utf-8"))
    assert content["protocol"]["half"] == "choose"
    assert [scene["scene"] for scene in content["rows"][1]["scenes"]] == ["0002", "0003"]


def test_flat_data_set_is_split_as_it_was_for_the_model(models, weights, tmp_path, landscape):
    # of the names 0000 to 0039 other ones fall to val with a share of 0.3 than with the default
    data = write_synthetic_dataset(tmp_path / "data", label_set=landscape, train=40, val=2)
    folder = with_val_share(models[0], tmp_path / "model", 0.3)
    heads = {"kind": "both", "projected_network": "efficientnet_lite0"}
    folder = trained_with(folder, tmp_path / "fond", "discriminator", **heads)
    said = []
    task = Task(
        data=data / "train",
        models=[folder],
        features=weights,
        annotator=None,
        half="all",
        side=64,
        replicates=20,
    )
    report = evaluate(task, say=said.append)
    assert len(said) == 1
    assert "fond was trained with" in said[0]
    assert [model["trained_with_these_features"] for model in report.protocol["models"]] == [True]
    stems = [scene.scene for scene in report.rows[1].scenes]
    names = [f"{index:04d}" for index in range(40)]
    assert stems == [name for name in names if split_of(name, val_share=0.3) == "val"]
    assert report.protocol["val_share"] == 0.3


@pytest.mark.skipif(importlib.util.find_spec("paddleseg") is None, reason="no PaddleSeg")
def test_annotator_that_comes_along_looks_at_the_pictures(run, models, tmp_path):
    result = run("--model", models[0], "--json", tmp_path / "all.json")
    assert result.returncode == 0, result.stderr
    assert "mean IoU" in result.stdout
    content = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert content["protocol"]["annotator"]["name"] == "landscape"
    real, painted = content["rows"]
    assert real["iou"].keys() == painted["iou"].keys()
    # an untrained model's pictures show hardly anything of their maps
    assert painted["pixel_accuracy"]["value"] < real["pixel_accuracy"]["value"] <= 1
    assert content["comparisons"] == []


def test_without_paddleseg_one_line_says_what_to_install(monkeypatch, models, data, weights):
    monkeypatch.setattr(segmentation_network.importlib.util, "find_spec", lambda name: None)
    said = []
    task = Task(data=data, models=models[:1], features=weights, side=64, replicates=20)
    report = evaluate(task, say=said.append)
    assert len(said) == 1
    assert "without mean IoU and accuracy: PaddleSeg is not installed; install it with" in said[0]
    assert report.protocol["annotator"] is None
    assert "mean IoU" not in report.text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "nowhere"], "nowhere: this is not a model folder"),
        (["--features", "none.npz"], "none.npz: there is no such weights file"),
        (["--data", "nowhere"], "nowhere: this is not a data set"),
        (["--annotator", "nobody"], "there is no such annotator"),
        (["--json", "/"], "--json is a folder"),
        (["--half", "best"], "invalid choice: 'best'"),
        (["--side", "16"], "expected a whole number from 32 to 1024"),
        (["--pictures", "nowhere"], "nowhere: there is no such folder"),
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


def test_fid_kid_and_pictures_are_measured_with_their_protocol(
    run, data, weights, inception, inception_weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(f"{TASK}.InceptionExtractor", lambda path, kernel: inception)
    theirs = shutil.copytree(data / "val" / "images", tmp_path / "theirs")
    # without a contender, of the photos to choose by
    task = Task(
        data=data,
        inception=inception_weights,
        save_statistics=tmp_path / "s.npz",
        features=weights,
        annotator=None,
        label_set="landscape",
        half="choose",
        side=64,
        replicates=20,
    )
    assert "FID" in evaluate(task).text()
    options = ["--inception", inception_weights, "--annotator", "none", "--replicates", 20]
    options += ["--pictures", theirs, "--statistics", tmp_path / "s.npz"]
    result = run(*options, "--label-set", "landscape", "--json", tmp_path / "j")
    assert result.returncode == 0, result.stderr
    content = json.loads((tmp_path / "j").read_text(encoding="utf-8"))
    photos, copied = content["rows"]
    assert copied["title"] == "theirs"
    assert copied["fid"]["value"] == pytest.approx(0, abs=1e-6 * photos["fid"]["value"])
    assert copied["kid"]["value"] < 0 or photos["kid"]["value"] > 0
    assert copied["fid_statistics"] == photos["fid_statistics"]
    assert copied["fid_statistics"]["value"] > 0
    assert copied["diversity"] is None
    protocol = content["protocol"]
    assert protocol["statistics"]["count"] == 2
    assert protocol["pictures"][0]["folder"] == str(theirs)
    assert protocol["replicates"] == 20
    # beside every table the scenes, and beside every number its network
    tables = result.stdout.count("\n\n|") + result.stdout.startswith("|")
    assert result.stdout.count(f"Protocol: {protocol['common']}") == tables == 3
    for words in ("2 scenes", "half to report", "64 x 64", "seed = index", "20 replicates"):
        assert words in protocol["common"], words
    for name in ("fid", "fid_statistics", "kid", "frechet_4", "perceptual", "diversity"):
        assert f": {protocol['measures'][name]}" in result.stdout
    assert sha256(inception_weights)[:8] in protocol["measures"]["kid"]
    with pytest.raises(
        DataError, match=r"another protocol, pictures: 'central square at 64 x 64 .* 96"
    ):
        evaluate(dataclasses.replace(task, side=96, statistics=tmp_path / "s.npz"))


def test_without_features_the_weights_are_those_of_the_package(models, data, weights, monkeypatch):
    monkeypatch.setattr(f"{TASK}.EfficientNetLite0.packaged_weights", lambda option: weights)
    task = Task(data=data, models=models[:1], annotator=None, side=64, replicates=20)
    report = evaluate(task)
    assert report.protocol["features"]["sha256"] == sha256(weights)
    assert weights.name in report.text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "there is nothing to measure: give --model or --pictures"),
        ({"statistics": "s.npz"}, "give its weights with --inception"),
        ({"save_statistics": "s.npz"}, "give its weights with --inception"),
        ({"inception": "none.pth"}, r"none\.pth: there is no such weights file"),
        ({"label_set": "landscap"}, "did you mean 'landscape'"),
    ],
)
def test_options_that_are_missing_or_do_not_go_together_are_told(
    models, data, weights, options, message
):
    contenders = {"models": models[:1]} if options else {}
    task = Task(data=data, features=weights, annotator=None, side=64, **contenders, **options)
    with pytest.raises(UserError, match=message):
        evaluate(task)


def test_data_without_a_model_needs_its_labels_told(data, weights, tmp_path, landscape):
    shutil.copytree(data, tmp_path / "data", ignore=shutil.ignore_patterns("labels.json"))
    task = Task(
        data=tmp_path / "data",
        pictures=[data / "val" / "images"],
        features=weights,
        annotator=None,
        side=64,
        replicates=20,
    )
    with pytest.raises(DataError, match=r"not known without a model; .*--label-set") as error:
        evaluate(task)
    assert error.value.code == "labels_unknown"
    report = evaluate(dataclasses.replace(task, label_set="landscape"))
    assert report.label_set == landscape
    assert report.rows[1].title == "images"
