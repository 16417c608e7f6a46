"""Normalization layers, without learned parameters (modulated by SPADE and CLADE) and with them.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

import functools
import logging
from typing import Callable

import numpy as np
import paddle
from paddle import _C_ops, distributed, nn
from paddle.nn import functional as F

from spade_paddle.errors import ConfigError
from spade_paddle.layers.processes import sum_over_processes

MakeNorm = Callable[[int], nn.Layer]

logger = logging.getLogger(__name__)


class ParamFreeBatchNorm(nn.Layer):
    """Batch normalization without learned scale and shift.

    ``(x - mean) / sqrt(variance + epsilon)``, with mean and variance over N, H, W in training and
    running averages in evaluation. In Paddle ``momentum`` is the weight of the OLD average: 0.9
    here is 0.1 in PyTorch. In training, a single value per channel (one picture of one pixel) is
    returned unchanged, as Paddle skips the norm there; the formula would give 0.

    It replaces ``nn.BatchNorm2D(weight_attr=False, bias_attr=False)``, whose export the inference
    predictor cannot run; with a constant scale of 1 and shift of 0 it can.
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
    """Batch normalization with learned scale and shift, ``param_free(x) * weight + bias``.

    Scales are initialized from N(1, 0.02^2), as in the public SPADE.
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
    """Instance normalization (statistics over H, W) without learned scale and shift."""

    def __init__(self, channels: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        del channels  # unused; for the same signature as ParamFreeBatchNorm
        self.epsilon = epsilon

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return F.instance_norm(x, eps=self.epsilon)


class ParamFreeSyncBatchNorm(ParamFreeBatchNorm):
    """ParamFreeBatchNorm with statistics over the batches of all processes.

    It works with every backend that has ``all_reduce``: gloo between CPU processes, and NCCL
    between GPUs, where ParamFreeNcclBatchNorm is faster. In evaluation, and so in an exported
    model, it is ParamFreeBatchNorm. In training every process must call it equally often.
    """

    def _normalized(
        self, x: paddle.Tensor, scale: paddle.Tensor, shift: paddle.Tensor
    ) -> paddle.Tensor:
        if not self.training:
            return super()._normalized(x, scale, shift)
        with paddle.amp.auto_cast(enable=False):
            # the pixel count overflows float16, whose largest number is 65,504
            return self._synchronized(x.astype("float32"), scale, shift).astype(x.dtype)

    def _synchronized(
        self, x: paddle.Tensor, scale: paddle.Tensor, shift: paddle.Tensor
    ) -> paddle.Tensor:
        pixels = paddle.full([1], x.shape[0] * x.shape[2] * x.shape[3], x.dtype)
        total = sum_over_processes(paddle.concat([x.sum(axis=[0, 2, 3]), pixels]))
        count = total[-1]
        mean = total[:-1] / count
        centered = x - mean.reshape([1, -1, 1, 1])
        # a second all-reduce, since mean(x^2) - mean^2 loses precision where the variance is small
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


class ParamFreeNcclBatchNorm(ParamFreeBatchNorm):
    """ParamFreeSyncBatchNorm between GPUs, by the operator of Paddle's ``nn.SyncBatchNorm``.

    It needs one operator and one all-reduce instead of a dozen and two. The operator averages the
    means of the processes, so all must have equally large batches, and computes the variance as
    ``mean(x^2) - mean^2``. Paddle's layer itself is not used because it always stores scale and
    shift, which would change the state dict, and because it evaluates on GPUs only.
    """

    def _normalized(
        self, x: paddle.Tensor, scale: paddle.Tensor, shift: paddle.Tensor
    ) -> paddle.Tensor:
        if not self.training:
            return super()._normalized(x, scale, shift)
        averages = self._mean, self._variance
        options = self.momentum, self.epsilon, "NCHW", False, False
        try:
            with paddle.amp.auto_cast(enable=False):  # x may be float16, the others stay float32
                return _C_ops.sync_batch_norm_(x, *averages, scale, shift, False, *options)[0]
        except RuntimeError as error:
            if x.place.is_gpu_place():
                raise
            raise ConfigError(
                "Paddle's synchronized batch norm works between GPUs, and this network is on a "
                "CPU; build it with generator.param_free_norm batch, or start its processes with "
                "--backend gloo",
                code="config_value",
            ) from error


class NcclBatchNorm(BatchNorm, ParamFreeNcclBatchNorm):
    """BatchNorm with the statistics of ParamFreeNcclBatchNorm."""


@functools.cache
def nccl_synchronizes() -> bool:
    """Whether the backend is NCCL and Paddle's operator agrees with ParamFreeSyncBatchNorm.

    Values and gradients of a small example are compared. Every process must call it; all get the
    same answer.
    """
    if not (distributed.is_initialized() and distributed.get_backend() == "NCCL"):
        return False
    seed = distributed.get_rank() + 1  # so the statistics of the processes differ
    values = np.random.default_rng(seed).normal(seed, seed, (2, 2, 3, 4))

    def results(norm: nn.Layer) -> np.ndarray:
        x = paddle.to_tensor(values, dtype=paddle.get_default_dtype(), stop_gradient=False)
        out = norm(x)
        (out**3).sum().backward()
        tensors = (out, x.grad, norm._mean, norm._variance)
        return np.concatenate([tensor.numpy().flatten() for tensor in tensors])

    expected = results(ParamFreeSyncBatchNorm(2))
    try:
        agrees = np.allclose(results(ParamFreeNcclBatchNorm(2)), expected, atol=1e-3)
    except RuntimeError:  # for example in a build of Paddle without the operator
        agrees = False
    agreeing = sum_over_processes(paddle.to_tensor([float(agrees)]))
    if int(agreeing) == distributed.get_world_size():
        return True
    _warn_once(
        "sync_batch: Paddle's synchronized batch norm does not give the statistics of all "
        "processes here; using our slower implementation instead"
    )
    return False


def sync_batch_norm(channels: int) -> nn.Layer:
    """Create the norm with statistics over all processes; ParamFreeBatchNorm if there is one."""
    if distributed.get_world_size() == 1:
        _warn_once("sync_batch: one process only, so its statistics are those of plain batch norm")
        return ParamFreeBatchNorm(channels)
    return (ParamFreeNcclBatchNorm if nccl_synchronizes() else ParamFreeSyncBatchNorm)(channels)


@functools.cache
def _warn_once(message: str) -> None:
    logger.warning(message)


_PARAM_FREE_NORMS: dict[str, MakeNorm] = {
    "batch": ParamFreeBatchNorm,
    "sync_batch": sync_batch_norm,
    "instance": ParamFreeInstanceNorm,
}


def param_free_norm(name: str) -> MakeNorm:
    """Return the constructor (channels -> layer) for ``batch``, ``sync_batch`` or ``instance``.

    Raises:
        ConfigError: the name is unknown.
    """
    if name not in _PARAM_FREE_NORMS:
        raise ConfigError(
            f"param_free_norm: expected one of {', '.join(_PARAM_FREE_NORMS)}, got {name!r}",
            code="config_value",
        )
    return _PARAM_FREE_NORMS[name]


def batch_norm(name: str) -> MakeNorm:
    """Return the constructor (channels -> layer) of the affine batch norm used together with this
    ``param_free_norm``: synchronized with ``sync_batch`` in several processes."""
    if name != "sync_batch" or distributed.get_world_size() == 1:
        return BatchNorm
    return NcclBatchNorm if nccl_synchronizes() else SyncBatchNorm
