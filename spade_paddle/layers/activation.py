"""The activations with which a network can be built."""

from __future__ import annotations

import math
from typing import Callable

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ConfigError

Activation = Callable[[paddle.Tensor], paddle.Tensor]

_ACTIVATIONS: dict[str, Callable[[], nn.Layer]] = {
    "gelu": nn.GELU,  # the article
    "leaky_relu": lambda: nn.LeakyReLU(0.2),  # the public SPADE
    "relu": nn.ReLU,  # the public SPADE, inside its SPADE layer
}


class TwiceDifferentiableGELU(nn.Layer):
    """GELU whose gradient can be differentiated once more, as R1 needs it (losses/r1.py).

    Paddle has no second derivative of GELU, nor of the error function (2.6 and 3.2). So around
    each value ``c`` of x, taken as a constant, GELU is written as its Taylor polynomial ``gelu(c) +
    (x - c) * (g1 + (x - c) * g2 / 2)``, with ``g1 = Phi(c) + c * phi(c)`` and ``g2 = (2 - c^2) *
    phi(c)``, Phi and phi the normal distribution and its density. As x = c, value, gradient and
    gradient of the gradient are exactly those of GELU. A third derivative would be wrong.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Any shape -> the same. In compiled programs, which cannot be differentiated twice, it is
        plain GELU."""
        if x.stop_gradient or not paddle.in_dynamic_mode():
            return F.gelu(x)
        with paddle.no_grad():
            center = x.detach()
            density = paddle.exp(-0.5 * paddle.square(center)) / math.sqrt(2 * math.pi)
            distribution = 0.5 * (1 + paddle.erf(center / math.sqrt(2)))
            slope = distribution + center * density
            half_bend = (1 - 0.5 * paddle.square(center)) * density
            value = F.gelu(center)
        offset = x - center  # 0
        return value + offset * (slope + offset * half_bend)


def make_activation(name: str, *, twice_differentiable: bool = False) -> nn.Layer:
    """A new activation layer by its name in the configuration.

    Args:
        name: gelu, leaky_relu or relu.
        twice_differentiable: its gradient must have a gradient; GELU is slower then.
    """
    if name not in _ACTIVATIONS:
        raise ConfigError(
            f"activation: expected one of {', '.join(_ACTIVATIONS)}, got {name!r}",
            code="config_value",
        )
    if name == "gelu" and twice_differentiable:
        return TwiceDifferentiableGELU()
    return _ACTIVATIONS[name]()
