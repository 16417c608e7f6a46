"""Normalisation: without learned parameters, as SPADE and CLADE modulate it, and with them.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

import functools
import logging
from typing import Callable

import paddle
from paddle import distributed, nn
from paddle.nn import functional as F

from spade_paddle.errors import ConfigError
from spade_paddle.layers.processes import sum_over_processes

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
        return self._normalized(x, self._one, self._zero)

    def _normalized(
        self, x: paddle.Tensor, scale: paddle.Tensor, shift: paddle.Tensor
    ) -> paddle.Tensor:
        return F.batch_norm(
            x,
            self._mean,
            self._variance,
            weight=scale,
            bias=shift,
            training=self.training,
            momentum=self.momentum,
            epsilon=self.epsilon,
        )


class BatchNorm(ParamFreeBatchNorm):
    """Batch normalisation with a scale and a shift, ``param_free(x) * weight + bias``.

    The scales start around 1 with a deviation of 0.02, as the public SPADE starts its own.
    """

    def __init__(self, channels: int, **options: float) -> None:
        super().__init__(channels, **options)
        start = paddle.ParamAttr(initializer=nn.initializer.Normal(1.0, 0.02))
        self.weight = self.create_parameter([channels], attr=start)
        self.bias = self.create_parameter([channels], is_bias=True)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return self._normalized(x, self.weight, self.bias)


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
    evaluation, and so in an export, it is ParamFreeBatchNorm. In training every process must call
    it the same number of times.
    """

    def _normalized(
        self, x: paddle.Tensor, scale: paddle.Tensor, shift: paddle.Tensor
    ) -> paddle.Tensor:
        if not self.training:
            return super()._normalized(x, scale, shift)
        with paddle.amp.auto_cast(enable=False):
            # float16 ends at 65,504, fewer pixels than a picture has
            return self._synchronized(x.astype("float32"), scale, shift).astype(x.dtype)

    def _synchronized(
        self, x: paddle.Tensor, scale: paddle.Tensor, shift: paddle.Tensor
    ) -> paddle.Tensor:
        pixels = paddle.full([1], x.shape[0] * x.shape[2] * x.shape[3], x.dtype)
        total = sum_over_processes(paddle.concat([x.sum(axis=[0, 2, 3]), pixels]))
        count = total[-1]
        mean = total[:-1] / count
        centered = x - mean.reshape([1, -1, 1, 1])
        # around the mean, in a second exchange: mean(x^2) - mean^2 would lose the digits of a
        # small variance
        variance = sum_over_processes(paddle.square(centered).sum(axis=[0, 2, 3])) / count
        with paddle.no_grad():
            for average, newest in ((self._mean, mean), (self._variance, variance)):
                average.set_value(self.momentum * average + (1 - self.momentum) * newest)
        normalized = centered / paddle.sqrt(variance + self.epsilon).reshape([1, -1, 1, 1])
        if scale is self._one:
            return normalized
        return normalized * scale.reshape([1, -1, 1, 1]) + shift.reshape([1, -1, 1, 1])


class SyncBatchNorm(BatchNorm, ParamFreeSyncBatchNorm):
    """BatchNorm with the statistics of ParamFreeSyncBatchNorm."""


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


def batch_norm(name: str) -> MakeNorm:
    """The constructor of a batch norm with scale and shift, to go with that ``param_free_norm``:
    synchronized beside ``sync_batch`` in several processes."""
    return SyncBatchNorm if name == "sync_batch" and distributed.get_world_size() > 1 else BatchNorm
