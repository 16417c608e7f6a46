"""Convolutions of 3 x 3 with a quarter of the multiplications (winograd.c).

Legend: C channels in, O channels out, H, W size of the map, as in onednn/channels_last.py.
"""

from __future__ import annotations

import functools

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.products import PANEL, has_products
from spade_paddle.onednn.channels_last import Weights

TILE = 4
_SPOTS = 36  # of winograd.c
_A, _B = np.sqrt([0.5, 2])
_POINTS = (0, _A, -_A, _B, -_B)
_LARGEST = 96 * 2**20
"""Bytes of a transformed weight, which has four times the numbers; more would not be worth it."""
_FEWEST_TILES, _FEWEST_OUTPUTS = 16, 8
_LARGEST_BLOCK = 384


class WinogradWeights(Weights):
    """As its parent, and transformed when it is first asked for."""

    @functools.cached_property
    def transformed(self) -> np.ndarray:
        """``float32`` [36, panels, C, 16], G g G^T in panels of 16 outputs, zeros at their end."""
        outputs, channels, _, _ = self.shape
        transform = _kernel_transform()
        spread = np.kron(transform, transform)  # [36, 9]
        panels = -(-outputs // PANEL)
        result = np.zeros((_SPOTS, panels, channels, PANEL), np.float32)
        for panel in range(panels):  # one at a time, for double precision takes room
            part = self.weight[panel * PANEL : (panel + 1) * PANEL]
            spots = part.reshape(-1, 9).astype(np.float64) @ spread.T
            spots = spots.reshape(len(part), channels, _SPOTS)
            result[:, panel, :, : len(part)] = spots.transpose(2, 1, 0)
        return result


class Workspace:
    """Memory that convolutions use in turn, as large as the largest of them needs."""

    def __init__(self) -> None:
        self._floats = np.empty(0, np.float32)

    def take(self, count: int) -> np.ndarray:
        """``float32`` [count], with anything in it."""
        if len(self._floats) < count:
            self._floats = np.empty(count, np.float32)
        return self._floats[:count]


class WinogradConvolution:
    """``y = w * x + b`` at one size, stride 1, zeros around it; the size stays.

    Rounding errors are about twice those of a direct convolution in single precision.

    Args:
        weights: of the convolution, with a kernel of 3 x 3.
        height, width: H, W.
        threads: CPU threads.
        workspace: shared with those that never run at the same time.
        add: y is added to what is in ``out``.
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
        self._size, self._channels, self._workspace = (
            (height, width),
            (channels, outputs),
            workspace,
        )
        self._kernel, self._bias, self._add = weights.transformed, weights.bias, add
        tiles = _tiles(height, width)
        # the weights are read once for each block, and the block should stay in the caches
        self._block = min(max(channels * outputs // 12000, 1) * 12, _LARGEST_BLOCK, tiles)
        self._workers = threads if tiles >= 2 * threads * self._block else 1

    @staticmethod
    def suits(weights: Weights, *, height: int, width: int) -> bool:
        """Whether it is worth its memory, on a processor that can do it."""
        outputs, channels, kernel, _ = weights.shape
        return (
            kernel == 3
            and outputs >= _FEWEST_OUTPUTS
            and _tiles(height, width) >= _FEWEST_TILES
            and 4 * _SPOTS * channels * outputs <= _LARGEST
            and has_products()
        )

    def __call__(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """``float32`` [H * W, C] -> [H * W, O], written to ``out`` where it is given."""
        (height, width), (channels, outputs) = self._size, self._channels
        if out is None:
            assert not self._add
            out = np.empty((height * width, outputs), np.float32)
        assert x.shape == (height * width, channels)
        assert out.shape == (height * width, outputs)
        columns = channels + self._kernel.shape[1] * PANEL
        work = self._workspace.take(self._workers * _SPOTS * self._block * columns)
        kernels.library().spade_winograd(
            *(x, height, width, channels, self._kernel, outputs, self._bias, int(self._add)),
            *(out, work, self._block, self._workers),
        )
        return out


def _tiles(height: int, width: int) -> int:
    return -(-height // TILE) * -(-width // TILE)


def _kernel_transform() -> np.ndarray:
    """G, ``float64`` [6, 3]."""
    powers = np.vander(_POINTS, 3, increasing=True)
    others = [np.prod([point - other for other in _POINTS if other != point]) for point in _POINTS]
    return np.vstack([powers / np.array(others)[:, None], [0, 0, 1]])
