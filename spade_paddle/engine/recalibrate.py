"""Recomputes the batch norm statistics of averaged weights.

Features of a network with averaged weights have statistics of their own, which differ from the
average of the running statistics. They are measured with additional forward passes (as in
stochastic weight averaging, Izmailov et al. 2018, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import paddle
from paddle import nn

from spade_paddle.engine.steps import Networks, StepInput, paint
from spade_paddle.layers.norm import ParamFreeBatchNorm

Statistics = dict  # buffers of the generator by name in its state dict


@paddle.no_grad()
def measure_statistics(networks: Networks, batches: Iterable[StepInput]) -> Statistics:
    """Measure the statistics of every batch norm as means over batches; changes no network.

    All batches have the same weight, so they should be of the same size. With synchronized batch
    norm, every process must call this with the same number of batches.

    Args:
        networks: generator and encoder to measure, in evaluation mode.
        batches: inputs to paint.

    Returns:
        the statistics; empty for a generator without batch norm.
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
                    layer.momentum = index / (index + 1)  # gives the mean of all batches
                paint(networks, batch)
            return {name: state[name].clone() for name in names}
        finally:
            generator.eval()
            for name, layer in norms.items():
                layer.momentum = momenta[name]


@contextmanager
def statistics(generator: nn.Layer, values: Statistics) -> Iterator[None]:
    """Set statistics of a generator within a block; restore its own afterwards."""
    state = generator.state_dict()
    own = {name: state[name].clone() for name in values}
    for name, value in values.items():
        state[name].set_value(value)
    try:
        yield
    finally:
        for name, value in own.items():
            state[name].set_value(value)
