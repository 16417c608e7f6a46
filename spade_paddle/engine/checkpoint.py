"""Checkpoints: written completely or not at all; the newest valid one is read.

A checkpoint is one file ``checkpoint/IMAGES.pdparams`` in Paddle's own format, followed by the
SHA-256 of the preceding bytes, which Paddle does not read. It is written under a temporary name,
flushed to disk and renamed, so that a complete checkpoint to resume from always exists.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import paddle

from spade_paddle.errors import ModelError
from spade_paddle.files import sha256, write_atomically

KEEP = 2
_SUM_MARK = b"\nspade_paddle sha256 "
_TRAILER_BYTES = len(_SUM_MARK) + 64


def save_checkpoint(folder: Path, state: dict[str, Any], *, images_seen: int) -> Path:
    """Save a nested dictionary of tensors and numbers; remove all but the KEEP newest checkpoints.

    Returns:
        the path of the file.
    """
    path = checkpoint_path(folder, images_seen)
    write_state(path, state)
    for old in checkpoints(folder)[KEEP:]:
        old.unlink()
    return path


def checkpoint_path(folder: Path, images_seen: int) -> Path:
    """Return the path of a checkpoint; sorting by name sorts by images seen."""
    return folder / f"{images_seen:010d}.pdparams"


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a nested dictionary of tensors and numbers with its checksum, atomically."""

    def write(temporary: Path) -> None:
        paddle.save(state, str(temporary))
        checksum = sha256(temporary).encode()
        with temporary.open("ab") as file:
            file.write(_SUM_MARK + checksum)

    write_atomically(path, write)


def read_state(path: Path) -> dict[str, Any]:
    """Read a file of ``write_state``.

    Raises:
        Exception: of any type, since unpickling a damaged file may raise anything.
    """
    if not _has_valid_checksum(path):
        raise ValueError("its checksum is wrong")
    return paddle.load(str(path))


def checkpoints(folder: Path) -> list[Path]:
    """List the checkpoints of a run, newest first."""
    return sorted(folder.glob("[0-9]*.pdparams"), reverse=True)


def load_latest(folder: Path, *, warn: Callable[[str], None]) -> dict[str, Any] | None:
    """Read the newest readable checkpoint; None if there is no checkpoint.

    ``warn`` is called with a message for each damaged one, and the previous one is used instead.

    Raises:
        ModelError: there are checkpoints, but none can be read.
    """
    found = checkpoints(folder)
    for path in found:
        try:
            return read_state(path)
        except Exception as error:  # unpickling a damaged file may raise anything
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            warn(f"{path} is damaged ({reason}); trying the one before it")
    if found:
        raise ModelError(
            f"{folder}: none of the {len(found)} checkpoints can be read; move the folder away to "
            "start from the beginning",
            code="checkpoints_damaged",
        )
    return None


def _has_valid_checksum(path: Path) -> bool:
    """Whether the checksum is correct; files of older versions without one are accepted."""
    size = path.stat().st_size - _TRAILER_BYTES
    with path.open("rb") as file:
        file.seek(max(size, 0))
        trailer = file.read()
    if not trailer.startswith(_SUM_MARK):
        return True
    return trailer == _SUM_MARK + sha256(path, end=size).encode()
