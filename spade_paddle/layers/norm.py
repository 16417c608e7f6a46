"""Normalisation without learned parameters: what SPADE and CLADE modulate.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

import functools
import logging
from typing import Callable

import paddle
from paddle import distributed, nn
from paddle.autograd import PyLayer
from paddle.nn import functional as F

from spade_paddle.errors import ConfigError

MakeNorm = Callable[[int], nn.Layer]

logger = logging.getLogger(__name__)


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


class ParamFreeSyncBatchNorm(ParamFreeBatchNorm):
    """ParamFreeBatchNorm whose statistics are those of the batches of all processes together.

    Works wherever ``all_reduce`` does: NCCL between GPUs, gloo between CPU processes. In
    evaluation, and so in an export, it is ParamFreeBatchNorm.
    """

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C, H, W]; every process must call it the same number of times."""
        if not self.training:
            return super().forward(x)
        pixels = paddle.full([1], x.shape[0] * x.shape[2] * x.shape[3], x.dtype)
        total = _SumOverProcesses.apply(paddle.concat([x.sum(axis=[0, 2, 3]), pixels]))
        count = total[-1]
        mean = total[:-1] / count
        centered = x - mean.reshape([1, -1, 1, 1])
        # around the mean, in a second exchange: mean(x^2) - mean^2 would lose the digits of a
        # small variance
        variance = _SumOverProcesses.apply(paddle.square(centered).sum(axis=[0, 2, 3])) / count
        with paddle.no_grad():
            for average, newest in ((self._mean, mean), (self._variance, variance)):
                average.set_value(self.momentum * average + (1 - self.momentum) * newest)
        return centered / paddle.sqrt(variance + self.epsilon).reshape([1, -1, 1, 1])


class _SumOverProcesses(PyLayer):
    """The sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(context, values: paddle.Tensor) -> paddle.Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context, gradient: paddle.Tensor) -> paddle.Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def sync_batch_norm(channels: int) -> nn.Layer:
    """ParamFreeSyncBatchNorm, or ParamFreeBatchNorm where only one process trains."""
    if distributed.get_world_size() > 1:
        return ParamFreeSyncBatchNorm(channels)
    _say_once("sync_batch: one process only, so its statistics are those of plain batch norm")
    return ParamFreeBatchNorm(channels)


@functools.cache
def _say_once(message: str) -> None:
    logger.warning(message)


_PARAM_FREE_NORMS: dict[str, MakeNorm] = {
    "batch": ParamFreeBatchNorm,
    "sync_batch": sync_batch_norm,
    "instance": ParamFreeInstanceNorm,
}


def param_free_norm(name: str) -> MakeNorm:
    """The constructor (channels -> layer) for ``batch``, ``sync_batch`` or ``instance``."""
    if name not in _PARAM_FREE_NORMS:
        raise ConfigError(
            f"param_free_norm: expected one of {', '.join(_PARAM_FREE_NORMS)}, got {name!r}",
            code="config_value",
        )
    return _PARAM_FREE_NORMS[name]
