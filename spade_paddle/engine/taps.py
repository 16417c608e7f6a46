"""The outputs of some layers of a network, as it computes them."""

from __future__ import annotations

from collections.abc import Sequence

import paddle
from paddle import nn

from spade_paddle.errors import ConfigError


class Taps:
    """Keeps what layers of a network have given in its last forward pass.

    Args:
        network: whose sub-layers they are.
        layers: their names.

    Raises:
        ConfigError: the network has no such layer.
    """

    def __init__(self, network: nn.Layer, layers: Sequence[str]) -> None:
        known = dict(network.named_children())
        for name in layers:
            if name not in known:
                raise ConfigError(
                    f"distillation.layers: expected blocks of the generators, got {name!r}; there "
                    f"are {', '.join(known)}",
                    code="config_value",
                )
            known[name].register_forward_post_hook(self._keeper(name))
        self._layers = tuple(layers)
        self._kept: dict[str, paddle.Tensor] = {}

    def take(self) -> list[paddle.Tensor]:
        """The outputs in the order of the layers; they are kept no longer."""
        kept, self._kept = self._kept, {}
        return [kept[name] for name in self._layers]

    def _keeper(self, name: str):
        def keep(layer: nn.Layer, inputs: object, output: paddle.Tensor) -> None:
            self._kept[name] = output

        return keep
