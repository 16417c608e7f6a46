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
    """GELU whose gradient can be differentiated once more, as R1 requires (losses/r1.py).

    Paddle (2.6 and 3.2) has no second derivative of GELU or of the error function. This layer
    evaluates the second-order Taylor polynomial of GELU around the detached input c: ``gelu(c) +
    (x - c) * (g1 + (x - c) * g2 / 2)``, with ``g1 = Phi(c) + c * phi(c)`` and ``g2 = (2 - c^2) *
    phi(c)``, where Phi and phi are the standard normal distribution function and density. As x = c,
    the value and the first two derivatives are exactly those of GELU; the third is wrong.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Any shape -> the same shape. Plain GELU without gradients and in static graphs."""
        if x.stop_gradient or not paddle.in_dynamic_mode():
            return F.gelu(x)
        with paddle.no_grad():
            center = x.detach()
            density = paddle.exp(-0.5 * paddle.square(center)) / math.sqrt(2 * math.pi)
            distribution = 0.5 * (1 + paddle.erf(center / math.sqrt(2)))
            first = distribution + center * density
            half_second = (1 - 0.5 * paddle.square(center)) * density
            value = F.gelu(center)
        offset = x - center  # always 0, but with a gradient
        return value + offset * (first + offset * half_second)


def make_activation(name: str, *, twice_differentiable: bool = False) -> nn.Layer:
    """Create an activation layer by its name in the configuration.

    Args:
        name: gelu, leaky_relu or relu.
        twice_differentiable: the gradient must be differentiable, too; makes GELU slower.

    Raises:
        ConfigError: the name is unknown.
    """
    if name not in _ACTIVATIONS:
        raise ConfigError(
            f"activation: expected one of {', '.join(_ACTIVATIONS)}, got {name!r}",
            code="config_value",
        )
    if name == "gelu" and twice_differentiable:
        return TwiceDifferentiableGELU()
    return _ACTIVATIONS[name]()
