"""Hides messages that Paddle prints at every start and that users cannot act on.

Importing this module does not import paddle.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

THREADS = ("WARNING: OMP_NUM_THREADS set to ", "PLEASE USE OMP_NUM_THREADS WISELY.")
FLAGS = ("=====", "FLAGS(name=")  # that Paddle itself has changed, told where processes meet


def import_paddle() -> None:
    """Import paddle without what it says of a number of threads that is meant."""
    with lines_left_out(THREADS):
        importlib.import_module("paddle")


@contextlib.contextmanager
def lines_left_out(beginnings: tuple[str, ...]) -> Iterator[None]:
    """Drops lines that begin so from what Python code writes to ``sys.stderr`` in this block."""
    stream = _WithoutLines(sys.stderr, beginnings)
    try:
        with contextlib.redirect_stderr(stream):  # type: ignore[type-var]
            yield
    finally:
        stream.drop_no_more()


class _WithoutLines:
    """Another stream but for some lines. It stays usable after the block, since a logging handler
    made in it, such as Paddle's on the root logger, keeps writing to the stream that it found."""

    def __init__(self, stream: TextIO, beginnings: tuple[str, ...]) -> None:
        self._stream, self._beginnings = stream, beginnings
        self._begun = ""  # a line that has no end yet

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if not line.startswith(self._beginnings):
                self._stream.write(f"{line}\n")
        if not self._beginnings:
            self._pass_on()
        return len(text)

    def drop_no_more(self) -> None:
        if not self._begun.startswith(self._beginnings):
            self._pass_on()
        self._begun, self._beginnings = "", ()

    def _pass_on(self) -> None:
        self._stream.write(self._begun)
        self._begun = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
