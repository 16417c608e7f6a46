"""Two processes joined by gloo learn what one process with the whole batch learns."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.engine.conftest import Workshop, environment, wait_until

INSTANCE = ("generator.param_free_norm=instance",)
# a style encoder, CLADE-ICPE and synchronised statistics
STYLE = (
    *("generator.norm=clade_icpe", "generator.param_free_norm=sync_batch"),
    *("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16"),
)


def command(workshop: Workshop, run: str, *options: str) -> list[str]:
    """Two processes of tools/train.py, as Paddle's launcher starts them."""
    return [
        *(sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"),
        *("--backend", "gloo", "--log_dir", str(workshop.folder / f"{run}-log")),
        *workshop.command(run, *options),
    ]


def train_two(workshop: Workshop, run: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(workshop, run, *options),
        capture_output=True,
        text=True,
        env={**environment(workshop.root), "CUDA_VISIBLE_DEVICES": ""},
        timeout=300,
        check=False,
    )


def lines(workshop: Workshop, run: str) -> list[dict[str, float]]:
    text = (workshop.folder / run / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("name", "options"), [("instance", INSTANCE), ("style", STYLE)])
def test_gradients_and_losses_are_those_of_one_process_with_the_whole_batch(
    workshop, name, options
):
    """Gradients after the first step to 1e-3 of each, losses of three steps to 1 %."""
    options = (*options, "total_images=6", "log_every_images=2", "checkpoint_every_images=2")
    options = (*options, "optimizer.generator_lr=1.0e-4", "optimizer.discriminator_lr=1.0e-4")
    two = train_two(workshop, f"two-{name}", *options, "total_images=2")
    assert two.returncode == 0, two.stdout + two.stderr
    alone = workshop.train(f"one-{name}", *options, "total_images=2")
    assert alone.returncode == 0, alone.stderr
    left, right = (workshop.weights(f"{run}-{name}", 2) for run in ("two", "one"))
    for optimizer in ("optimizer_g", "optimizer_d"):
        # after one step the first moment is a tenth of the gradient
        moments = {k: v for k, v in right[optimizer].items() if "moment1" in k}
        assert moments
        for key, value in moments.items():
            assert np.allclose(left[optimizer][key], value, rtol=1e-3, atol=1e-4), key

    two = train_two(workshop, f"two-{name}", *options)  # and on, from its own checkpoint
    assert two.returncode == 0, two.stdout + two.stderr
    alone = workshop.train(f"one-{name}", *options)
    assert alone.returncode == 0, alone.stderr
    pairs = list(zip(lines(workshop, f"two-{name}"), lines(workshop, f"one-{name}")))
    assert [line["images"] for line, _ in pairs] == [2, 4, 6]
    for together, apart in pairs:
        for key in ("g_gan", "g_feat", "d_fake", "d_real", "g_grad_norm", "d_grad_norm"):
            assert together[key] == pytest.approx(apart[key], rel=0.01, abs=1e-3), key


def test_batch_that_cannot_be_shared_is_told_before_the_first_step(workshop):
    """Also the last one, which would otherwise be met after a week."""
    result = train_two(workshop, "odd", "total_images=7")
    assert result.returncode != 0
    log = (workshop.folder / "odd-log" / "workerlog.0").read_text(encoding="utf-8")
    assert "error: a batch of 1 pictures cannot be shared evenly by 2 processes" in log
    assert not (workshop.folder / "odd").exists()


def test_launcher_that_is_asked_to_stop_leaves_a_checkpoint_to_go_on_from(workshop):
    process = subprocess.Popen(
        command(workshop, "two-stopped", "total_images=100000", "checkpoint_every_images=100000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(workshop.root), "CUDA_VISIBLE_DEVICES": ""},
    )
    metrics = workshop.folder / "two-stopped" / "metrics.jsonl"
    wait_until(lambda: metrics.exists() and metrics.read_text() != "", process)
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    deadline = time.monotonic() + 60  # the launcher dies at once, its processes finish their step
    while not workshop.checkpoints("two-stopped"):
        assert time.monotonic() < deadline, "its processes go on"
        time.sleep(0.1)
    (images,) = workshop.checkpoints("two-stopped")
    result = workshop.train("two-stopped", f"total_images={images + 2}")
    assert f"going on from {images} images" in result.stdout + result.stderr
