"""SPADE with trained weights: gamma and beta are looked up in exact tables.

SPADE's two k x k convolutions have a receptive field of (2k - 1) x (2k - 1) codes (codes.py). A
label map has few distinct patches of that size, some thousands at 256 x 256 pixels; gamma and beta
are computed once for each.

Legend: h hidden channels of SPADE, C modulated channels, K channels of the semantic map, H, W size
of a label map.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.kernels import CodeArray, FloatArray, IndexArray
from spade_paddle.inference.native.patches import ALL_BITS, PatchSet
from spade_paddle.inference.native.products import PackedMatrix
from spade_paddle.inference.native.scene import Modulation, View, Views

_PRODUCT_BYTES = 96 * 2**20  # limit of intermediate products


class TooManyPatches(Exception):
    """The tables for a label map would exceed their memory limit."""


class SpadeNorm:
    """One SPADE layer and its table.

    Args:
        weights: ``float32`` by name, as in the layer: ``mlp_shared.0`` [h, K, k, k], ``mlp_gamma``
            and ``mlp_beta`` [C, h, k, k], each with a bias.
        activation: after ``mlp_shared``, one of kernels.ACTIVATIONS.
        codes: of the label maps.

    Attributes:
        kernel: k.
        width: 2C, gamma and beta.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], *, activation: int, codes: Codes) -> None:
        shared = weights["mlp_shared.0.weight"]  # [h, K, k, k]
        hidden, _, self.kernel, _ = shared.shape
        places = self.kernel**2
        # contribution of each code at each kernel position to hidden features: [codes, k * k, h]
        by_place = shared.reshape(hidden, -1, places).transpose(2, 1, 0)  # [places, K, h]
        self._hidden_rows = np.ascontiguousarray((codes.channels() @ by_place).transpose(1, 0, 2))
        self._hidden_bias = weights["mlp_shared.0.bias"]
        self._activation = activation
        both = np.concatenate([weights["mlp_gamma.weight"], weights["mlp_beta.weight"]])
        self.width = len(both)
        # contribution of hidden features at each kernel position to gamma and beta: [h, k * k * 2C]
        by_place = both.reshape(self.width, hidden, places).transpose(1, 2, 0)
        self._output = PackedMatrix(by_place.reshape(hidden, -1))
        gain, offset = weights["mlp_gamma.bias"] + 1, weights["mlp_beta.bias"]
        self._bias = np.concatenate([gain, offset]).astype(np.float32)
        self.clear(0)

    def clear(self, capacity: int) -> None:
        """Empty the table, and reserve address space for this many rows."""
        self._rows = _reserved(capacity, self.width)
        self._count = 0

    def extend(self, patches: CodeArray, numbers: IndexArray) -> None:
        """Append rows to the table, within its capacity.

        Args:
            patches: ``uint16`` [m, k * k], the distinct receptive fields of hidden features.
            numbers: ``int32`` [n, k * k], for each new row the patches of the hidden features
                around it; negative outside the picture, where hidden features are padded by zeros.
        """
        end = self._count + len(numbers)
        hidden = kernels.add_rows(
            self._hidden_rows,
            patches.astype(np.int32),
            self._hidden_bias,
            activation=self._activation,
        )
        parts = (hidden @ self._output).reshape(*patches.shape, self.width)
        self._rows[self._count : end] = kernels.add_rows(parts, numbers, self._bias)
        self._count = end

    def modulation(self, view: View) -> Modulation:
        """Gain (1 + gamma) and offset (beta) of every pixel of a view from ``SpadeTables``."""
        return Modulation(self._rows[: self._count], view.rows)


def _reserved(rows: int, width: int) -> FloatArray:
    """An array [rows, width] that takes memory only where it has been written.

    So a table grows without being copied, and a cleared one returns its memory to the system, which
    ``malloc`` does not with ``keep_memory``.
    """
    size = max(rows * width * np.dtype(np.float32).itemsize, 1)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(memory, np.float32, rows * width).reshape(rows, width)


