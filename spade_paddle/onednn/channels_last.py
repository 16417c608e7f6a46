"""Convolutions for inference on NumPy arrays in channels-last layout.

Legend: C channels in, O channels out, H, W size of the map.
"""

from __future__ import annotations

import numpy as np

from spade_paddle.onednn import library
from spade_paddle.onednn.library import Attributes, Layout


class Weights:
    """Weight and bias of a convolution; the weight is packed once per layout that primitives need.

    Args:
        weight: ``float32`` [O, C, k, k], k odd.
        bias: ``float32`` [O], or None.
    """

    def __init__(self, weight: np.ndarray, bias: np.ndarray | None = None) -> None:
        self.weight = np.ascontiguousarray(weight, np.float32)
        self.bias = None if bias is None else np.ascontiguousarray(bias, np.float32)
        self._packed: list[tuple[Layout, np.ndarray]] = []

    @property
    def shape(self) -> tuple[int, ...]:
        """[O, C, k, k]."""
        return self.weight.shape

    def packed(self, wanted: Layout) -> np.ndarray:
        """Return the bytes of the weight in a layout."""
        for layout, buffer in self._packed:
            if layout == wanted:
                return buffer
        buffer = np.empty(wanted.size, np.uint8)
        copy = library.reorder(Layout.plain(self.shape), wanted)
        copy({library.SRC: self.weight.ctypes.data, library.DST: buffer.ctypes.data})
        self._packed.append((wanted, buffer))
        return buffer


class ChannelsLastConvolution:
    """``y = w * x + b`` for one input size, with stride 1 and "same" zero padding.

    Args:
        weights: weight and bias of the convolution.
        height, width: H, W.
        add: add the result to the contents of ``out``.
        tanh: apply the hyperbolic tangent last.

    Raises:
        OneDNNError: the library does not support this convolution.
    """

    def __init__(
        self, weights: Weights, *, height: int, width: int, add: bool = False, tanh: bool = False
    ) -> None:
        out_channels, in_channels, kernel, _ = weights.shape
        self._channels = in_channels, out_channels
        self._pixels = height * width
        source, target = (
            Layout.channels_last((1, channels, height, width)) for channels in self._channels
        )
        bias = None if weights.bias is None else Layout.plain((out_channels,))
        any_layout = Layout.any(weights.shape, library.FLOAT32)
        attributes = Attributes(add=add, tanh=tanh)
        padding = (kernel // 2, kernel // 2)
        self._run = library.primitive(
            "convolution_forward",
            *(library.FORWARD_INFERENCE, library.DIRECT, source.handle),
            *(any_layout.handle, bias and bias.handle, target.handle),
            *map(library.dims, ((1, 1), (0, 0), padding, padding)),
            attributes.handle,
        )
        wanted = self._run.layout(library.WEIGHTS)
        layouts = {library.SRC: source, library.WEIGHTS: wanted, library.DST: target}
        self._constants = {library.WEIGHTS: weights.packed(wanted)}
        if bias is not None:
            layouts[library.BIAS] = bias
            self._constants[library.BIAS] = weights.bias
        self._run.bind(layouts)

    def __call__(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """``float32`` [H * W, C] -> [H * W, O], written to ``out`` if given."""
        in_channels, out_channels = self._channels
        if out is None:
            out = np.empty((self._pixels, out_channels), np.float32)
        for array, channels in ((x, in_channels), (out, out_channels)):
            assert array.shape == (self._pixels, channels)
            assert array.dtype == np.float32
            assert array.flags.c_contiguous
        addresses = {key: array.ctypes.data for key, array in self._constants.items()}
        self._run({**addresses, library.SRC: x.ctypes.data, library.DST: out.ctypes.data})
        return out
