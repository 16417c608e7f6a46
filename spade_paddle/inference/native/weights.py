"""Read the weights of a generator from its exported program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle

from spade_paddle.inference.program import PROGRAM
from spade_paddle.model_card import ModelCard


class NoWeights(RuntimeError):
    """The weights cannot be read from the program by their names."""


def read_weights(folder: Path, card: ModelCard) -> dict[str, np.ndarray]:
    """The generator's weights, ``float32`` by name; call it in Paddle's thread (paddle_thread.py).

    Args:
        folder: the model folder.
        card: its model card.

    Raises:
        NoWeights: the model was exported by an earlier version, or its card and its program differ.
    """
    if not card.tensors:
        raise NoWeights("an earlier version exported this model; export it again")
    # Paddle renames a parameter that it loads: NAME becomes NAME_0
    found = {
        name: tensor.numpy()
        for tensor in paddle.jit.load(str(folder / PROGRAM)).state_dict().values()
        for name in (tensor.name, tensor.name.rpartition("_")[0])
    }
    missing = [name for name in card.tensors.values() if name not in found]
    if missing:
        raise NoWeights(f"the program has no {', '.join(missing[:3])}")
    return {name: found[parameter] for name, parameter in card.tensors.items()}
