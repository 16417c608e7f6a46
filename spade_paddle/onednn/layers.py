"""Lets oneDNN compute the convolutions of networks, with gradients.

Legend: N batch, C channels in, O channels out, H, W size of the input, h, w of the output.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence

import paddle
from paddle import nn
from paddle.autograd import PyLayer

from spade_paddle.onednn.convolution import Geometry, convolution
from spade_paddle.onednn.depthwise import DepthwiseConv2D
from spade_paddle.onednn.library import OneDNNError, library


def unavailable_reason() -> str | None:
    """Return why oneDNN cannot be used here, or None if it can."""
    if paddle.device.get_device() != "cpu":
        return "it is for CPUs only"
    try:
        library()
        ones = paddle.ones([1, 1, 1, 1])
        conv2d(ones, ones)
    except OneDNNError as error:
        return str(error)
    return None


def use_onednn(network: nn.Layer, *, bfloat16: bool = False) -> int:
    """Let oneDNN compute the convolutions of a network; return how many were replaced.

    Weights and their names do not change, and results change by rounding only. Convolutions with
    dilation or non-zero padding modes remain Paddle's. A layer with a forward pass of its own must
    call its attribute ``convolve``, which is ``F.conv2d`` before and ``conv2d`` afterwards, or it
    remains Paddle's. Second derivatives are not supported, so do not use it for networks with a
    gradient penalty (R1).

    Args:
        network: changed in place.
        bfloat16: round inputs and weights of the convolutions to bfloat16; sums, results and
            everything else are ``float32``.
    """
    count = 0
    convolve = functools.partial(conv2d, bfloat16=bfloat16)
    for layer in network.sublayers(include_self=True):
        if hasattr(layer, "convolve"):
            layer.convolve = convolve
        elif (forward := _forward_of(layer, convolve)) is not None:
            layer.forward = types.MethodType(forward, layer)
        else:
            continue
        count += 1
    return count


def conv2d(
    x: paddle.Tensor,
    weight: paddle.Tensor,
    bias: paddle.Tensor | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0, 0, 0),
    groups: int = 1,
    bfloat16: bool = False,
) -> paddle.Tensor:
    """``F.conv2d`` of ``float32`` tensors without dilation.

    Args:
        x: [N, C, H, W].
        weight: [O, C / groups, kh, kw].
        bias: [O] or None.
        stride: vertical, horizontal.
        padding: zeros at top, bottom, left and right.
        groups: as in ``F.conv2d``.
        bfloat16: round x and weight to bfloat16; sums are ``float32``.

    Returns:
        [N, O, h, w].

    Raises:
        OneDNNError: the library does not support it.
    """
    top, bottom, left, right = padding
    geometry = Geometry(
        x=tuple(x.shape),
        weight=tuple(weight.shape),
        stride=tuple(stride),
        padding=(top, left),
        padding_after=(bottom, right),
        groups=groups,
        bias=bias is not None,
        bfloat16=bfloat16,
    )
    kind = DepthwiseConv2D if geometry.is_depthwise else _Conv2D
    return kind.apply(x, weight, bias, geometry)


class _Conv2D(PyLayer):
    @staticmethod
    def forward(context, x, weight, bias, geometry):
        """x [N, C, H, W], weight [O, C, h, w], bias [O] or None -> [N, O, H', W']."""
        run = convolution(geometry)
        packed = run.x.pack(x)
        context.geometry = geometry
        context.needs_input = not x.stop_gradient
        context.needs_weight = not weight.stop_gradient
        # save only what the gradients need
        context.save_for_backward(
            packed if context.needs_weight else None, weight if context.needs_input else None
        )
        return run.forward(packed, weight, bias)

    @staticmethod
    def backward(context, gradient):
        """Gradient of the output [N, O, H', W'] -> gradients of x, weight and bias."""
        run = convolution(context.geometry)
        packed_x, weight = context.saved_tensor()
        packed = run.gradient.pack(gradient)
        for_x = run.input_gradient(packed, weight) if context.needs_input else None
        for_weight, for_bias = None, None
        if context.needs_weight:
            for_weight, for_bias = run.weight_gradients(packed_x, packed)
        return (for_x, for_weight, for_bias) if context.geometry.bias else (for_x, for_weight)


def _forward_of(layer: nn.Layer, convolve: Callable[..., paddle.Tensor]):
    if type(layer).forward is not nn.Conv2D.forward or layer._padding_mode != "zeros":
        return None
    if isinstance(layer._padding, str):  # "SAME", which may be asymmetric
        return None
    padding, stride, dilation = (
        _pair(value) for value in (layer._updated_padding, layer._stride, layer._dilation)
    )
    if padding is None or stride is None or dilation != (1, 1):
        return None
    vertical, horizontal = padding
    options = {
        "stride": stride,
        "padding": (vertical, vertical, horizontal, horizontal),
        "groups": layer._groups,
    }

    def forward(self, x):
        # read the weight at every call: the hook of spectral normalization replaces it
        return convolve(x, self.weight, self.bias, **options)

    return forward


def _pair(value: int | Sequence[int]) -> tuple[int, int] | None:
    """Convert one number or two to a pair; None for anything else."""
    if isinstance(value, int):
        return value, value
    return tuple(value) if len(value) == 2 and all(isinstance(v, int) for v in value) else None
