"""The cost of a network: its parameters, and its multiply-adds (MACs) for one picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import paddle
from paddle import nn

from spade_paddle.networks.projection import RandomConvolution


def count_parameters(network: nn.Layer) -> int:
    """Count the learned parameters, without running statistics and spectral norm vectors."""
    return sum(int(np.prod(parameter.shape)) for parameter in network.parameters())


@paddle.no_grad()
def count_macs(
    network: nn.Layer, *inputs: Any, also: Iterable[nn.Layer] = (), **keywords: Any
) -> int:
    """Count the multiply-adds of convolutions and linear layers in one forward pass.

    A convolution counts output pixels x output channels x input channels / groups x kernel area, a
    linear layer inputs x outputs, each times the batch size. As in the tables of the papers, norms,
    activations, SimAM, resizing and CLADE's table lookup (however it is computed) do not count.

    Args:
        network: run once, in evaluation mode, as ``network(*inputs, **keywords)``.
        inputs: positional arguments.
        also: networks that it calls but that are not its sub-layers; they count, too.
        keywords: keyword arguments.
    """
    total = 0

    def count(layer: nn.Layer, _: Any, output: paddle.Tensor) -> None:
        nonlocal total
        # weight [out, in / groups, k, k] of a convolution, [in, out] of a linear layer
        weight = int(np.prod(layer.weight.shape))
        positions = int(np.prod(output.shape[2:]))  # 1 for a linear layer
        total += output.shape[0] * positions * weight

    hooks = [
        layer.register_forward_post_hook(count)  # type: ignore[arg-type]  # it may return None
        for each in (network, *also)
        for layer in each.sublayers(include_self=True)
        if isinstance(layer, (nn.Conv2D, nn.Linear, RandomConvolution))
    ]
    was_training = network.training
    network.eval()
    try:
        network(*inputs, **keywords)
    finally:
        for hook in hooks:
            hook.remove()
        if was_training:
            network.train()
    return total
