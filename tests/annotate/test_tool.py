"""tools/annotate.py as people run it, with a real PaddleSeg network."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import yaml
from PIL import Image

from spade_paddle.data.label_pictures import read_label_map
from tests.engine.conftest import TINY, environment
from tests.synthetic import SKY, WATER, synthetic_scene


@pytest.fixture(scope="module")
def photos(tmp_path_factory, landscape):
    """24 photos of two sizes, two of them in a subfolder."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "holiday").mkdir()
    for index in range(24):
        width = 96 if index % 5 else 80
        scene = synthetic_scene(500 + index, label_set=landscape, height=64, width=width)
        name = f"holiday/p{index}.png" if index < 2 else f"p{index:02d}.jpg"
        Image.fromarray(scene.photo).save(folder / name, quality=95)
    return folder


@pytest.fixture(scope="module")
def annotated(studio, photos):
    """The data set that an uninterrupted run makes of them."""
    out = studio.folder / "straight"
    result = annotate(studio, photos, out)
    assert result.returncode == 0, result.stderr
    assert "24 photos with label maps" in result.stdout
    return out


def annotate(studio, photos, out, *options):
    return studio.run(
        "annotate", "--photos", photos, "--out", out, "--model", studio.annotator, *options
    )


def contents(folder):
    """Every file of a folder with its hash."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def manifest(out):
    lines = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["name"]: record for record in map(json.loads, lines)}


def test_every_photo_has_an_image_a_label_map_and_a_record(annotated, photos):
    names = {path.relative_to(photos).with_suffix("").as_posix() for path in photos.rglob("*.*")}
    expected = {name.replace("/", "__") for name in names}
    assert len(expected) == 24
    assert {path.stem for path in (annotated / "images").iterdir()} == expected
    assert {path.stem for path in (annotated / "labels").iterdir()} == expected
    assert manifest(annotated).keys() == expected


def test_label_maps_are_palette_pngs_of_ids_that_show_the_scene(annotated, landscape):
    hits = []
    for index in (2, 7, 11, 16):
        width = 96 if index % 5 else 80
        truth = synthetic_scene(500 + index, label_set=landscape, height=64, width=width).label_map
        path = annotated / "labels" / f"p{index:02d}.png"
        with Image.open(path) as image:
            assert image.mode == "P"
        given = read_label_map(path, landscape)
        assert given.shape == truth.shape
        hits.append((given == truth)[(truth == SKY) | (truth == WATER)].mean())
    assert min(hits) > 0.6, hits


def test_record_tells_shares_confidence_and_the_photo(annotated, photos, landscape):
    record = manifest(annotated)["holiday__p1"]
    label_map = read_label_map(annotated / "labels" / "holiday__p1.png", landscape)
    assert record["photo"] == "holiday/p1.png"
    content = (photos / "holiday" / "p1.png").read_bytes()
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert (record["width"], record["height"]) == (96, 64)
    assert record["shares"]["sky"] == pytest.approx((label_map == SKY).mean(), abs=1e-4)
    assert sum(record["shares"].values()) == pytest.approx(1, abs=1e-3)
    assert 1 / 13 < record["confidence"] <= 1


def test_plain_jpegs_are_copied_byte_for_byte_others_converted(annotated, photos):
    copied = annotated / "images" / "p05.jpg"
    assert copied.read_bytes() == (photos / "p05.jpg").read_bytes()
    with Image.open(annotated / "images" / "holiday__p0.jpg") as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (80, 64))


def test_killed_run_ends_with_the_same_bytes_when_run_again(studio, photos, annotated):
    out = studio.folder / "killed"
    command = studio.command(
        "annotate", "--photos", photos, "--out", out, "--model", studio.annotator
    )
    process = subprocess.Popen(
        command, env=environment(studio.root), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(out.glob("labels/*.png")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    # a photo half written when the power went
    (out / "labels" / "p23.png.tmp").write_bytes(b"half")
    assert 0 < len(list(out.glob("labels/*.png"))) < 24
    assert not (out / "manifest.jsonl").exists()
    assert annotate(studio, photos, out).returncode == 0
    assert contents(out) == contents(annotated)


def test_second_run_writes_no_label_map_again(studio, photos, annotated):
    before = {path: path.stat().st_mtime_ns for path in (annotated / "labels").iterdir()}
    assert annotate(studio, photos, annotated).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (annotated / "labels").iterdir()} == before


def test_shards_of_two_machines_make_one_data_set(studio, photos, annotated):
    out = studio.folder / "shards"
    for shard in ("1/2", "2/2"):
        result = annotate(studio, photos, out, "--shard", shard)
        assert result.returncode == 0, result.stderr
    assert len(list((out / "labels").iterdir())) == 24
    assert manifest(out).keys() == manifest(annotated).keys()
    assert (out / "manifest.jsonl").read_text().count("\n") == 24


def test_broken_photos_are_told_and_skipped_never_fatal(studio, photos, tmp_path):
    (tmp_path / "in").mkdir()
    good = (photos / "p05.jpg").read_bytes()
    (tmp_path / "in" / "good.jpg").write_bytes(good)
    (tmp_path / "in" / "cut.jpg").write_bytes(good[: len(good) // 2])
    (tmp_path / "in" / "empty.jpg").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    result = annotate(studio, tmp_path / "in", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert (
        "skipped cut.jpg: cut.jpg: cannot be read as a photo: image file is trunc" in result.stdout
    )
    assert "1 photos with label maps" in result.stdout
    assert "; 2 skipped" in result.stdout
    records = manifest(tmp_path / "out")
    assert {name for name, record in records.items() if "skipped" in record} == {"cut", "empty"}
    # mended photos get their label map with the same command
    (tmp_path / "in" / "cut.jpg").write_bytes(good)
    assert annotate(studio, tmp_path / "in", tmp_path / "out").returncode == 0
    records = manifest(tmp_path / "out")
    assert {name for name, record in records.items() if "skipped" in record} == {"empty"}
    assert (tmp_path / "out" / "labels" / "cut.png").is_file()


def test_unsure_pixels_become_dont_care(studio, photos, tmp_path, landscape):
    result = annotate(studio, photos / "holiday", tmp_path, "--min-confidence", "0.6")
    assert result.returncode == 0, result.stderr
    record = manifest(tmp_path)["p0"]
    label_map = read_label_map(tmp_path / "labels" / "p0.png", landscape)
    assert 0 < (label_map == 255).mean() < 1
    assert record["low_confidence"] == pytest.approx((label_map == 255).mean(), abs=1e-4)
    assert record["shares"]["dont_care"] == pytest.approx(record["low_confidence"], abs=1e-4)


def test_scales_and_flip_look_again_and_change_little(
    studio, photos, annotated, tmp_path, landscape
):
    result = annotate(studio, photos / "holiday", tmp_path, "--flip", "--scales", "1.0,1.5")
    assert result.returncode == 0, result.stderr
    again = read_label_map(tmp_path / "labels" / "p0.png", landscape)
    once = read_label_map(annotated / "labels" / "holiday__p0.png", landscape)
    assert 0.5 < (again == once).mean() < 1


def test_other_settings_are_refused_in_a_folder_that_has_maps(studio, photos, annotated):
    result = annotate(studio, photos, annotated, "--flip")
    assert result.returncode == 2
    assert "made with other settings: flip False, now True; use those again" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--shard", "5/4"], "expected for example 2/4"),
        (["--scales", "1,huge"], "expected numbers from 0.25 to 4"),
        (["--min-confidence", "2"], "expected a number from 0.0 to 1.0"),
        (["--label-set", "landscpe"], "did you mean 'landscape'"),
        (["--model", "nothing"], "there is no such annotator"),
        (["--model-labels", "ade20k"], "has 13 classes, but the label set 'ade20k' has 150"),
    ],
)
def test_wrong_options_are_told_in_one_line(studio, photos, tmp_path, options, words):
    result = annotate(studio, photos, tmp_path / "out", *options)
    assert result.returncode == 2
    assert words in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_configuration_of_paddlesegs_own_layout_serves_as_model(
    studio, photos, annotated, tmp_path
):
    """YAML with ``_base_``, a backbone address that must not be asked, weights beside it."""
    configs = tmp_path / "configs"
    shutil.copytree(studio.config.parent.parent, configs)
    config = configs / "pp_mobileseg" / "scenes.yml"
    content = yaml.safe_load(config.read_text())
    content["model"]["backbone"]["pretrained"] = "https://example.invalid/backbone.pdparams"
    config.write_text(yaml.safe_dump(content))
    shutil.copy(studio.annotator / "model.pdparams", config.with_suffix(".pdparams"))
    options = ("--photos", photos / "holiday", "--out", tmp_path / "out", "--model", config)
    result = studio.run("annotate", *options, "--model-labels", "landscape")
    assert result.returncode == 0, result.stderr
    for name in ("p0", "p1"):
        given = np.asarray(Image.open(tmp_path / "out" / "labels" / f"{name}.png"))
        before = np.asarray(Image.open(annotated / "labels" / f"holiday__{name}.png"))
        assert np.array_equal(given, before)


def test_weights_of_another_network_are_refused(studio, photos, tmp_path):
    shutil.copytree(studio.annotator, tmp_path / "other")
    path = tmp_path / "other" / "model.yml"
    path.write_text(path.read_text().replace("out_feat_chs:\n    - 32", "out_feat_chs:\n    - 48"))
    options = ("--photos", photos, "--out", tmp_path / "out", "--model", tmp_path / "other")
    result = studio.run("annotate", *options)
    assert result.returncode == 2
    assert "missing, unexpected or of another shape" in result.stderr
    assert "belong to another configuration" in result.stderr


def test_doctor_and_training_take_what_was_annotated(studio, annotated, tmp_path):
    diagnosis = studio.run("doctor", annotated, "--json")
    assert diagnosis.returncode == 0, diagnosis.stdout
    found = {finding["code"] for finding in json.loads(diagnosis.stdout)["findings"]}
    # what a network of a few steps draws differs by processor, and thin runs in it may look like
    # an interpolation; everything that is not of the drawing itself must be right
    assert found <= {"labels_empty", "labels_rare", "label_map_interpolated"}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump({**TINY, "total_images": 4}))
    shutil.copy(annotated / "labels.json", tmp_path / "labels.yaml")
    options = ("--config", tmp_path / "tiny.yaml", "--data", annotated, "--run", tmp_path / "run")
    result = studio.run("train", *options, "--set", "data.instance_edges=false")
    assert result.returncode == 0, result.stderr
    assert "done: 4 images" in result.stdout


def test_empty_folder_is_told(studio, tmp_path):
    result = annotate(studio, tmp_path, tmp_path / "out")
    assert result.returncode == 2
    assert "there is no photo here" in result.stderr


def test_annotator_that_comes_along_knows_the_sky(studio, root, tmp_path):
    with Image.open(root / "docs" / "sheet.jpg") as sheet:
        photo = sheet.crop((364, 4, 532, 172))  # blue sky, mountains, a lake
    (tmp_path / "in").mkdir()
    photo.save(tmp_path / "in" / "lake.png")
    result = studio.run("annotate", "--photos", tmp_path / "in", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    label_map = np.asarray(Image.open(tmp_path / "out" / "labels" / "lake.png"))
    assert (label_map[:48] == SKY).mean() > 0.9
    assert (label_map[-40:] == SKY).mean() < 0.02
