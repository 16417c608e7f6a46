"""The folder of a training run: one object for all code that writes or reads it.

config.yaml       the resolved configuration        metrics.jsonl   losses, one line per report
labels.json       the label set                     vdl/            the same for VisualDL
environment.json  versions, seed, command           samples/        label map | painted | photo
checkpoint/       everything needed to resume       inspect/        NaN or infinite steps
snapshots/        averaged weights that are kept: IMAGES.pdparams after that many images, and
                  best.pdparams with the best score so far, which is in best.json

Snapshots can be exported. Training resumes from checkpoints, which are overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import yaml

from spade_paddle.config import Config, load_config
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.engine.checkpoint import (
    checkpoint_path,
    checkpoints,
    load_latest,
    read_state,
    save_checkpoint,
    write_state,
)
from spade_paddle.errors import ModelError
from spade_paddle.files import write_text_atomically

CONFIG_FILE = "config.yaml"
BEST = "best"
_AVERAGES = ("average", "average_encoder", "statistics", "images_seen", "seconds")


@dataclass(frozen=True)
class RunFolder:
    """A run folder, which need not be there yet."""

    path: Path

    @property
    def config(self) -> Config:
        """Raises ConfigError where config.yaml is missing or wrong."""
        return self.configuration()

    def configuration(self, *, overrides: Sequence[str] = ()) -> Config:
        """The same with ``overrides`` as in load_config."""
        return load_config(self.path / CONFIG_FILE, overrides=overrides)

    @property
    def described(self) -> bool:
        """Whether there is a config.yaml."""
        return (self.path / CONFIG_FILE).is_file()

    @property
    def label_set(self) -> LabelSet:
        """Raises ConfigError where labels.json is missing or broken."""
        return LabelSet.load(self.path / LABELS_FILE)

    @property
    def environment(self) -> dict[str, Any]:
        """Where the run was last started; empty where that is not known."""
        try:
            return json.loads((self.path / "environment.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def describe(
        self, config: Config, label_set: LabelSet, environment: Mapping[str, Any] | None = None
    ) -> None:
        """Write down what the networks are built by and, for a run, where it is started."""
        text = yaml.dump(config.to_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
        write_text_atomically(self.path / CONFIG_FILE, text)
        write_text_atomically(self.path / LABELS_FILE, label_set.to_json())
        if environment is not None:
            text = json.dumps(environment, indent=1)
            write_text_atomically(self.path / "environment.json", text)

    @property
    def checkpoints(self) -> list[Path]:
        """The newest first."""
        return checkpoints(self._checkpoints)

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint."""
        save_checkpoint(self._checkpoints, state, images_seen=int(state["images_seen"]))

    def latest(self, *, warn: Callable[[str], None] = print) -> dict[str, Any] | None:
        """The state of the newest checkpoint that can be read; None where there is none.

        Raises:
            ModelError: there are some, but none can be read.
        """
        return load_latest(self._checkpoints, warn=warn)

    def keep(self, state: Mapping[str, Any]) -> Path:
        """Keep the averages of a checkpoint's state for good."""
        path = checkpoint_path(self._snapshots, int(state["images_seen"]))
        write_state(path, _averages_of(state))
        return path

    def keep_if_best(
        self, state: Mapping[str, Any], scores: Mapping[str, float], *, by: str
    ) -> bool:
        """Keep them as the best unless there are some as good; whether they were kept.

        The weights are written first: a run that is killed between the two files finds the older
        score, and compares with that again.

        Args:
            state: of a checkpoint.
            scores: of these averages by name.
            by: the name of the score that decides; the smaller the better.
        """
        record = self._snapshots / f"{BEST}.json"
        best = float("inf")
        if record.is_file():
            best = json.loads(record.read_text(encoding="utf-8"))[by]
        if not scores[by] < best:  # nan, too
            return False
        write_state(self._best, _averages_of(state))
        content = {"images": int(state["images_seen"]), **scores}
        write_text_atomically(record, json.dumps(content, indent=1) + "\n")
        return True

    def averages(self, snapshot: str | None = None) -> dict[str, Any]:
        """What is painted with and exported.

        Args:
            snapshot: ``best`` or a number of images; None: of the newest checkpoint.

        Raises:
            ModelError: there are none, or they are damaged.
        """
        if snapshot is None:
            state = self.latest()
            if state is None:
                raise ModelError(
                    f"{self.path}: there is no checkpoint here; give the --run folder of "
                    "tools/train.py",
                    code="run_missing",
                )
            return _averages_of(state)
        path = self._best
        if snapshot != BEST:
            is_number = snapshot.isascii() and snapshot.isdigit()
            path = checkpoint_path(self._snapshots, int(snapshot) if is_number else -1)
        if not path.is_file():
            there = [_shown(each) for each in sorted(self._snapshots.glob("*.pdparams"))]
            raise ModelError(
                f"{self.path}: there is no snapshot '{snapshot}'; there are: "
                f"{', '.join(there) or 'none'} (validation.keep_snapshots_every_images and "
                "validation.judge_weights make some)",
                code="snapshot_missing",
            )
        try:
            return read_state(path)
        except Exception as error:  # whatever unpickling a damaged file raises
            raise ModelError(
                f"{path}: this snapshot is damaged; take another one, or the newest checkpoint",
                code="checkpoints_damaged",
            ) from error

    def ways_back(self) -> str:
        """In words for people whose run has come apart: which older states there are."""
        ways = []
        for path in self.checkpoints[:1]:
            ways.append(
                f"go on from {path} ({_shown(path)} images: remove any newer ones there, and the "
                "same command goes on)"
            )
        for path in [self._best] * self._best.is_file() + checkpoints(self._snapshots)[:1]:
            ways.append(f"export {path} (tools/export.py --snapshot {_shown(path)})")
        return " or ".join([*ways, "begin a new run"])

    @property
    def _checkpoints(self) -> Path:
        return self.path / "checkpoint"

    @property
    def _snapshots(self) -> Path:
        return self.path / "snapshots"

    @property
    def _best(self) -> Path:
        return self._snapshots / f"{BEST}.pdparams"


class _Dumper(yaml.SafeDumper):
    """Writes a list, such as the widths of a block, in one line."""


def _in_one_line(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)


_Dumper.add_representer(list, _in_one_line)


def _averages_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What of a checkpoint's state is painted with and exported."""
    return {name: state[name] for name in _AVERAGES if name in state}


def _shown(path: Path) -> str:
    """The name of a state as --snapshot takes it."""
    return path.stem if path.stem == BEST else str(int(path.stem))
