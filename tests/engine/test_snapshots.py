"""Averages that are kept, found again and exported."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest

from spade_paddle.engine.checkpoint import save_checkpoint
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.errors import ModelError
from spade_paddle.inference.export import export_run
from spade_paddle.inference.painter import Painter


def state_of(images, value=0.0):
    return {
        "generator": {"w": paddle.zeros([1])},
        "average": {"w": paddle.full([1], value)},
        "statistics": {},
        "images_seen": images,
        "seconds": 1.0,
    }


def kept_value(run, snapshot):
    return float(RunFolder(run).averages(snapshot)["average"]["w"][0])


def test_only_averages_are_kept_all_of_them_for_good(tmp_path):
    snapshots = RunFolder(tmp_path)
    for images in (2, 4, 6, 8):
        snapshots.keep(state_of(images, value=images))
    assert [kept_value(tmp_path, str(images)) for images in (2, 4, 6, 8)] == [2, 4, 6, 8]
    state = RunFolder(tmp_path).averages("4")
    assert state.keys() == {"average", "statistics", "images_seen", "seconds"}


def test_best_is_replaced_by_better_ones_only(tmp_path):
    snapshots = RunFolder(tmp_path)
    scores = [(2, float("nan")), (4, 3.0), (6, 3.0), (8, 2.0), (10, 2.5), (12, float("nan"))]
    kept = [
        snapshots.keep_if_best(state_of(images, images), {"a": score, "b": -score}, by="a")
        for images, score in scores
    ]
    assert kept == [False, True, False, True, False, False]
    assert kept_value(tmp_path, "best") == 8
    best = json.loads((tmp_path / "snapshots" / "best.json").read_text())
    assert best == {"images": 8, "a": 2.0, "b": -2.0}


def test_killed_between_weights_and_record_the_best_is_found_again(tmp_path):
    snapshots = RunFolder(tmp_path)
    snapshots.keep_if_best(state_of(2, 2), {"a": 3.0}, by="a")
    record = tmp_path / "snapshots" / "best.json"
    old = record.read_text()
    snapshots.keep_if_best(state_of(4, 4), {"a": 2.0}, by="a")
    record.write_text(old)  # as if the second one had not been written
    assert snapshots.keep_if_best(state_of(4, 4), {"a": 2.0}, by="a")
    assert json.loads(record.read_text())["images"] == 4


def test_snapshots_that_are_not_there_or_damaged_are_told(tmp_path):
    with pytest.raises(ModelError, match="no snapshot 'best'; there are: none"):
        RunFolder(tmp_path).averages("best")
    path = RunFolder(tmp_path).keep(state_of(2000))
    RunFolder(tmp_path).keep_if_best(state_of(2000), {"a": 1.0}, by="a")
    for name in ("3000", "-2000", "../checkpoint/0000000002", "newest", ""):
        with pytest.raises(ModelError, match="there are: 2000, best") as error:
            RunFolder(tmp_path).averages(name)
        assert error.value.code == "snapshot_missing"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="this snapshot is damaged"):
        RunFolder(tmp_path).averages("2000")


def test_recovery_options_name_what_is_there(tmp_path):
    assert RunFolder(tmp_path).recovery_options() == "start a new run"
    save_checkpoint(tmp_path / "checkpoint", state_of(40), images_seen=40)
    RunFolder(tmp_path).keep(state_of(20))
    words = RunFolder(tmp_path).recovery_options()
    assert f"resume from {tmp_path}/checkpoint/0000000040.pdparams (40 images" in words
    assert "tools/export.py --snapshot 20" in words
    assert "best" not in words


def test_export_takes_the_snapshot_that_is_asked_for(run_with_snapshots, tmp_path):
    run, states = run_with_snapshots
    label_map = np.full((32, 32), 3, np.uint8)
    pictures = {}
    for snapshot in (None, "best", "2"):
        out = export_run(run, tmp_path / str(snapshot), name="x", version="1", snapshot=snapshot)
        painter = Painter.load(out, threads=1)
        assert painter.card.training["images_seen"] == states[snapshot]
        pictures[snapshot] = painter.paint(label_map).tobytes()
    assert len(set(pictures.values())) == 3


@pytest.fixture(scope="module")
def run_with_snapshots(workshop):
    """A run of 8 images with a snapshot of 2 of them and one of 6 as the best."""
    options = ["data.instance_edges=false", "validation.keep_snapshots_every_images=2"]
    assert workshop.train("kept", *options).returncode == 0
    run = workshop.folder / "kept"
    names = sorted(path.stem for path in (run / "snapshots").iterdir())
    assert [int(name) for name in names] == [2, 4, 6, 8]
    state = RunFolder(run).averages("6")
    RunFolder(run).keep_if_best(state, {"val_score": 1.0}, by="val_score")
    return run, {None: 8, "best": 6, "2": 2}
