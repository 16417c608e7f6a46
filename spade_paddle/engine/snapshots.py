"""Averages that are kept while a run goes on: on a schedule, and the best by the judge's score.

snapshots/IMAGES.pdparams   the averaged networks after so many images
snapshots/best.pdparams     those of the best score so far; best.json tells it

They can be exported. Training goes on from checkpoints, which hold everything and are written over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spade_paddle.engine.checkpoint import (
    checkpoint_path,
    checkpoints,
    load_latest,
    read_state,
    write_state,
)
from spade_paddle.errors import ModelError
from spade_paddle.files import write_text_atomically

SNAPSHOTS = "snapshots"
CHECKPOINTS = "checkpoint"
BEST = "best"


class Snapshots:
    """The snapshots of one run.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self._folder = run / SNAPSHOTS

    def keep(self, state: Mapping[str, Any]) -> Path:
        """Keep the averages of a checkpoint's state for good."""
        path = checkpoint_path(self._folder, int(state["images_seen"]))
        write_state(path, averages_of(state))
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
        record = self._folder / f"{BEST}.json"
        if record.is_file():
            best = json.loads(record.read_text(encoding="utf-8"))
            if not scores[by] < best[by]:
                return False
        elif not scores[by] < float("inf"):  # nan, too
            return False
        write_state(self._folder / f"{BEST}.pdparams", averages_of(state))
        content = {"images": int(state["images_seen"]), **scores}
        write_text_atomically(record, json.dumps(content, indent=1) + "\n")
        return True


def averages_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What of a checkpoint's state is painted with and exported."""
    names = ("average", "average_encoder", "statistics", "images_seen", "seconds")
    return {name: state[name] for name in names if name in state}


def read_averages(run: Path, *, snapshot: str | None) -> dict[str, Any]:
    """The averages of a run.

    Args:
        run: the run folder.
        snapshot: ``best`` or a number of images; None: of the newest checkpoint.

    Raises:
        ModelError: there are none, or they are damaged.
    """
    if snapshot is None:
        state = load_latest(run / CHECKPOINTS, warn=print) if run.is_dir() else None
        if state is None:
            raise ModelError(
                f"{run}: there is no checkpoint here; give the --run folder of tools/train.py",
                code="run_missing",
            )
        return averages_of(state)
    folder = run / SNAPSHOTS
    is_number = snapshot.isascii() and snapshot.isdigit()
    path = checkpoint_path(folder, int(snapshot)) if is_number else folder / f"{BEST}.pdparams"
    if not (is_number or snapshot == BEST) or not path.is_file():
        there = [_shown(each) for each in sorted(folder.glob("*.pdparams"))]
        raise ModelError(
            f"{run}: there is no snapshot '{snapshot}'; there are: {', '.join(there) or 'none'} "
            "(validation.keep_snapshots_every_images and validation.judge_weights make some)",
            code="snapshot_missing",
        )
    try:
        return read_state(path)
    except Exception as error:  # whatever unpickling a damaged file raises
        raise ModelError(
            f"{path}: this snapshot is damaged; take another one, or the newest checkpoint",
            code="checkpoints_damaged",
        ) from error


def ways_back(run: Path) -> str:
    """In words for people whose run has come apart: which older states there are."""
    ways = []
    found = checkpoints(run / CHECKPOINTS)
    if found:
        ways.append(
            f"go on from {found[0]} ({_shown(found[0])} images: remove any newer ones there, and "
            "the same command goes on)"
        )
    best = run / SNAPSHOTS / f"{BEST}.pdparams"
    kept = checkpoints(run / SNAPSHOTS)
    for path in [best] * best.is_file() + kept[:1]:
        ways.append(f"export {path} (tools/export.py --snapshot {_shown(path)})")
    return " or ".join([*ways, "begin a new run"])


def _shown(path: Path) -> str:
    """The name of a state as --snapshot takes it."""
    return path.stem if path.stem == BEST else str(int(path.stem))
