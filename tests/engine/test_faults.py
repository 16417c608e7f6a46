"""What can go wrong in a week: every fault in a real process, and what is left of the run."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from spade_paddle.config import read_config
from spade_paddle.engine.assemble import trainer_of_folder
from tests.engine.conftest import TINY, Workshop, assert_same_state, environment, wait_until
from tests.synthetic import write_synthetic_dataset

# a style encoder, statistics measured anew, augmentation and R1: everything that draws or is kept
LONG = (
    *("total_images=96", "ema_recalibration_images=4", "generator.noise=true"),
    *("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16"),
    *("regularization.augment_brightness=0.5", "regularization.augment_translation=0.125"),
    *("regularization.r1_gamma=1.0", "regularization.r1_every_images=6"),
    *("discriminator.activation=leaky_relu", "data.coarse_label_probability=0.3"),
    "losses.color_balance=100",
)


def last_line(errors: str) -> str:
    assert "Traceback" not in errors
    line = errors.strip().splitlines()[-1]
    assert line.startswith("error: "), errors
    return line


def test_five_kills_at_random_moments_change_no_bit_of_the_final_state(workshop):
    straight = workshop.train("unharmed", *LONG)
    assert straight.returncode == 0, straight.stderr
    moments = []

    def newest() -> int:
        return max(workshop.checkpoints("killed"), default=0)

    for _ in range(5):
        process = workshop.start("killed", *LONG)
        before = newest()
        wait_until(lambda before=before: newest() > before, process)
        before, seen = newest(), time.monotonic()
        wait_until(lambda before=before: newest() > before, process)
        # anywhere between two checkpoints: by the pace of this machine, since a fixed time is
        # the whole run on a fast one
        moments.append(random.uniform(0, time.monotonic() - seen))
        time.sleep(moments[-1])
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL, "it had finished before it was killed"
        process.communicate()
    again = workshop.train("killed", *LONG)
    assert again.returncode == 0, again.stderr
    assert "resuming from" in again.stdout + again.stderr
    expected = workshop.weights("unharmed", 96)
    assert expected["statistics"]
    assert_same_state(expected, workshop.weights("killed", 96))
    for name in ("metrics.jsonl",):
        runs = [workshop.folder / run / name for run in ("unharmed", "killed")]
        left, right = (path.read_text(encoding="utf-8").splitlines() for path in runs)
        assert [json.loads(line)["g_gan"] for line in left] == [
            json.loads(line)["g_gan"] for line in right
        ], moments


@pytest.mark.parametrize("fault", ["cut off", "one bit wrong"])
def test_damaged_newest_checkpoint_is_reported_and_the_one_before_used(workshop, fault):
    run = f"damaged {fault}"
    assert workshop.train(run).returncode == 0
    expected = workshop.weights(run, 8)
    newest = workshop.folder / run / "checkpoint" / "0000000008.pdparams"
    content = bytearray(newest.read_bytes())
    if fault == "cut off":
        del content[1000:]
    else:
        content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    result = workshop.train(run)
    assert result.returncode == 0, result.stderr
    assert "0000000008.pdparams is damaged" in result.stdout + result.stderr
    assert "resuming from 4 images" in result.stdout + result.stderr
    assert_same_state(expected, workshop.weights(run, 8))


def test_full_disk_is_an_error_that_leaves_the_checkpoint_whole(workshop):
    """On a file system of 600 KiB, into which one checkpoint of 370 KiB fits."""
    run = workshop.folder / "full"
    run.mkdir()
    copy = workshop.folder / "full-copy"
    train = subprocess.list2cmdline([sys.executable, *workshop.command("full", "seed=8")])
    script = f"mount -t tmpfs -o size=600k tmpfs '{run}' && {{ {train}; code=$?; }}"
    script += f"; cp -r '{run}' '{copy}'; exit $code"
    space = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    probe = f"mount -t tmpfs tmpfs '{run}'"
    if shutil.which("unshare") and subprocess.run([*space, probe], check=False).returncode == 0:
        command, limit = [*space, script], None
    else:  # no such rights here: files of more than so many bytes cannot be written
        command, limit = [sys.executable, *workshop.command("full", "seed=8")], 300 * 1024
        copy = run
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(workshop.root),
        timeout=300,
        check=False,
        preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))),
    )
    assert result.returncode == 2, result.stderr
    line = last_line(result.stderr)
    assert "cannot be written at" in line
    assert "free disk space, and run the same command to resume" in line
    assert not list(copy.rglob("*.tmp"))
    if limit is None:
        assert "No space left on device; the checkpoint of 4 images is intact" in line
        shutil.rmtree(run)
        copy.rename(run)
        again = workshop.train("full", "seed=8")
        assert "resuming from 4 images" in again.stdout + again.stderr
    else:
        again = workshop.train("full", "seed=8")
    assert again.returncode == 0, again.stderr
    assert workshop.train("roomy", "seed=8").returncode == 0
    assert_same_state(workshop.weights("roomy", 8), workshop.weights("full", 8))


@pytest.fixture
def own_data(workshop, landscape, tmp_path) -> Workshop:
    """The workshop with a data set that may be spoiled; nothing of it stays in memory."""
    shop = Workshop(workshop.folder, workshop.root)
    shop.data = write_synthetic_dataset(tmp_path / "data", label_set=landscape, train=3)
    return shop


FRESH = ("data.cache_gib=0.0", "checkpoint_every_images=1000")


def unknown_label(data):
    path = data / "train" / "labels" / "0001.png"
    Image.new("L", Image.open(path).size, 99).save(path.with_suffix(".new"), "PNG")
    path.with_suffix(".new").replace(path)
    return "0001.png: unknown label ids 99"


def val_photo_gone(data):
    (data / "val" / "images" / "0000.png").unlink()
    return "0000.png"


def photo_gone(data):
    (data / "train" / "images" / "0001.png").unlink()
    return "0001.png"


@pytest.mark.parametrize("spoil", [unknown_label, photo_gone, val_photo_gone])
def test_file_that_spoils_during_training_is_named_and_everything_before_it_is_kept(
    own_data, tmp_path, spoil
):
    run, whole = spoil.__name__, tmp_path / "whole"
    shutil.copytree(own_data.data, whole)
    # looked at often, for what spoils in the validation part to be met
    process = own_data.start(
        *(run, *FRESH, "total_images=100000", "log_every_images=2", "sample_every_images=2")
    )
    metrics = own_data.folder / run / "metrics.jsonl"
    wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") >= 2, process)
    named = spoil(own_data.data)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 2, output
    assert named in last_line(errors)
    (images,) = own_data.checkpoints(run)
    assert images == json.loads(metrics.read_text().splitlines()[-1])["images"]
    # the step was not applied: trained on with the file as it was, nothing is different
    shutil.rmtree(own_data.data)
    whole.rename(own_data.data)
    end = f"total_images={images + 4}"
    assert own_data.train(run, *FRESH, end).returncode == 0
    assert own_data.train(f"{run}-straight", *FRESH, end).returncode == 0
    assert_same_state(
        own_data.weights(f"{run}-straight", images + 4), own_data.weights(run, images + 4)
    )


def test_losses_that_stay_nan_end_the_run_with_the_last_good_state_kept(workshop):
    # one step of such a rate throws the weights to 1e30, and every later loss is NaN or infinite
    result = workshop.train("nan", "optimizer.generator_lr=1.0e+30", "total_images=100")
    assert result.returncode == 2, result.stderr
    assert "training has diverged" in last_line(result.stderr)
    assert "10 steps in a row" in last_line(result.stderr)
    text = result.stdout + result.stderr
    assert "at 2 images g_gan" in text
    assert "the update was skipped" in text
    steps = sorted((workshop.folder / "nan" / "inspect").iterdir())
    assert [int(path.stem) for path in steps] == list(range(2, 22, 2))
    with np.load(steps[0]) as step:
        assert step["photo"].shape == (2, 32, 32, 3)
        assert step["label_map"].shape == (2, 32, 32)
        assert len(step["files"]) == 2
        losses = json.loads(str(step["losses"]))
    assert "nan" in losses.values() or "inf" in losses.values()
    state = workshop.weights("nan", workshop.checkpoints("nan")[-1])
    for part in ("generator", "discriminator"):
        assert all(np.isfinite(value).all() for value in state[part].values())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_stop_it_finishes_the_step_saves_and_the_next_run_goes_on(workshop, number, code):
    run = f"stopped-{code}"
    process = workshop.start(run, "total_images=100000", "checkpoint_every_images=100000")
    metrics = workshop.folder / run / "metrics.jsonl"
    wait_until(lambda: metrics.exists() and metrics.read_text() != "", process)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "stopped; run the same command to resume" in output
    assert "Traceback" not in errors
    (images,) = workshop.checkpoints(run)
    assert images % 2 == 0
    result = workshop.train(run, f"total_images={images + 2}")
    assert f"resuming from {images} images" in result.stdout + result.stderr


def start_and_block(shop, run, part, **process_options):
    """A run that somebody reads a photo for out of which nothing ever comes; and the way into it,
    to be closed."""
    process = shop.start(
        *(run, *FRESH, "total_images=100000", "log_every_images=2", "sample_every_images=2"),
        **process_options,
    )
    wait_until(lambda: (shop.folder / run / "metrics.jsonl").exists(), process)
    photos = list((shop.data / part / "images").iterdir())
    for photo in photos:  # each becomes a pipe
        pipe = shop.folder / "pipe"
        os.mkfifo(pipe)
        pipe.replace(photo)
    writers: list[int] = []

    def somebody_reads() -> bool:
        for photo in photos:
            with contextlib.suppress(OSError):
                writers.append(os.open(photo, os.O_WRONLY | os.O_NONBLOCK))
        return bool(writers)

    wait_until(somebody_reads, process)
    return process, writers[0]


def test_asked_to_stop_while_a_photo_cannot_be_had_it_saves_and_ends(own_data):
    process, writer = start_and_block(own_data, "starved", "train")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == 143, errors
    (images,) = own_data.checkpoints("starved")
    lines = (own_data.folder / "starved" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["images"] == images > 0


# ignored: as a shell starts what runs in the background
@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_second_ctrl_c_ends_it_at_once(own_data, before):
    run = own_data.folder / f"impatient-{before.name}"
    process, writer = start_and_block(
        # a photo of val: it is needed to go on from this step
        *(own_data, run.name, "val"),
        preexec_fn=lambda: signal.signal(signal.SIGINT, before),
    )
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        # again and again: one that another thread gets does not wake the one that waits
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    process.kill()
    _, errors = process.communicate()
    assert "stopping after this step" in errors  # the first one did not end it
    os.close(writer)
    assert process.returncode not in (0, 2, 130, -signal.SIGKILL), "it went on"
    assert not (run / "checkpoint").exists()


def test_second_ctrl_c_that_is_lost_within_paddle_still_ends_it_unsaved(
    workshop, landscape, tmp_path, monkeypatch
):
    config = read_config({**TINY, "checkpoint_every_images": 1000})
    run = tmp_path / "run"
    trainer = trainer_of_folder(config, label_set=landscape, data=workshop.data, run=run)

    def learn(inputs):
        for _ in range(2):
            with contextlib.suppress(KeyboardInterrupt):  # as where Paddle calls Python back
                signal.raise_signal(signal.SIGINT)
        return {}

    monkeypatch.setattr(trainer.learner, "learn", learn)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert not list(run.rglob("*.pdparams"))


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
def test_faults_of_the_data_stop_training_before_its_first_step(own_data, spoil, message):
    spoil(own_data.data)
    result = own_data.train(f"bad-{spoil.__name__}")
    assert result.returncode == 2
    assert message in last_line(result.stderr)
    assert not (own_data.folder / f"bad-{spoil.__name__}").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("batch_size=4", "compute.accumulation=3"), "compute.accumulation"),
        (("regularization.augment_cutout=0.9",), "regularization.augment_cutout"),
        (("optimizer.gradient_clip=0.0",), "optimizer.gradient_clip"),
    ],
)
def test_settings_that_make_no_sense_are_told(workshop, options, message):
    result = workshop.train("senseless", *options)
    assert result.returncode == 2
    assert message in last_line(result.stderr)
