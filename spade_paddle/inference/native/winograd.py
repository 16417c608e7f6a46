"""3 x 3 convolutions with a quarter of the multiplications (winograd.c).

Legend: C input channels, O output channels, H, W size of the feature map.
"""

from __future__ import annotations

import functools

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.kernels import DoubleArray, FloatArray
from spade_paddle.inference.native.products import PANEL, has_avx2
from spade_paddle.onednn.channels_last import Weights

TILE = 4
_ELEMENTS = 36  # of winograd.c: elements of a transformed tile
_A, _B = np.sqrt([0.5, 2])
_POINTS = (0, _A, -_A, _B, -_B)
_MAX_WEIGHT_BYTES = 96 * 2**20
"""Of a transformed weight, which has four times the elements; larger ones are not worth it."""
_MIN_TILES, _MIN_OUTPUTS = 16, 8
_MAX_BLOCK = 384


class WinogradWeights(Weights):
    """Weight and bias of a 3 x 3 convolution, transformed on first use; arguments as of Weights."""

    @functools.cached_property
    def transformed(self) -> FloatArray:
        """G g G^T, ``float32`` [36, panels, C, 16], padded with zeros to panels of 16 outputs."""
        outputs, channels, _, _ = self.shape
        transform = _kernel_transform()
        both_axes = np.kron(transform, transform)  # [36, 9]
        panels = -(-outputs // PANEL)
        result = np.zeros((_ELEMENTS, panels, channels, PANEL), np.float32)
        for panel in range(panels):  # one at a time to save memory: the transform is in float64
            part = self.weight[panel * PANEL : (panel + 1) * PANEL]
            elements = part.reshape(-1, 9).astype(np.float64) @ both_axes.T
            elements = elements.reshape(len(part), channels, _ELEMENTS)
            result[:, panel, :, : len(part)] = elements.transpose(2, 1, 0)
        return result


class Workspace:
    """Scratch memory that convolutions share; grows to what the largest of them needs."""

    def __init__(self) -> None:
        self._floats = np.empty(0, np.float32)

    def take(self, count: int) -> FloatArray:
        """``float32`` [count], uninitialized."""
        if len(self._floats) < count:
            self._floats = np.empty(count, np.float32)
        return self._floats[:count]


class WinogradConvolution:
    """``y = w * x + b`` for one size, stride 1, with zero padding that preserves the size.

    Rounding errors are about twice those of a direct convolution in single precision.

    Args:
        weights: of the convolution, with a 3 x 3 kernel.
        height, width: H, W.
        threads: CPU threads.
        workspace: may be shared by convolutions that never run at the same time.
        add: add y to ``out`` instead of overwriting it.
    """

    def __init__(
        self,
        weights: WinogradWeights,
        *,
        height: int,
        width: int,
        threads: int,
        workspace: Workspace,
        add: bool = False,
    ) -> None:
        outputs, channels, *kernel = weights.shape
        assert kernel == [3, 3]
        self._size, self._channels = (height, width), (channels, outputs)
        self._workspace = workspace
        self._kernel, self._bias, self._add = weights.transformed, weights.bias, add
        tiles = _tiles(height, width)
        # a larger block reads the weights less often; a smaller one stays in the caches
        self._block = min(max(channels * outputs // 12000, 1) * 12, _MAX_BLOCK, tiles)
        self._workers = threads if tiles >= 2 * threads * self._block else 1

    @staticmethod
    def suits(weights: Weights, *, height: int, width: int) -> bool:
        """Whether it is supported by the processor, faster at this size, and not too large."""
        outputs, channels, kernel, _ = weights.shape
        return (
            kernel == 3
            and outputs >= _MIN_OUTPUTS
            and _tiles(height, width) >= _MIN_TILES
            and 4 * _ELEMENTS * channels * outputs <= _MAX_WEIGHT_BYTES
            and has_avx2()
        )

    def __call__(self, x: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """``float32`` [H * W, C] -> [H * W, O], written to ``out`` if given (required with add)."""
        (height, width), (channels, outputs) = self._size, self._channels
        if out is None:
            assert not self._add
            out = np.empty((height * width, outputs), np.float32)
        assert x.shape == (height * width, channels)
        assert out.shape == (height * width, outputs)
        columns = channels + self._kernel.shape[1] * PANEL
        work = self._workspace.take(self._workers * _ELEMENTS * self._block * columns)
        kernels.library().spade_winograd(
            *(x, height, width, channels, self._kernel, outputs, self._bias, int(self._add)),
            *(out, work, self._block, self._workers),
        )
        return out


def _tiles(height: int, width: int) -> int:
    return -(-height // TILE) * -(-width // TILE)


def _kernel_transform() -> DoubleArray:
    """G, ``float64`` [6, 3]: rows x^0, x^1, x^2 of each point over its Lagrange denominator."""
    powers = np.vander(_POINTS, 3, increasing=True)
    denominators = [np.prod([x - other for other in _POINTS if other != x]) for x in _POINTS]
    return np.vstack([powers / np.array(denominators)[:, None], [0, 0, 1]])
