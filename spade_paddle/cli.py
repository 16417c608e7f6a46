"""What every command in tools/ does around its work."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from typing import Callable

from spade_paddle.errors import UserError


def run_tool(work: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser) -> int:
    """Parse the command line and do the work; an error for people is one line and exit code 2.

    ``work`` imports paddle itself, after whatever must be set before that.
    """
    arguments = parser.parse_args()
    try:
        require_paddle()
        os.environ.setdefault("GLOG_minloglevel", "2")  # of Paddle's C++ code: errors only
        return work(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def number_in(low: float, high: float) -> Callable[[str], float]:
    """An argparse type: a number from low to high, whole when ``low`` is."""
    kind = type(low)

    def read(text: str) -> float:
        """Raises ArgumentTypeError, which argparse shows with the option's name."""
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            word = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"expected {word} from {low} to {high}, got {text!r}")
        return value

    return read


def require_paddle() -> None:
    """Say how to install Paddle where it is missing. Raises UserError."""
    if importlib.util.find_spec("paddle") is None:
        raise UserError(
            f"Paddle is not installed for {sys.executable}; install it with 'pip install -e "
            '".[cpu]" -c constraints.txt\' (or ".[gpu]", never both), or use .venv/bin/python '
            "after 'make doodle'",
            code="paddle_missing",
        )
