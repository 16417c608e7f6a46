"""Recomputes batch norm statistics for averaged weights, which were never trained with.

The features of averaged weights have their own statistics, which are not the average of the running
statistics. They are measured by passing pictures through (as in stochastic weight averaging,
Izmailov et al. 2018, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import paddle
from paddle import nn

from spade_paddle.engine.steps import Networks, StepInput, paint
from spade_paddle.layers.norm import ParamFreeBatchNorm

Statistics = dict  # buffers of the generator by their names in its state dict


@paddle.no_grad()
def measure_statistics(networks: Networks, batches: Iterable[StepInput]) -> Statistics:
    """The mean over the batches of every batch norm's statistics; nothing is changed.

    Every batch counts the same, so they should be of one size. Empty for a generator without batch
    norm. With synchronized batch norm every process must call it with as many batches.

    Args:
        networks: generator and encoder to measure, in evaluation mode.
        batches: what is painted for it.
    """
    generator = networks.generator
    norms = {
        name: layer
        for name, layer in generator.named_sublayers()
        if isinstance(layer, ParamFreeBatchNorm)
    }
    if not norms:
        return {}
    names = [f"{name}.{buffer}" for name in norms for buffer in ("_mean", "_variance")]
    state = generator.state_dict()
    with statistics(generator, {name: state[name].clone() for name in names}):
        momenta = {name: layer.momentum for name, layer in norms.items()}
        generator.train()
        try:
            for index, batch in enumerate(batches):
                for layer in norms.values():
                    layer.momentum = index / (index + 1)  # of the old value: the mean of all
                paint(networks, batch)
            return {name: state[name].clone() for name in names}
        finally:
            generator.eval()
            for name, layer in norms.items():
                layer.momentum = momenta[name]


@contextmanager
def statistics(generator: nn.Layer, values: Statistics) -> Iterator[None]:
    """Within it the generator has these statistics, after it its own again."""
    state = generator.state_dict()
    own = {name: state[name].clone() for name in values}
    for name, value in values.items():
        state[name].set_value(value)
    try:
        yield
    finally:
        for name, value in own.items():
            state[name].set_value(value)
