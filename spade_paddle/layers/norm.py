"""Normalisation without learned parameters: what SPADE and CLADE modulate.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

from typing import Callable

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ConfigError

MakeNorm = Callable[[int], nn.Layer]


class ParamFreeBatchNorm(nn.Layer):
    """Batch normalisation with neither scale nor shift.

    ``(x - mean) / sqrt(variance + epsilon)``; mean and variance over N, H, W in training, the
    running averages in evaluation. Paddle's ``momentum`` is the weight of the OLD average: 0.9
    here is 0.1 in PyTorch. A single value per channel (one picture of one pixel) passes through as
    it is in training, where the formula would give 0: Paddle skips the norm there.

    Our own layer, because ``nn.BatchNorm2D(weight_attr=False, bias_attr=False)`` breaks the
    inference predictor after export; a constant scale of 1 and shift of 0 does not.
    """

    def __init__(self, channels: int, *, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum = momentum
        self.epsilon = epsilon
        self.register_buffer("_mean", paddle.zeros([channels]))
        self.register_buffer("_variance", paddle.ones([channels]))
        self.register_buffer("_one", paddle.ones([channels]), persistable=False)
        self.register_buffer("_zero", paddle.zeros([channels]), persistable=False)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return F.batch_norm(
            x,
            self._mean,
            self._variance,
            weight=self._one,
            bias=self._zero,
            training=self.training,
            momentum=self.momentum,
            epsilon=self.epsilon,
        )


class ParamFreeInstanceNorm(nn.Layer):
    """Instance normalisation with neither scale nor shift (statistics over H, W)."""

    def __init__(self, channels: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        del channels  # the same signature as ParamFreeBatchNorm; nothing is stored per channel
        self.epsilon = epsilon

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return F.instance_norm(x, eps=self.epsilon)


_PARAM_FREE_NORMS: dict[str, MakeNorm] = {
    "batch": ParamFreeBatchNorm,
    "instance": ParamFreeInstanceNorm,
}


def param_free_norm(name: str) -> MakeNorm:
    """The constructor (channels -> layer) for ``batch`` or ``instance``."""
    if name not in _PARAM_FREE_NORMS:
        raise ConfigError(
            f"param_free_norm: expected one of {', '.join(_PARAM_FREE_NORMS)}, got {name!r}",
            code="config_value",
        )
    return _PARAM_FREE_NORMS[name]
