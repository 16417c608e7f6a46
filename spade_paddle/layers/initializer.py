"""Initialization of the weights of a new network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import paddle
from paddle import nn
from paddle.nn.initializer import set_global_initializer

XAVIER_GAIN = 0.02


class XavierNormal(nn.initializer.XavierNormal):
    """Normal with standard deviation ``gain * sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio
    2010); the initializer of Paddle 2.6 has no gain.
    """

    def __init__(self, gain: float) -> None:
        super().__init__()
        self._scale = gain

    @paddle.no_grad()
    def __call__(self, parameter: paddle.Tensor, block: object = None) -> paddle.Tensor:
        """Initialize a parameter in place."""
        super().__call__(parameter, block)
        parameter.set_value(parameter * self._scale)
        return parameter


def set_to_zero(*parameters: paddle.Tensor) -> None:
    """Set parameters to 0 in place."""
    for parameter in parameters:
        parameter.set_value(paddle.zeros_like(parameter))


@contextmanager
def initializer(name: str) -> Iterator[None]:
    """Context manager that sets the initializer of layers created inside it.

    Parameters with an initializer of their own keep that. Create layers inside it before they are
    wrapped in spectral normalization, which copies their weights.

    Args:
        name: ``paddle``, Paddle's defaults, as in photopen; or ``xavier``, weights Xavier-normal
            with gain 0.02 and biases 0, as in the public SPADE.
    """
    if name == "xavier":
        set_global_initializer(XavierNormal(XAVIER_GAIN), nn.initializer.Constant(0.0))
    try:
        yield
    finally:
        set_global_initializer(None)
