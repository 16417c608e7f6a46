"""Checkpoints: written whole or not at all, the newest first to be read.

A checkpoint is one file ``checkpoint/IMAGES.pdparams``. It is written under a temporary name,
flushed to the disk and renamed, so that whatever happens there is a whole one to go on from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import paddle

from spade_paddle.errors import ModelError
from spade_paddle.files import write_atomically

KEEP = 2


def save_checkpoint(folder: Path, state: dict[str, Any], *, images_seen: int) -> Path:
    """Save a nested dictionary of tensors and numbers; older checkpoints but one are removed."""
    path = folder / f"{images_seen:010d}.pdparams"
    write_atomically(path, lambda temporary: paddle.save(state, str(temporary)))
    for old in checkpoints(folder)[KEEP:]:
        old.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first."""
    return sorted(folder.glob("[0-9]*.pdparams"), reverse=True)


def load_latest(folder: Path, *, warn: Callable[[str], None]) -> dict[str, Any] | None:
    """The newest readable checkpoint, or None when there is none at all.

    A broken one is reported through ``warn`` and the one before it is taken.

    Raises:
        ModelError: there are checkpoints, but none can be read.
    """
    found = checkpoints(folder)
    for path in found:
        try:
            return paddle.load(str(path))
        except Exception as error:  # whatever unpickling a damaged file raises
            warn(f"{path} is damaged ({type(error).__name__}); trying the one before it")
    if found:
        raise ModelError(
            f"{folder}: none of the {len(found)} checkpoints can be read; move the folder away "
            "to start anew",
            code="checkpoints_damaged",
        )
    return None
