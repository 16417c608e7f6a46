"""Handles a step with NaN or infinite values: undoes its changes and saves it for inspection."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Callable

import numpy as np
import paddle
from paddle import nn

from spade_paddle.engine.steps import Losses
from spade_paddle.errors import ModelError
from spade_paddle.files import write_arrays_atomically

PATIENCE = 10
"""So many steps in a row may be left out before training stops."""


class BufferGuard:
    """Remembers what a forward pass changes: running statistics, power-iteration vectors."""

    def __init__(self, networks: Iterable[nn.Layer]) -> None:
        self._buffers = [buffer for network in networks for buffer in network.buffers()]
        self._copies: list[paddle.Tensor] = []

    def remember(self) -> None:
        """Copy them all, before a step."""
        self._copies = [buffer.clone() for buffer in self._buffers]

    def restore(self) -> None:
        """Set them back to the copies."""
        for buffer, copy in zip(self._buffers, self._copies):
            buffer.set_value(copy)


class BadSteps:
    """Counts steps that were left out and saves them for inspection.

    Args:
        folder: where; None: only count. Files of the same step are written over.
        ways_back: says in words which older states there are to go on from.
    """

    def __init__(
        self, folder: Path | None, *, ways_back: Callable[[], str] = lambda: "begin a new run"
    ) -> None:
        self._folder = folder
        self._ways_back = ways_back
        self._in_a_row = 0

    def good(self) -> None:
        """A step was as it should be."""
        self._in_a_row = 0

    def bad(self, images_seen: int, losses: Losses, *, arrays: dict[str, np.ndarray]) -> str:
        """Save a step that was left out; a line about it for people.

        Args:
            images_seen: before the step.
            arrays: the step's pictures and maps by name.

        Raises:
            ModelError: it was the last of PATIENCE steps in a row.
        """
        self._in_a_row += 1
        names = ", ".join(name for name, value in losses.items() if not np.isfinite(value))
        where = ""
        if self._folder is not None:
            where = f"; the step is in {_save(self._folder, images_seen, losses, arrays)}"
        if self._in_a_row >= PATIENCE:
            raise ModelError(
                f"training has come apart: {names} NaN or infinite in {PATIENCE} steps in a row, "
                f"none of which was applied{where}. Lower the learning rates or set "
                f"optimizer.gradient_clip, and {self._ways_back()}",
                code="not_finite",
            )
        return f"at {images_seen} images {names} NaN or infinite; the update was left out{where}"


def _save(folder: Path, images_seen: int, losses: Losses, arrays: dict[str, np.ndarray]) -> Path:
    path = folder / f"{images_seen:010d}.npz"
    # repr, since JSON knows neither NaN nor infinity
    text = json.dumps({name: repr(value) for name, value in losses.items()})
    write_arrays_atomically(path, losses=text, **arrays)
    return path
