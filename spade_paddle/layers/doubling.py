"""Doubling height and width by nearest neighbor, with a cheap gradient.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

import paddle
from paddle.autograd import PyLayer
from paddle.nn import functional as F


def doubled(x: paddle.Tensor) -> paddle.Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W], every pixel four times.

    The same numbers as ``F.interpolate(x, scale_factor=2)``, whose CPU kernels take three times as
    long in training. The gradient has no gradient of its own.
    """
    if x.stop_gradient or not paddle.in_dynamic_mode():
        return F.interpolate(x, scale_factor=2)
    return _Doubled.apply(x)


class _Doubled(PyLayer):
    @staticmethod
    def forward(context, x: paddle.Tensor) -> paddle.Tensor:
        count, channels, height, width = x.shape
        wide = x.unsqueeze([3, 5]).expand([count, channels, height, 2, width, 2])
        return wide.reshape([count, channels, 2 * height, 2 * width])

    @staticmethod
    def backward(context, gradient: paddle.Tensor) -> paddle.Tensor:
        return F.avg_pool2d(gradient, 2) * 4  # the sum of the four
