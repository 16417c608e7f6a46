"""A data set and a configuration small enough to train in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import paddle
import pytest
import yaml

from tests.synthetic import write_synthetic_dataset

TINY = {
    "total_images": 8,
    "batch_size": 2,
    "seed": 5,
    "regenerate_fake": False,
    "ema_halflife_images": 8,
    "checkpoint_every_images": 4,
    "sample_every_images": 8,
    "log_every_images": 4,
    "data": {
        "labels": "labels.yaml",
        "crop_size": 32,
        "load_size": 40,
        "drop_label_probability": 0.2,
        "instance_edges": True,
    },
    "generator": {"ngf": 2, "max_width": 8, "nhidden": 4, "simam": True},
    "discriminator": {"scales": 2, "num_layers": 3, "ndf": 4, "max_width": 8},
    "optimizer": {"generator_lr": 2.0e-3, "discriminator_lr": 2.0e-3},
}


class Workshop:
    """A folder with a data set and tiny.yaml, and the real tools/train.py to run there.

    ``config`` may be set to None: the command then goes without.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root
        self.data = folder / "data"
        self.config: Path | None = folder / "tiny.yaml"

    def command(self, run: str, *options: str, init: Path | None = None) -> list[str]:
        """The training command for a run folder of this name."""
        return [
            str(self.root / "tools" / "train.py"),
            *(() if self.config is None else ("--config", str(self.config))),
            *("--data", str(self.data), "--run", str(self.folder / run)),
            *(word for option in options for word in ("--set", option)),
            *(() if init is None else ("--init", str(init))),
        ]

    def start(self, run: str, *options: str, **process: Any) -> subprocess.Popen:
        """Start tools/train.py, with more arguments for Popen; the caller waits for it."""
        return subprocess.Popen(
            [sys.executable, *self.command(run, *options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.root),
            **process,
        )

    def checkpoints(self, run: str) -> list[int]:
        """How many images the checkpoints of a run have seen, in order."""
        paths = (self.folder / run / "checkpoint").glob("*.pdparams")
        return sorted(int(path.stem) for path in paths)

    def weights(self, run: str, images: int) -> dict[str, Any]:
        """The state in a checkpoint, as arrays."""
        path = self.folder / run / "checkpoint" / f"{images:010d}.pdparams"
        return paddle.load(str(path), return_numpy=True)

    def train(
        self, run: str, *options: str, init: Path | None = None
    ) -> subprocess.CompletedProcess:
        """Run tools/train.py to its end."""
        return subprocess.run(
            [sys.executable, *self.command(run, *options, init=init)],
            capture_output=True,
            text=True,
            env=environment(self.root),
            timeout=300,
            check=False,
        )


def environment(root: Path) -> dict[str, str]:
    """The environment of a child process that must find the package."""
    return {**os.environ, "PYTHONPATH": str(root)}


def assert_same_state(left: dict[str, Any], right: dict[str, Any]) -> None:
    """Two checkpoints are equal, bit for bit, but for the time they took."""
    assert left.keys() == right.keys()
    for name, value in left.items():
        if isinstance(value, dict):
            assert_same_state(value, right[name])
        elif name != "seconds":
            assert np.array_equal(np.asarray(value), np.asarray(right[name])), name


def wait_until(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    """Wait until something has come about in a running process.

    Raises:
        AssertionError: the process has ended before, or two minutes have passed.
    """
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "nothing happened in two minutes"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def workshop(processes, tmp_path_factory, root, landscape) -> Workshop:
    folder = tmp_path_factory.mktemp("workshop")
    shop = Workshop(folder, root)
    write_synthetic_dataset(shop.data, label_set=landscape, train=5)
    (folder / "labels.yaml").write_text(yaml.safe_dump(landscape.to_dict()), encoding="utf-8")
    shop.config.write_text(yaml.safe_dump(TINY), encoding="utf-8")
    return shop
