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
    """A run folder, which need not exist yet."""

    path: Path

    @property
    def config(self) -> Config:
        """The configuration. Raises ConfigError if config.yaml is missing or invalid."""
        return self.configuration()

    def configuration(self, *, overrides: Sequence[str] = ()) -> Config:
        """Read the configuration, with ``overrides`` as in load_config."""
        return load_config(self.path / CONFIG_FILE, overrides=overrides)

    @property
    def has_config(self) -> bool:
        """Whether config.yaml exists."""
        return (self.path / CONFIG_FILE).is_file()

    @property
    def label_set(self) -> LabelSet:
        """The label set. Raises ConfigError if labels.json is missing or damaged."""
        return LabelSet.load(self.path / LABELS_FILE)

    @property
    def environment(self) -> dict[str, Any]:
        """The environment of the last start of the run; empty if it is not known."""
        try:
            return json.loads((self.path / "environment.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def describe(
        self, config: Config, label_set: LabelSet, environment: Mapping[str, Any] | None = None
    ) -> None:
        """Write the configuration, the label set and, if given, the environment of the start.

        The configuration names the folder's own label set, so that it can start other runs.
        """
        content = config.to_dict()
        content["data"]["labels"] = LABELS_FILE
        text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
        write_text_atomically(self.path / CONFIG_FILE, text)
        write_text_atomically(self.path / LABELS_FILE, label_set.to_json())
        if environment is not None:
            text = json.dumps(environment, indent=1)
            write_text_atomically(self.path / "environment.json", text)

    @property
    def checkpoints(self) -> list[Path]:
        """Paths of the checkpoints, newest first."""
        return checkpoints(self._checkpoints)

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint; ``state`` must contain ``images_seen``."""
        save_checkpoint(self._checkpoints, state, images_seen=int(state["images_seen"]))

    def latest(self, *, warn: Callable[[str], None] = print) -> dict[str, Any] | None:
        """Return the state of the newest readable checkpoint; None if there is no checkpoint.

        Raises:
            ModelError: there are checkpoints, but none can be read.
        """
        return load_latest(self._checkpoints, warn=warn)

    def keep(self, state: Mapping[str, Any]) -> Path:
        """Save the averaged weights of a checkpoint's state as a snapshot; return its path."""
        path = checkpoint_path(self._snapshots, int(state["images_seen"]))
        write_state(path, _averages_of(state))
        return path

    def keep_if_best(
        self, state: Mapping[str, Any], scores: Mapping[str, float], *, by: str
    ) -> bool:
        """Save the averaged weights as the best snapshot if their score improves on it.

        The weights are written before the score. If the run is killed in between, the old score
        remains and the comparison is repeated later.

        Args:
            state: state of a checkpoint.
            scores: scores of its averaged weights by name.
            by: the name of the score to compare; lower is better.

        Returns:
            whether they were saved.
        """
        record = self._snapshots / f"{BEST}.json"
        best = float("inf")
        if record.is_file():
            best = json.loads(record.read_text(encoding="utf-8"))[by]
        if not scores[by] < best:  # also false for NaN
            return False
        write_state(self._best, _averages_of(state))
        content = {"images": int(state["images_seen"]), **scores}
        write_text_atomically(record, json.dumps(content, indent=1) + "\n")
        return True

    def averages(self, snapshot: str | None = None) -> dict[str, Any]:
        """Read the averaged weights, which are used for painting and export.

        Args:
            snapshot: ``best`` or a number of images; None: the newest checkpoint.

        Raises:
            ModelError: they do not exist or are damaged.
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
            existing = [_snapshot_name(each) for each in sorted(self._snapshots.glob("*.pdparams"))]
            raise ModelError(
                f"{self.path}: there is no snapshot '{snapshot}'; there are: "
                f"{', '.join(existing) or 'none'} (snapshots are written with "
                "validation.keep_snapshots_every_images and validation.judge_weights)",
                code="snapshot_missing",
            )
        try:
            return read_state(path)
        except Exception as error:  # unpickling a damaged file may raise anything
            raise ModelError(
                f"{path}: this snapshot is damaged; use another one, or the newest checkpoint",
                code="checkpoints_damaged",
            ) from error

    def recovery_options(self) -> str:
        """Describe, for the message about a diverged run, which older states can be used."""
        options = []
        for path in self.checkpoints[:1]:
            options.append(
                f"resume from {path} ({_snapshot_name(path)} images: remove newer checkpoints and "
                "run the same command)"
            )
        for path in [self._best] * self._best.is_file() + checkpoints(self._snapshots)[:1]:
            options.append(f"export {path} (tools/export.py --snapshot {_snapshot_name(path)})")
        return " or ".join([*options, "start a new run"])

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
    """Writes lists, such as the widths of a block, on one line."""


def _represent_list_on_one_line(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)


_Dumper.add_representer(list, _represent_list_on_one_line)


def _averages_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Select the entries of a checkpoint's state that painting and export need."""
    return {name: state[name] for name in _AVERAGES if name in state}


def _snapshot_name(path: Path) -> str:
    """Return the name of a snapshot or checkpoint as used by --snapshot."""
    return path.stem if path.stem == BEST else str(int(path.stem))
