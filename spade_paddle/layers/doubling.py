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
    """Repeat every pixel in a 2 x 2 block: [N, C, H, W] -> [N, C, 2H, 2W].

    Gives the same values as ``F.interpolate(x, scale_factor=2)``, whose CPU kernels take three
    times as long in training. The gradient cannot be differentiated again.
    """
    if x.stop_gradient or not paddle.in_dynamic_mode():
        return F.interpolate(x, scale_factor=2)
    return _UpsampleNearest.apply(x)


def upsample_bilinear(x: paddle.Tensor) -> paddle.Tensor:
    """Upsample by bilinear interpolation: [N, C, H, W] -> [N, C, 2H, 2W].

    Except at the border, this equals ``upsample_nearest`` followed by a blur with [1, 2, 1] / 4
    along each axis, so later convolutions have no blocks to smooth. As products with constant
    matrices it takes no longer than nearest neighbor in training; Paddle's bilinear kernels take
    three times as long.
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
        return F.avg_pool2d(gradient, 2) * 4  # the sum over each 2 x 2 block


@functools.lru_cache(maxsize=64)
def _bilinear_matrix(size: int, dtype: str) -> paddle.Tensor:
    """[2 size, size]: each row weights the nearest source pixel by 3/4 and the second nearest by
    1/4; at the border both are the same pixel."""
    matrix = np.zeros((2 * size, size))
    for row in range(2 * size):
        nearest = row // 2
        second = min(max(nearest + (1 if row % 2 else -1), 0), size - 1)
        matrix[row, nearest] += 0.75
        matrix[row, second] += 0.25
    return paddle.to_tensor(matrix, dtype=dtype.rpartition(".")[2])