class _Level:
    """The patches at one stride, and the norms whose tables have a row for each."""

    def __init__(
        self, norms: Sequence[SpadeNorm], *, outside: int, limit: int, hash_mask: int
    ) -> None:
        self._norms = norms
        self._outside = outside
        self._kernel = norms[0].kernel
        self._side = 2 * self._kernel - 1
        self._patches = PatchSet(self._side**2, hash_mask=hash_mask)
        width = sum(norm.width for norm in norms)
        self._row_bytes = 4 * width + 2 * self._side**2
        self._capacity = limit // self._row_bytes
        widest = max(norm.width for norm in norms)
        self._max_inner = _PRODUCT_BYTES // (self._kernel**2 * widest * 4)
        self.clear()

    def clear(self) -> None:
        self._patches.clear()
        self._filled = 0
        for norm in self._norms:
            norm.clear(self._capacity)

    @property
    def bytes(self) -> int:
        return len(self._patches.patches) * self._row_bytes

    def rows(self, code_map: CodeArray) -> IndexArray:
        """The table row of each pixel; ``fill`` computes the new rows."""
        radius = self._kernel - 1
        padded = np.pad(code_map, radius, constant_values=self._outside)
        return self._patches.number_map(padded, radius=radius)

    def fill(self) -> None:
        self._add(self._patches.patches[self._filled :])
        self._filled = len(self._patches.patches)

    def _add(self, patches: CodeArray) -> None:
        inner, numbers = self._inner(patches)
        if len(inner) > self._max_inner and len(patches) > 1:
            half = len(patches) // 2
            self._add(patches[:half])
            self._add(patches[half:])
            return
        for norm in self._norms:
            norm.extend(inner, numbers)

    def _inner(self, patches: CodeArray) -> tuple[CodeArray, IndexArray]:
        """The distinct k x k patches within ``patches``, and their number at each position."""
        kernel, places = self._kernel, self._kernel**2
        squares = patches.reshape(-1, self._side, self._side)
        windows = sliding_window_view(
            squares,
            (kernel, kernel),
            axis=(1, 2),  # type: ignore[call-overload]  # NumPy's stub knows one axis only
        ).reshape(-1, places)
        inside = windows[:, places // 2] != self._outside
        numbers = np.full(len(windows), -1, np.int32)
        distinct = PatchSet(places)
        numbers[inside] = distinct.number_list(windows[inside])
        return distinct.patches, numbers.reshape(-1, places)


class SpadeTables:
    """The tables of all SPADE layers of a generator, cached across pictures.

    Args:
        norms: by the stride of their block, in pixels.
        codes: of the label maps.
        limit: of the tables' memory, in bytes; when it is exceeded, all tables are emptied.
        hash_mask: of PatchSet, for tests.
    """

    def __init__(
        self,
        norms: Mapping[int, Sequence[SpadeNorm]],
        *,
        codes: Codes,
        limit: int,
        hash_mask: int = ALL_BITS,
    ) -> None:
        self._limit = limit
        self._levels = {
            stride: _Level(level, outside=codes.outside, limit=limit, hash_mask=hash_mask)
            for stride, level in norms.items()
        }

    @property
    def bytes(self) -> int:
        """Memory of the tables and their patches."""
        return sum(level.bytes for level in self._levels.values())

    def views(self, code_map: CodeArray) -> Views:
        """Views of a code map for the norms, valid until the next call.

        Args:
            code_map: ``uint16`` [H, W], from ``codes.encode``.

        Raises:
            TooManyPatches: the tables for this map alone exceed ``limit``.
        """
        try:
            rows = self._rows(code_map)
            if rows is None:
                self.clear()
                rows = self._rows(code_map)
            if rows is None:
                raise TooManyPatches
            for level in self._levels.values():
                level.fill()
        except BaseException:
            self.clear()  # some patches may have no rows, or rows of some norms only
            raise
        return {
            stride: View(size=(len(found), found.shape[1]), rows=found.ravel())
            for stride, found in rows.items()
        }

    def clear(self) -> None:
        """Empty all tables."""
        for level in self._levels.values():
            level.clear()

    def _rows(self, code_map: CodeArray) -> dict[int, IndexArray] | None:
        """The table row of each pixel by stride; None if the tables exceed ``limit``."""
        rows = {}
        for stride, level in self._levels.items():
            rows[stride] = level.rows(code_map[::stride, ::stride])
            if self.bytes > self._limit:
                return None
        return rows
