"""Initialization of the weights of a new network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import paddle
from paddle import nn
from paddle.nn.initializer import set_global_initializer

XAVIER_GAIN = 0.02


class XavierNormal(nn.initializer.XavierNormal):
    """Normal with deviation ``gain * sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio 2010).

    Paddle 2.6 knows no gain; hence this class.
    """

    def __init__(self, gain: float) -> None:
        super().__init__()
        self._scale = gain

    @paddle.no_grad()
    def __call__(self, parameter: paddle.Tensor, block: object = None) -> paddle.Tensor:
        """Fill a new parameter."""
        super().__call__(parameter, block)
        parameter.set_value(parameter * self._scale)
        return parameter


def set_to_zero(*parameters: paddle.Tensor) -> None:
    """Let these begin at 0 from now on."""
    for parameter in parameters:
        parameter.set_value(paddle.zeros_like(parameter))


@contextmanager
def initializer(name: str) -> Iterator[None]:
    """Layers made inside start as ``name`` says; what has an initializer of its own keeps that.

    ``paddle``: Paddle's defaults, as in photopen. ``xavier``: every convolution and linear
    layer Xavier-normal with gain 0.02 and biases 0, as in the public SPADE. Either is in place
    before spectral normalization wraps a layer and copies its weight.
    """
    if name == "xavier":
        set_global_initializer(XavierNormal(XAVIER_GAIN), nn.initializer.Constant(0.0))
    try:
        yield
    finally:
        set_global_initializer(None)
