"""Errors for users, which tools and the server catch and report.

A message says where the problem is, what was expected, what was found and what to do. ``code`` is a
short stable name for programs (the page looks up a translated message by it), and ``details`` has
the values that the message contains.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class UserError(Exception):
    """An error that the user can fix.

    Args:
        message: where, what was expected, what was found, and what to do; in English.
        code: stable machine-readable name such as ``label_unknown``.
        details: JSON-serializable values that the message contains.
    """

    def __init__(self, message: str, *, code: str = "bad_input", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


class ConfigError(UserError):
    """A configuration file or ``--set`` option is invalid."""


class DataError(UserError):
    """A data set, a photo or a label file is invalid or missing."""


class LabelMapError(UserError):
    """One label map cannot be painted (unknown ids, wrong shape, too small, too large)."""


class ModelError(UserError):
    """A model folder, weights file or checkpoint is missing, damaged or does not fit."""


class CompressionError(UserError):
    """A generator cannot be compressed to the requested budget."""


class RunError(UserError):
    """A training run cannot continue: its folder is not writable, or another process stopped."""


class RequestError(UserError):
    """An HTTP request is malformed (not JSON, an unknown key, not an image)."""


def did_you_mean(text: str, known: Iterable[str], *, otherwise: str, prefix: str = "") -> str:
    """Suggest the known name that is most similar to an unknown one, or return ``otherwise``.

    Args:
        text: the unknown name.
        known: the known names.
        otherwise: returned if no known name is similar.
        prefix: put before the suggested name.
    """
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"did you mean '{prefix}{near[0]}'?" if near else otherwise
