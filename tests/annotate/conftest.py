"""A small real PaddleSeg network, trained for seconds on synthetic scenes, and its files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.engine.conftest import environment
from tests.synthetic import write_synthetic_dataset

# as PaddleSeg's own repository has it: configs/_base_ holds the data, configs/NET the network
BASE = {
    "batch_size": 4,
    "iters": 80,
    "train_dataset": {
        "type": "Scenes",
        "labels": "landscape",
        "crop_size": 64,
        "load_size_min": 64,
        "load_size": 64,
        "jitter": 0.2,
    },
    "val_dataset": {
        "type": "Scenes",
        "transforms": [
            {"type": "ResizeByShort", "short_size": 64},
            {"type": "Normalize", "mean": [0.5] * 3, "std": [0.5] * 3},
        ],
    },
    "optimizer": {"type": "sgd", "momentum": 0.9},
    "lr_scheduler": {"type": "PolynomialDecay", "learning_rate": 0.01, "end_lr": 0, "power": 0.9},
    "loss": {"types": [{"type": "PixelCrossEntropy"}], "coef": [1]},
}
NETWORK = {
    "_base_": "../_base_/scenes.yml",
    "optimizer": {"_inherited_": False, "type": "AdamW", "weight_decay": 0.01},
    "lr_scheduler": {"warmup_iters": 5, "warmup_start_lr": 0.001},
    "model": {
        "type": "PPMobileSeg",
        "num_classes": 13,
        "backbone": {
            "type": "MobileSeg_Tiny",
            "inj_type": "AAM",
            "out_feat_chs": [32, 64, 128],
        },
    },
}


class Studio:
    """Folders of photos and annotators, and the real tools to run on them."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root
        self.data = folder / "data"
        self.config = folder / "configs" / "pp_mobileseg" / "scenes.yml"
        self.annotator = folder / "annotator"

    def run(self, tool: str, *options: object) -> subprocess.CompletedProcess[str]:
        """Run a tool to its end."""
        return subprocess.run(
            self.command(tool, *options),
            env=environment(self.root),
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, tool: str, *options: object) -> list[str]:
        """The command line of a tool."""
        return [sys.executable, str(self.root / "tools" / f"{tool}.py"), *map(str, options)]

    def train(self, *options: object) -> subprocess.CompletedProcess[str]:
        """Train the small network."""
        folders = ("--data", self.data, "--run", self.folder / "run", "--out", self.annotator)
        return self.run("train_annotator", "--config", self.config, *folders, *options)


@pytest.fixture(scope="session")
def studio(processes, tmp_path_factory, root, landscape) -> Studio:
    """A studio with a trained network."""
    made = Studio(tmp_path_factory.mktemp("studio"), root)
    write_synthetic_dataset(made.data, label_set=landscape, train=8, val=3)
    for path, content in (
        (made.config.parent.parent / "_base_" / "scenes.yml", BASE),
        (made.config, NETWORK),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content))
    result = made.train("--save-every", 40)
    assert result.returncode == 0, result.stdout + result.stderr
    return made
