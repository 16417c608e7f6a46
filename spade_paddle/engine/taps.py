"""Captures the outputs of some blocks of a generator as it computes them."""

from __future__ import annotations

from collections.abc import Sequence

import paddle
from paddle import nn

from spade_paddle.errors import ConfigError
from spade_paddle.networks.generator import SPADEGenerator


class Taps:
    """Records the outputs of some blocks of a generator in its last forward pass, by hooks.

    Args:
        generator: the generator.
        blocks: names of the blocks.

    Raises:
        ConfigError: the generator has no such block.
    """

    def __init__(self, generator: SPADEGenerator, blocks: Sequence[str]) -> None:
        for name in blocks:
            if name not in generator.block_channels:
                raise ConfigError(
                    f"distillation.layers: expected blocks of the generators, got {name!r}; the "
                    f"blocks are {', '.join(generator.block_channels)}",
                    code="config_value",
                )
            getattr(generator, name).register_forward_post_hook(self._hook(name))
        self._blocks = tuple(blocks)
        self._outputs: dict[str, paddle.Tensor] = {}

    def take(self) -> list[paddle.Tensor]:
        """Return the outputs in the order of the blocks, and release them."""
        outputs, self._outputs = self._outputs, {}
        return [outputs[name] for name in self._blocks]

    def _hook(self, name: str):
        def record(layer: nn.Layer, inputs: object, output: paddle.Tensor) -> None:
            self._outputs[name] = output

        return record
