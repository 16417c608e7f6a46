"""A data set and a configuration small enough to train in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from spade_paddle.data.synthetic import write_synthetic_dataset

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
    """A folder with a data set and tiny.yaml, and the real tools/train.py to run there."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root
        self.data = folder / "data"
        self.config = folder / "tiny.yaml"

    def command(self, run: str, *options: str, init: Path | None = None) -> list[str]:
        """The training command for a run folder of this name."""
        return [
            str(self.root / "tools" / "train.py"),
            *("--config", str(self.config), "--data", str(self.data)),
            *("--run", str(self.folder / run)),
            *(word for option in options for word in ("--set", option)),
            *(() if init is None else ("--init", str(init))),
        ]

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


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, root, landscape) -> Workshop:
    folder = tmp_path_factory.mktemp("workshop")
    shop = Workshop(folder, root)
    write_synthetic_dataset(shop.data, label_set=landscape, train=5)
    (folder / "labels.yaml").write_text(yaml.safe_dump(landscape.to_dict()), encoding="utf-8")
    shop.config.write_text(yaml.safe_dump(TINY), encoding="utf-8")
    return shop
