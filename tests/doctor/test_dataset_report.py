"""What the report says: quick looks, summary, suggestions, errors, and tools/doctor.py itself."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from spade_paddle.config import Config, DataConfig, GeneratorConfig, read_config
from spade_paddle.data.label_sets import own_label_set
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor import survey as survey_module
from spade_paddle.doctor.examine import check_before_training
from spade_paddle.doctor.findings import SEVERITIES
from spade_paddle.errors import ConfigError, DataError

PHOTO, LABELS = "train/images/0002.png", "train/labels/0002.png"


def unknown_id(dataset, name=LABELS):
    ids = dataset.ids(name)
    ids[0, 0] = 77
    dataset.write(name, ids)


def test_errors_come_before_warnings_and_advice(dataset):
    dataset.write(PHOTO, dataset.ids(PHOTO)[..., 0])  # advice: gray
    dataset.write("val/labels/0001.png", np.full((64, 96), 255, np.uint8))  # a warning
    unknown_id(dataset)
    report = dataset.examine()
    assert [f.severity for f in report.findings] == ["error", "warning", "advice"]
    assert report.failed
    with pytest.raises(DataError, match=r"train/labels/0002\.png: unknown label ids 77") as error:
        report.stop_at_errors()
    assert error.value.code == "label_unknown"


def test_warnings_alone_do_not_fail(dataset):
    dataset.write("val/labels/0001.png", np.full((64, 96), 255, np.uint8))
    report = dataset.examine()
    assert not report.failed
    report.stop_at_errors()


def test_quick_look_finds_what_stops_training(dataset):
    unknown_id(dataset)
    dataset.write("train/labels/0003.png", dataset.ids("train/labels/0003.png")[1:])
    (dataset / "train/images/0004.png").write_bytes(b"")
    (dataset / "train/labels/0005.png").unlink()
    assert dataset.found(quick=True) == {
        "photo_alone": ("train/images/0005.png",),
        "photo_unreadable": ("train/images/0004.png",),
        "sizes_differ": ("train/labels/0003.png",),
        "label_unknown": (LABELS,),
    }


def test_quick_look_reads_a_sample_of_the_maps_from_all_over(dataset, monkeypatch):
    monkeypatch.setattr(survey_module, "QUICK_MAPS", 4)
    read = [
        s.pair.label_map
        for s in survey_module.take_survey(
            dataset.folder, dataset.label_set, config=None, quick=True
        ).scenes
        if s.label_map.counts is not None
    ]
    again = survey_module._sample(8)
    assert len(read) == len(again) == 4
    assert [index // 2 for index in sorted(again)] == [0, 1, 2, 3]  # one in every quarter
    assert survey_module._sample(8) == again


def test_quick_look_decodes_no_photo(dataset):
    path = dataset / PHOTO
    path.write_bytes(path.read_bytes()[:-500])  # its header is whole
    assert dataset.found(quick=True) == {}
    assert "photo_unreadable" in dataset.found()


def test_before_training_errors_stop_and_warnings_are_told(dataset):
    config = Config(data=DataConfig(crop_size=64, load_size=64))
    for name in (PHOTO, LABELS):
        dataset.write(name, dataset.ids(name)[:40])
    told = []
    check_before_training(dataset.folder, dataset.label_set, config=config, warn=told.append)
    assert len(told) == 1
    assert told[0].startswith("warning: train/images/0002.png: smaller than the training pictures")
    check_before_training(dataset.folder, dataset.label_set, config=config, warn=None)
    unknown_id(dataset)
    with pytest.raises(DataError, match="unknown label ids 77"):
        check_before_training(dataset.folder, dataset.label_set, config=config, warn=told.append)


def test_summary_tells_sizes_and_shares(dataset):
    for name in (PHOTO, LABELS):
        dataset.write(name, np.concatenate([dataset.ids(name)] * 2))
    ids = dataset.ids("val/labels/0000.png")
    ids[:16] = 255
    dataset.write("val/labels/0000.png", ids)
    train, val = dataset.examine().summary
    assert (train.name, train.scenes, train.maps_read) == ("train", 6, 6)
    assert (train.smallest, train.middle, train.largest) == ((96, 64), (96, 64), (96, 128))
    assert sum(train.shares) == pytest.approx(1)
    assert train.shares[2] == pytest.approx(64 / (64 * 96))  # the square that the fixture draws
    assert train.maps[2] == 6
    assert train.maps[-1] == 0
    assert val.shares[-1] == pytest.approx(1 / 8)  # a quarter of one of two maps
    assert val.maps[-1] == 1
    text = dataset.examine().text()
    assert "2 cloud" in text
    assert "photos from 96x64 to 96x128, typically 96x64 pixels" in text


def data_section(dataset, **options):
    return yaml.safe_load("\n".join(dataset.examine(**options).suggestions))["data"]


def test_suggested_lines_are_a_configuration_that_fits(dataset):
    section = data_section(dataset)
    assert section == {
        "labels": "labels/eight.yaml",
        "crop_size": 64,
        "load_size": 64,
        "dont_care": False,
        "instance_edges": False,
    }
    config = read_config({"data": section})
    assert dataset.found(config=config) == {}
    more = Config(generator=GeneratorConfig(upsampling="more"))  # multiples of 64
    assert data_section(dataset, config=more)["crop_size"] == 64
    most = Config(generator=GeneratorConfig(upsampling="most"))
    assert data_section(dataset, config=most)["crop_size"] == 128
    lines = dataset.examine().suggestions
    assert lines[1].endswith("# 8 labels")


def test_suggestion_for_large_photos_is_the_usual_size(dataset):
    for name in ("images", "labels"):
        for path in dataset.folder.glob(f"*/{name}/*.png"):
            with Image.open(path) as image:
                larger = image.resize((960, 640), Image.Resampling.NEAREST)
            larger.save(path)
    section = data_section(dataset)
    assert (section["crop_size"], section["load_size"]) == (256, 286)


def test_suggestion_follows_what_there_is(with_instances, landscape):
    ids = with_instances.ids(LABELS)
    ids[60:] = 255
    with_instances.write(LABELS, ids)
    (with_instances / "labels.json").write_text(json.dumps(with_instances.label_set.to_dict()))
    section = data_section(with_instances)
    assert section["instance_edges"] is True
    assert section["dont_care"] is True
    assert section["labels"] == str((with_instances / "labels.json").resolve())
    ids[60:] = 7
    with_instances.write(LABELS, ids)
    drops = Config(data=DataConfig(drop_label_probability=0.1, crop_size=64))
    assert data_section(with_instances, config=drops)["dont_care"] is True


def test_labels_that_a_data_set_brings_along_are_used(tmp_path, landscape, eight):
    assert own_label_set(tmp_path) is None
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(eight.to_dict()))
    assert own_label_set(tmp_path) == eight
    path.write_text(json.dumps(landscape.to_dict()["labels"]))
    assert own_label_set(tmp_path) == landscape  # known by its labels
    path.write_text(json.dumps(eight.to_dict()["labels"]))
    assert own_label_set(tmp_path) == LabelSet(tmp_path.name, eight.labels)
    path.write_text("{")
    with pytest.raises(ConfigError, match="this is not JSON"):
        own_label_set(tmp_path)


def test_every_severity_is_one_of_three():
    assert set(SEVERITIES.values()) == {"error", "warning", "advice"}


@pytest.fixture
def doctor(processes, root, dataset):
    """tools/doctor.py as people run it."""
    (dataset / "labels.json").write_text(json.dumps(dataset.label_set.to_dict()))

    def run(*words):
        return subprocess.run(
            [sys.executable, str(root / "tools/doctor.py"), *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            cwd=root,
            env={"PYTHONPATH": str(root), "PATH": "", "OMP_NUM_THREADS": "1"},
        )

    return run


def test_tool_exits_with_0_for_warnings_1_for_errors_and_2_for_wrong_usage(dataset, doctor):
    dataset.write(PHOTO, dataset.ids(PHOTO)[..., 0])
    result = doctor(dataset.folder)
    assert result.returncode == 0, result.stderr
    assert "photo_mode" in result.stdout
    assert "training is possible" in result.stdout
    unknown_id(dataset)
    result = doctor(dataset.folder)
    assert result.returncode == 1
    assert "training would fail" in result.stdout
    result = doctor(dataset.folder, "--label-set", "landscapes")
    assert result.returncode == 2
    assert result.stderr.startswith("error: there is no label set 'landscapes'")
    assert doctor(dataset / "nowhere").returncode == 2


def test_tool_repairs_and_speaks_json(dataset, doctor, tmp_path):
    unknown_id(dataset)
    result = doctor(dataset.folder, "--json", "--fix", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["before"]["failed"] is True
    assert printed["before"]["labels"] == {"name": "eight", "count": 8}
    (finding,) = printed["before"]["findings"]
    assert (finding["code"], finding["severity"]) == ("label_unknown", "error")
    assert finding["files"] == [LABELS]
    assert [a["files"] for a in printed["done"] if a["done"] == "changed"] == [[PHOTO, LABELS]]
    assert printed["after"]["findings"] == []
    result = doctor(dataset.folder, "--fix", tmp_path / "out")
    assert result.returncode == 2
    assert "give a new or an empty folder" in result.stderr
