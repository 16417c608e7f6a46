"""From a batch of arrays to the tensors that the networks take."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.data.batches import Batch
from spade_paddle.engine.steps import StepInput
from spade_paddle.networks.semantics import SemanticLayout


def step_input(batch: Batch, *, config: Config, num_labels: int) -> StepInput:
    """A batch as tensors, the label map as a semantic map.

    Args:
        batch: of N pictures.
        config: tells which channels the semantic map has.
        num_labels: labels of the label set.
    """

    def tensor(values: np.ndarray | None) -> paddle.Tensor | None:
        return None if values is None else paddle.to_tensor(values)

    noise = batch.noise
    layout = SemanticLayout.of(config, num_labels)
    return StepInput(
        semantics=layout.encode(tensor(batch.label_map), tensor(batch.instance_map)),
        photo=tensor(batch.photo),
        positions=tensor(batch.positions),
        noise=tuple(map(tensor, noise)) if isinstance(noise, tuple) else tensor(noise),
        style_noise=tensor(batch.style_noise),
        augmentation=batch.augmentation,
        # a batch moves as a whole, by what its first picture has drawn
        shift=(0, 0) if batch.shift is None else tuple(batch.shift[0].tolist()),
    )


def step_inputs(batch: Batch, *, most: int, config: Config, num_labels: int) -> list[StepInput]:
    """A batch in as few parts of equal size as may be, none of more than ``most`` pictures."""
    count = len(batch.photo)
    size = next(size for size in range(min(most, count), 0, -1) if count % size == 0)
    parts = [
        dataclasses.replace(
            batch,
            **{name: _pictures(values, start, size) for name, values in vars(batch).items()},
        )
        for start in range(0, count, size)
    ]
    return [step_input(part, config=config, num_labels=num_labels) for part in parts]


def _pictures(values: Any, start: int, count: int) -> Any:
    """So many pictures' part of a batch's field: an array, several, or None."""
    if isinstance(values, tuple):
        return tuple(_pictures(each, start, count) for each in values)
    return None if values is None else values[start : start + count]
