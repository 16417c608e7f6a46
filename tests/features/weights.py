"""Weights files of random numbers, as the feature networks read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle


def write_weights(path: Path, arrays: dict[str, np.ndarray], **changes: np.ndarray | None) -> Path:
    """A weights file; ``changes`` replaces arrays, or leaves them out where None."""
    arrays = {**arrays, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def squeezenet_arrays() -> dict[str, np.ndarray]:
    paddle.seed(7)
    state = paddle.vision.models.squeezenet1_1().state_dict()
    return {name: value.numpy() for name, value in state.items()}


def squeezenet_file(folder: Path, **changes: np.ndarray | None) -> Path:
    return write_weights(folder / "squeezenet.npz", squeezenet_arrays(), **changes)
