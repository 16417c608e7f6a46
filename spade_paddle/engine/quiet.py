"""Hides messages that Paddle prints at every start and that users cannot act on.

Importing this module does not import paddle.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Iterator

THREADS = ("WARNING: OMP_NUM_THREADS set to ", "PLEASE USE OMP_NUM_THREADS WISELY.")
FLAGS = ("=====", "FLAGS(name=")  # that Paddle itself has changed, told where processes meet


def import_paddle() -> None:
    """Import paddle without what it says of a number of threads that is meant."""
    with lines_left_out(THREADS):
        importlib.import_module("paddle")


@contextlib.contextmanager
def lines_left_out(beginnings: tuple[str, ...]) -> Iterator[None]:
    """What Python code writes to ``sys.stderr`` in this block appears after it, but for the lines
    that begin so."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            yield
    finally:
        for line in said.getvalue().splitlines(keepends=True):
            if not line.startswith(beginnings):
                sys.stderr.write(line)
