"""Two processes joined by gloo learn what one process with the whole batch learns."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from spade_paddle.engine.distributed import Votes
from tests.engine.conftest import Workshop, environment, wait_until

INSTANCE = ("generator.param_free_norm=instance",)
# a style encoder, CLADE-ICPE, synchronized statistics, and a loss that remembers
STYLE = (
    *("generator.norm=clade_icpe", "generator.param_free_norm=sync_batch"),
    *("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16", "losses.color_balance=100"),
)


def launched(script: list[str], logs: Path) -> list[str]:
    """A script with its arguments in two processes, as Paddle's launcher starts them."""
    return [
        *(sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"),
        *("--backend", "gloo", "--log_dir", str(logs), *script),
    ]


def command(workshop: Workshop, run: str, *options: str) -> list[str]:
    """Two processes of tools/train.py."""
    return launched(workshop.command(run, *options), workshop.folder / f"{run}-log")


def train_two(workshop: Workshop, run: str, *options: str) -> subprocess.CompletedProcess:
    return run_launched(command(workshop, run, *options), workshop)


def run_launched(command: list[str], workshop: Workshop) -> subprocess.CompletedProcess:
    return subprocess.run(
        command,
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
    assert "Modified FLAGS" not in two.stdout + two.stderr
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
    keys = ["g_gan", "g_feat", "d_fake", "d_real", "g_grad_norm", "d_grad_norm"]
    keys += ["g_balance"] if name == "style" else []
    for together, apart in pairs:
        for key in keys:
            assert together[key] == pytest.approx(apart[key], rel=0.01, abs=1e-3), key


def test_batch_that_cannot_be_shared_is_told_before_the_first_step(workshop):
    """Also the last one, which would otherwise be met after a week."""
    result = train_two(workshop, "odd", "total_images=7")
    assert result.returncode != 0
    log = (workshop.folder / "odd-log" / "workerlog.0").read_text(encoding="utf-8")
    assert "error: a batch of 1 pictures cannot be split evenly among 2 processes" in log
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
    assert f"resuming from {images} images" in result.stdout + result.stderr


WAITING = """
import time
from spade_paddle.engine.distributed import Workers

workers = Workers.join()
if workers.rank == 0:
    time.sleep(35)
print("any", workers.any(False), workers.any(workers.rank == 0), workers.any(False))
"""


def test_one_process_may_work_alone_for_longer_than_gloo_would_wait(workshop):
    """The first one judges and saves alone; an exchange by gloo fails after 30 seconds."""
    script = workshop.folder / "waiting.py"
    script.write_text(WAITING, encoding="utf-8")
    logs = workshop.folder / "waiting-log"
    result = run_launched(launched([str(script)], logs), workshop)
    said = [(logs / f"workerlog.{rank}").read_text(encoding="utf-8") for rank in (0, 1)]
    assert result.returncode == 0, said
    assert all("any False True False" in text for text in said), said


class Counters:
    """What Votes needs of a TCPStore, for threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[str, int] = defaultdict(int)

    def add(self, key: str, amount: int) -> int:
        with self.lock:
            self.counts[key] += amount
            return self.counts[key]


def test_flags_of_many_rounds_reach_every_process():
    """Also where one process is slow to read a round's result and the others go on."""
    flags = np.random.default_rng(0).random((3, 200)) < 0.2
    store = Counters()

    def answers(rank: int) -> list[bool]:
        votes, pause = Votes(store, 3), np.random.default_rng(rank)
        found = []
        for flag in flags[rank]:
            found.append(votes.any(bool(flag)))
            time.sleep(pause.choice([0, 0, 0, 0.002]))
        return found

    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(answers, range(3)):
            assert found == flags.any(axis=0).tolist()
