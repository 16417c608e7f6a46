"""The errors meant for people: the one family that tools and the server catch.

A message tells where the problem is, what was expected, what came and what to do. ``code`` is a
short stable name for programs (the page looks up its translated sentence by it) and ``details``
holds the numbers and names that the sentence needs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class UserError(Exception):
    """Something the person who called us can put right.

    Args:
        message: where, what was expected, what came, what to do; in English.
        code: stable machine-readable name such as ``label_unknown``.
        details: JSON-serializable values that the message was made of.
    """

    def __init__(self, message: str, *, code: str = "bad_input", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


class ConfigError(UserError):
    """A configuration file or ``--set`` option is wrong."""


class DataError(UserError):
    """A data set, a photo or a label file is wrong or missing."""


class LabelMapError(UserError):
    """One label map cannot be painted (unknown ids, wrong shape, too small, too large)."""


class ModelError(UserError):
    """A model folder or a checkpoint is missing, broken or does not fit."""


class CompressionError(UserError):
    """A generator cannot be compressed to what was asked for."""


class RunError(UserError):
    """A training run cannot go on: its folder cannot be written, or another process stopped."""


class RequestError(UserError):
    """An HTTP request is malformed (not JSON, an unknown key, not an image)."""


def did_you_mean(text: str, known: Iterable[str], *, otherwise: str, prefix: str = "") -> str:
    """The advice for a name that is not known: the known one most like it, or else ``otherwise``.

    ``prefix`` is said before the known one.
    """
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"did you mean '{prefix}{near[0]}'?" if near else otherwise
