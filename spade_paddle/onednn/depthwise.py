"""Depthwise convolutions with oneDNN, with gradients.

On processors with AVX2, oneDNN is fast for every kernel in the forward direction only; the gradient
of a kernel larger than 3x3 takes it longer than Paddle, by an order of magnitude.

Legend: N batch, C channels, H, W size of the input, h, w of the output, kh, kw of the kernel.
"""

from __future__ import annotations

import dataclasses

import paddle
from paddle.autograd import PyLayer
from paddle.nn import functional as F

from spade_paddle.onednn.convolution import Geometry, convolution

_LARGEST_FAST_KERNEL = 3


class DepthwiseConv2D(PyLayer):
    """A depthwise convolution of a fixed geometry."""

    @staticmethod
    def forward(context, x, weight, bias, geometry):
        """x [N, C, H, W], weight [C, 1, kh, kw], bias [C] or None -> [N, C, h, w]."""
        run = convolution(geometry)
        context.geometry = geometry
        context.needs_input = not x.stop_gradient
        context.needs_weight = not weight.stop_gradient
        context.save_for_backward(
            x if context.needs_weight else None, weight if context.needs_input else None
        )
        return run.forward(run.x.pack(x), weight, bias)

    @staticmethod
    def backward(context, gradient):
        """Gradient of the output [N, C, h, w] -> gradients of x, weight and bias."""
        geometry = context.geometry
        x, weight = context.saved_tensor()
        for_x = _input_gradient(geometry, gradient, weight) if context.needs_input else None
        for_weight, for_bias = None, None
        if context.needs_weight:
            for_weight = _weight_gradient(geometry, x, gradient)
            for_bias = gradient.sum([0, 2, 3]) if geometry.bias else None
        return (for_x, for_weight, for_bias) if geometry.bias else (for_x, for_weight)


def _input_gradient(
    geometry: Geometry, gradient: paddle.Tensor, weight: paddle.Tensor
) -> paddle.Tensor:
    """The gradient of x; with a stride of 1 it is the output gradient, convolved with the mirrored
    kernels."""
    if geometry.stride != (1, 1):
        run = convolution(geometry)
        return run.input_gradient(run.gradient.pack(gradient), weight)
    before, after = (
        tuple(size - 1 - zeros for size, zeros in zip(geometry.weight[2:], padding))
        for padding in (geometry.padding, geometry.padding_after)
    )
    mirrored = dataclasses.replace(
        geometry, x=geometry.y, padding=before, padding_after=after, bias=False
    )
    run = convolution(mirrored)
    return run.forward(run.x.pack(gradient), weight.flip([2, 3]), None)


def _weight_gradient(
    geometry: Geometry, x: paddle.Tensor, gradient: paddle.Tensor
) -> paddle.Tensor:
    """The gradient of the weight; that of a large one is computed by Paddle."""
    if max(geometry.weight[2:]) <= _LARGEST_FAST_KERNEL:
        run = convolution(geometry)
        return run.weight_gradients(run.x.pack(x), run.gradient.pack(gradient))[0]
    weight = paddle.zeros(geometry.weight)  # its values do not matter
    weight.stop_gradient = False
    with paddle.set_grad_enabled(True):
        (top, left), (bottom, right) = geometry.padding, geometry.padding_after
        y = F.conv2d(
            x.detach(),
            weight,
            stride=geometry.stride,
            padding=[top, bottom, left, right],
            groups=geometry.groups,
        )
    return paddle.grad(y, weight, gradient)[0]
