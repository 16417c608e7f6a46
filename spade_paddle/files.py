"""Atomic writing of files, and their checksums."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Callable

import numpy as np


def sha256(path: Path, *, end: int | None = None) -> str:
    """Compute the SHA-256 of a file, or of its first ``end`` bytes, in hexadecimal."""
    digest = hashlib.sha256()
    left = path.stat().st_size if end is None else end
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def write_atomically(path: Path, write: Callable[[Path], object], *, shared: bool = False) -> None:
    """Write a file atomically: ``write`` fills a temporary file, which is renamed to ``path``.

    A killed process leaves its temporary file, which the next one overwrites.

    Args:
        path: the file; its folder is created if needed.
        write: writes the content to the path it is given.
        shared: several processes or machines may write ``path`` at the same time, so each needs its
            own temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = f".{platform.node()}-{os.getpid()}" if shared else ""
    temporary = path.with_name(f"{path.name}{mark}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_arrays_atomically(path: Path, **arrays: np.ndarray | str) -> None:
    """Write arrays by name as a compressed ``.npz``, by ``write_atomically``."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a path, NumPy would append .npz
            np.savez_compressed(file, **arrays)

    write_atomically(path, write)


def write_text_atomically(path: Path, text: str, *, shared: bool = False) -> None:
    """Write UTF-8 text by ``write_atomically``."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write, shared=shared)
