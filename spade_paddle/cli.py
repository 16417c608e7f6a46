"""Common parts of the commands in tools/."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from typing import Callable

from spade_paddle.errors import UserError


def run_tool(work: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser) -> int:
    """Parse the command line and run ``work``; print a UserError in one line and return 2.

    ``work`` imports paddle itself, because some environment variables must be set before.
    """
    arguments = parser.parse_args()
    try:
        require_paddle()
        os.environ.setdefault("GLOG_minloglevel", "2")  # errors only from Paddle's C++ code
        return work(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def number_in(low: float, high: float) -> Callable[[str], float]:
    """Return an argparse type for numbers from low to high; for integers if ``low`` is one."""
    kind = type(low)

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            noun = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"expected {noun} from {low} to {high}, got {text!r}")
        return value

    return read


def require_paddle() -> None:
    """Check that Paddle is installed.

    Raises:
        UserError: it is not; the message says how to install it.
    """
    if importlib.util.find_spec("paddle") is None:
        raise UserError(
            f"Paddle is not installed for {sys.executable}; install it with 'pip install -e "
            '".[cpu]" -c constraints.txt\' (or ".[gpu]", never both), or use .venv/bin/python '
            "after 'make doodle'",
            code="paddle_missing",
        )
