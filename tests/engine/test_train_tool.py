"""tools/train.py as people run it, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import paddle
import pytest
import yaml
from PIL import Image

from tests.engine.conftest import environment

# a style encoder, CLADE-ICPE and synchronised statistics, in as few numbers as may be
STYLE = (
    *("generator.norm=clade_icpe", "generator.param_free_norm=sync_batch"),
    *("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16"),
)


def weights(workshop, run, images):
    path = workshop.folder / run / "checkpoint" / f"{images:010d}.pdparams"
    return paddle.load(str(path), return_numpy=True)


def assert_same_state(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        if isinstance(value, dict):
            assert_same_state(value, right[name])
        elif name != "seconds":
            assert np.array_equal(np.asarray(value), np.asarray(right[name])), name


@pytest.fixture(scope="module")
def finished(workshop):
    """A run of 8 images, uninterrupted."""
    result = workshop.train("straight")
    assert result.returncode == 0, result.stderr
    return result


def test_run_folder_holds_everything_that_is_promised(workshop, finished):
    run = workshop.folder / "straight"
    assert "done: 8 images" in finished.stdout
    assert yaml.safe_load((run / "config.yaml").read_text())["generator"]["ngf"] == 2
    assert json.loads((run / "labels.json").read_text())["name"] == "landscape"
    environment_json = json.loads((run / "environment.json").read_text())
    assert environment_json["paddle"] == paddle.__version__
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [4, 8]
    assert {"g_gan", "g_feat", "d_fake", "d_real", "lr", "images_per_s"} <= lines[0].keys()
    assert not list(run.rglob("*.tmp"))
    # two validation scenes, each as label map | generated | photo of 32 x 32, gaps of 4
    assert Image.open(run / "samples" / "0000000008-samples.png").size == (32 * 3 + 8, 32 * 2 + 4)


def test_progress_bar_tells_images_per_second_and_time_left(finished):
    assert "img/s" in finished.stderr
    assert "8/8" in finished.stderr


def test_visualdl_log_reads_back(workshop, finished):
    from visualdl import LogReader

    del finished
    files = list((workshop.folder / "straight" / "vdl").iterdir())
    assert len(files) == 1
    reader = LogReader(file_path=str(files[0]))
    tags = reader.get_tags()
    assert "g_gan" in tags["scalar"]
    assert tags["image"] == ["samples"]
    assert [record.id for record in reader.get_data("scalar", "g_gan")] == [4, 8]


def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(workshop, finished):
    del finished
    assert workshop.train("parts", "total_images=4").returncode == 0
    again = workshop.train("parts")
    assert again.returncode == 0, again.stderr
    assert "going on from 4 images" in again.stdout + again.stderr
    assert_same_state(weights(workshop, "straight", 8), weights(workshop, "parts", 8))
    text = (workshop.folder / "parts" / "metrics.jsonl").read_text()
    assert [json.loads(line)["images"] for line in text.splitlines()] == [4, 8]


def test_resumed_run_with_style_ends_with_the_weights_of_an_uninterrupted_one(workshop):
    straight = workshop.train("style-straight", *STYLE)
    assert straight.returncode == 0, straight.stderr
    assert straight.stderr.count("sync_batch: one process only") == 1
    assert workshop.train("style-parts", *STYLE, "total_images=4").returncode == 0
    again = workshop.train("style-parts", *STYLE)
    assert again.returncode == 0, again.stderr
    state = weights(workshop, "style-straight", 8)
    assert {"encoder", "average_encoder"} <= state.keys()
    assert_same_state(state, weights(workshop, "style-parts", 8))
    text = (workshop.folder / "style-parts" / "metrics.jsonl").read_text()
    assert all(json.loads(line)["g_vae"] > 0 for line in text.splitlines())
    earlier = weights(workshop, "style-straight", 4)["encoder"]["fc_mu.weight"]
    assert np.abs(state["encoder"]["fc_mu.weight"] - earlier).max() > 1e-4  # the encoder learns
    # what a style is made into belongs to one size
    other = workshop.train("style-straight", *STYLE, "data.crop_size=64", "data.load_size=64")
    assert other.returncode == 2
    assert "data.crop_size was 32, is 64" in other.stderr


def test_different_seed_ends_with_different_weights(workshop, finished):
    del finished
    assert workshop.train("other-seed", "seed=6").returncode == 0
    one, other = weights(workshop, "straight", 8), weights(workshop, "other-seed", 8)
    assert not np.array_equal(one["average"]["fc.weight"], other["average"]["fc.weight"])


def test_shortest_run_still_leaves_numbers_and_a_picture(workshop):
    assert workshop.train("short", "total_images=1", "batch_size=1").returncode == 0
    run = workshop.folder / "short"
    assert json.loads((run / "metrics.jsonl").read_text())["images"] == 1
    assert (run / "samples" / "0000000001-samples.png").is_file()


def test_finished_run_stays_finished(workshop, finished):
    del finished
    result = workshop.train("straight")
    assert result.returncode == 0
    assert "done: 8 images" in result.stdout


def test_damaged_newest_checkpoint_is_reported_and_the_one_before_used(workshop):
    assert workshop.train("damaged").returncode == 0
    newest = workshop.folder / "damaged" / "checkpoint" / "0000000008.pdparams"
    newest.write_bytes(newest.read_bytes()[:1000])
    result = workshop.train("damaged")
    assert result.returncode == 0, result.stderr
    assert "is damaged" in result.stdout + result.stderr
    assert "going on from 4 images" in result.stdout + result.stderr


def test_sigterm_finishes_the_step_saves_and_the_next_run_goes_on(workshop):
    process = subprocess.Popen(
        [sys.executable, *workshop.command("stopped", "total_images=100000")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(workshop.root),
    )
    metrics = workshop.folder / "stopped" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.read_text()) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "stopped; the same command goes on" in output
    newest = max((workshop.folder / "stopped" / "checkpoint").iterdir())
    images = int(newest.stem)
    result = workshop.train("stopped", f"total_images={images + 2}")
    assert f"going on from {images} images" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        ("straight", ["generator.ngf=3"], "generator.ngf was 2, is 3"),
        ("straight", ["encoder.style_dim=3"], "encoder.style_dim was 0, is 3"),
        ("wrong", ["generator.nfg=3"], "did you mean 'generator.ngf'"),
        (
            "wrong",
            ["losses.perceptual_network=squeezenet", "losses.perceptual_weights=none.npz"],
            "none.npz: there is no such weights file",
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(workshop, finished, run, options, message):
    del finished
    result = workshop.train(run, *options)
    assert result.returncode == 2
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in result.stderr


def spoil_unknown_id(data):
    Image.new("L", (96, 64), 99).save(data / "train" / "labels" / "0001.png")


def spoil_name(data):
    path = data / "train" / "labels" / "0001.png"
    path.rename(path.with_name("0001_mask.png"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_unknown_id, "0001.png: unknown label ids 99"),
        (spoil_name, "seem to belong together: 0001.png and 0001_mask.png"),
    ],
)
def test_faults_of_the_data_stop_training_before_its_first_step(
    workshop, root, tmp_path, landscape, spoil, message
):
    from spade_paddle.data.synthetic import write_synthetic_dataset

    data = write_synthetic_dataset(tmp_path / "data", label_set=landscape, train=2)
    spoil(data)
    command = workshop.command(f"bad-{spoil.__name__}")
    command[command.index("--data") + 1] = str(data)
    result = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env=environment(root),
        timeout=300,
        check=False,
    )
    assert result.returncode == 2
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert not (workshop.folder / f"bad-{spoil.__name__}").exists()


@pytest.mark.parametrize(
    ("name", "options"), [("instance", ["generator.param_free_norm=instance"]), ("style", STYLE)]
)
def test_two_processes_compute_the_gradients_of_one_process_with_the_whole_batch(
    workshop, name, options
):
    options = (*options, "total_images=2")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"),
            *("--backend", "gloo", "--log_dir", str(workshop.folder / "launch-log")),
            *workshop.command(f"two-{name}", *options),
        ],
        capture_output=True,
        text=True,
        env={**environment(workshop.root), "CUDA_VISIBLE_DEVICES": ""},
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    alone = workshop.train(f"one-{name}", *options)
    assert alone.returncode == 0, alone.stderr
    two, one = weights(workshop, f"two-{name}", 2), weights(workshop, f"one-{name}", 2)
    for optimizer in ("optimizer_g", "optimizer_d"):
        # after one step the first moment is a tenth of the gradient
        moments = {k: v for k, v in one[optimizer].items() if "moment1" in k}
        assert moments
        for name, value in moments.items():
            assert np.allclose(two[optimizer][name], value, rtol=1e-3, atol=1e-4), name
