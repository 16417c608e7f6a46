"""Upsampling by 2, with efficient gradients.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

import functools

import numpy as np
import paddle
from paddle.autograd import PyLayer
from paddle.nn import functional as F


def upsample_nearest(x: paddle.Tensor) -> paddle.Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W] by nearest neighbor: every pixel four times.

    The same numbers as ``F.interpolate(x, scale_factor=2)``, whose CPU kernels take three times as
    long in training. The gradient has no gradient of its own.
    """
    if x.stop_gradient or not paddle.in_dynamic_mode():
        return F.interpolate(x, scale_factor=2)
    return _UpsampleNearest.apply(x)


def upsample_bilinear(x: paddle.Tensor) -> paddle.Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W], bilinear.

    The same as ``upsample_nearest`` and a blur by [1, 2, 1] / 4 either way, but for the border: the steps
    of nearest neighbor, which later convolutions have to smooth away, are not made. As products
    with constant matrices it takes no longer than nearest neighbor in training; Paddle's
    bilinear kernels take three times as long.
    """
    if not paddle.in_dynamic_mode():
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    down, across = (_bilinear_matrix(size, str(x.dtype)) for size in x.shape[2:])
    return paddle.matmul(down, paddle.matmul(x, across, transpose_y=True))


class _UpsampleNearest(PyLayer):
    @staticmethod
    def forward(context, x: paddle.Tensor) -> paddle.Tensor:
        count, channels, height, width = x.shape
        wide = x.unsqueeze([3, 5]).expand([count, channels, height, 2, width, 2])
        return wide.reshape([count, channels, 2 * height, 2 * width])

    @staticmethod
    def backward(context, gradient: paddle.Tensor) -> paddle.Tensor:
        return F.avg_pool2d(gradient, 2) * 4  # the sum of the four


@functools.lru_cache(maxsize=64)
def _bilinear_matrix(size: int, kind: str) -> paddle.Tensor:
    """[2 size, size]: a row has 3/4 of its own pixel and 1/4 of the nearest other one, which at
    the border is its own again."""
    matrix = np.zeros((2 * size, size))
    for row in range(2 * size):
        own = row // 2
        other = min(max(own + (1 if row % 2 else -1), 0), size - 1)
        matrix[row, own] += 0.75
        matrix[row, other] += 0.25
    return paddle.to_tensor(matrix, dtype=kind.rpartition(".")[2])
