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
"""The number of consecutive skipped steps at which training stops."""


class BufferGuard:
    """Backs up what a forward pass changes: running statistics and power-iteration vectors."""

    def __init__(self, networks: Iterable[nn.Layer]) -> None:
        self._buffers = [buffer for network in networks for buffer in network.buffers()]
        self._copies: list[paddle.Tensor] = []

    def remember(self) -> None:
        """Copy all buffers; call before a step."""
        self._copies = [buffer.clone() for buffer in self._buffers]

    def restore(self) -> None:
        """Restore the buffers from the copies."""
        for buffer, copy in zip(self._buffers, self._copies):
            buffer.set_value(copy)


class BadSteps:
    """Counts consecutive skipped steps and saves them for inspection.

    Args:
        folder: where to save them; None: only count. A file of the same step is overwritten.
        recovery_options: returns a sentence about the older states that can be used instead.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        recovery_options: Callable[[], str] = lambda: "start a new run",
    ) -> None:
        self._folder = folder
        self._recovery_options = recovery_options
        self._in_a_row = 0

    def good(self) -> None:
        """Record a successful step."""
        self._in_a_row = 0

    def bad(self, images_seen: int, losses: Losses, *, arrays: dict[str, np.ndarray]) -> str:
        """Record and save a skipped step; return a log line about it.

        Args:
            images_seen: images seen before the step.
            losses: losses and gradient norm of the step by name.
            arrays: pictures and label maps of the step by name.

        Raises:
            ModelError: PATIENCE steps in a row were skipped.
        """
        self._in_a_row += 1
        names = ", ".join(name for name, value in losses.items() if not np.isfinite(value))
        where = ""
        if self._folder is not None:
            where = f"; the step was saved in {_save(self._folder, images_seen, losses, arrays)}"
        if self._in_a_row >= PATIENCE:
            raise ModelError(
                f"training has diverged: {names} NaN or infinite in {PATIENCE} steps in a row, "
                f"all of which were skipped{where}. Lower the learning rates or set "
                f"optimizer.gradient_clip, and {self._recovery_options()}",
                code="not_finite",
            )
        return f"at {images_seen} images {names} NaN or infinite; the update was skipped{where}"


def _save(folder: Path, images_seen: int, losses: Losses, arrays: dict[str, np.ndarray]) -> Path:
    path = folder / f"{images_seen:010d}.npz"
    # repr, because JSON has no NaN and infinity
    text = json.dumps({name: repr(value) for name, value in losses.items()})
    write_arrays_atomically(path, losses=text, **arrays)
    return path
