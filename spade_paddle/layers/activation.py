"""The activations a network can be built with."""

from __future__ import annotations

from typing import Callable

import paddle
from paddle import nn

from spade_paddle.errors import ConfigError

Activation = Callable[[paddle.Tensor], paddle.Tensor]

_ACTIVATIONS: dict[str, Callable[[], nn.Layer]] = {
    "gelu": nn.GELU,  # the article
    "leaky_relu": lambda: nn.LeakyReLU(0.2),  # the public SPADE
    "relu": nn.ReLU,  # the public SPADE, inside its SPADE layer
}


def make_activation(name: str) -> nn.Layer:
    """A new activation layer by its name in the configuration."""
    if name not in _ACTIVATIONS:
        raise ConfigError(
            f"activation: expected one of {', '.join(_ACTIVATIONS)}, got {name!r}",
            code="config_value",
        )
    return _ACTIVATIONS[name]()
