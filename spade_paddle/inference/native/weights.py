"""Reads the weights of a generator from its exported program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle

from spade_paddle.inference.program import PROGRAM
from spade_paddle.model_card import ModelCard


class NoWeights(RuntimeError):
    """The program does not tell its weights by name."""


def read_weights(folder: Path, card: ModelCard) -> dict[str, np.ndarray]:
    """The generator's weights, ``float32`` by name; to be called in the thread of Paddle.

    Args:
        folder: the model folder.
        card: its card.

    Raises:
        NoWeights: an earlier version exported it, or its card and its program do not agree.
    """
    if not card.tensors:
        raise NoWeights("an earlier version exported this model; export it again")
    # Paddle gives a parameter that it loads a name of its own: the old one and _0
    found = {
        name: tensor.numpy()
        for tensor in paddle.jit.load(str(folder / PROGRAM)).state_dict().values()
        for name in (tensor.name, tensor.name.rpartition("_")[0])
    }
    missing = [name for name in card.tensors.values() if name not in found]
    if missing:
        raise NoWeights(f"the program has no {', '.join(missing[:3])}")
    return {name: found[other] for name, other in card.tensors.items()}
