"""Hides messages that Paddle prints at every start and that users cannot act on.

Importing this module does not import paddle.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

THREAD_WARNINGS = ("WARNING: OMP_NUM_THREADS set to ", "PLEASE USE OMP_NUM_THREADS WISELY.")
FLAG_MESSAGES = ("=====", "FLAGS(name=")  # printed by init_parallel_env


def import_paddle() -> None:
    """Import paddle without its warnings about OMP_NUM_THREADS, which is set on purpose."""
    with filter_stderr(THREAD_WARNINGS):
        importlib.import_module("paddle")


@contextlib.contextmanager
def filter_stderr(prefixes: tuple[str, ...]) -> Iterator[None]:
    """Drop lines with these prefixes from Python's ``sys.stderr`` within a block."""
    stream = _FilteredStream(sys.stderr, prefixes)
    try:
        with contextlib.redirect_stderr(stream):  # type: ignore[type-var]
            yield
    finally:
        stream.stop_filtering()


class _FilteredStream:
    """Forwards to another stream, except for lines with certain prefixes.

    It stays usable after the block: a logging handler created inside, such as Paddle's on the root
    logger, keeps a reference to it.
    """

    def __init__(self, stream: TextIO, prefixes: tuple[str, ...]) -> None:
        self._stream, self._prefixes = stream, prefixes
        self._incomplete = ""  # the last line, which has no newline yet

    def write(self, text: str) -> int:
        *lines, self._incomplete = (self._incomplete + text).split("\n")
        for line in lines:
            if not line.startswith(self._prefixes):
                self._stream.write(f"{line}\n")
        if not self._prefixes:
            self._flush_incomplete()
        return len(text)

    def stop_filtering(self) -> None:
        if not self._incomplete.startswith(self._prefixes):
            self._flush_incomplete()
        self._incomplete, self._prefixes = "", ()

    def _flush_incomplete(self) -> None:
        self._stream.write(self._incomplete)
        self._incomplete = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
