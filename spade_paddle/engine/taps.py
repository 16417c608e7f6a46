"""Captures the outputs of some blocks of a generator as it computes them."""

from __future__ import annotations

from collections.abc import Sequence

import paddle
from paddle import nn

from spade_paddle.errors import ConfigError
from spade_paddle.networks.generator import SPADEGenerator


class Taps:
    """Keeps what blocks of a generator have given in its last forward pass.

    Args:
        generator: whose they are.
        blocks: their names.

    Raises:
        ConfigError: the generator has no such block.
    """

    def __init__(self, generator: SPADEGenerator, blocks: Sequence[str]) -> None:
        for name in blocks:
            if name not in generator.block_channels:
                raise ConfigError(
                    f"distillation.layers: expected blocks of the generators, got {name!r}; there "
                    f"are {', '.join(generator.block_channels)}",
                    code="config_value",
                )
            getattr(generator, name).register_forward_post_hook(self._keeper(name))
        self._blocks = tuple(blocks)
        self._kept: dict[str, paddle.Tensor] = {}

    def take(self) -> list[paddle.Tensor]:
        """The outputs in the order of the blocks; they are kept no longer."""
        kept, self._kept = self._kept, {}
        return [kept[name] for name in self._blocks]

    def _keeper(self, name: str):
        def keep(layer: nn.Layer, inputs: object, output: paddle.Tensor) -> None:
            self._kept[name] = output

        return keep
