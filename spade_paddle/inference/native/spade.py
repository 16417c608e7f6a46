"""SPADE with trained weights: gamma and beta are looked up in exact tables.

With kernels of k x k, SPADE's two convolutions together see (2k - 1) x (2k - 1) codes. A label map
has few distinct patches of that size, some thousands at 256 x 256 pixels; gamma and beta are
computed once for each.

Legend: h hidden channels of SPADE, C channels that it modulates, K channels of the semantic map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.patches import ALL_BITS, PatchSet
from spade_paddle.inference.native.products import RightFactor
from spade_paddle.inference.native.scene import Modulation, View, Views

_AT_ONCE = 96 * 2**20  # bytes of intermediate products
_ROOM = 1.25  # a table that has to grow gets so many times the rows that it needs


class TooManyPatches(Exception):
    """A label map whose tables would not fit into the memory that they may have."""


class SpadeNorm:
    """One SPADE layer and its table.

    Args:
        weights: of the layer, by the names that they have in it.
        activation: inside it, of kernels.ACTIVATIONS.
        codes: of the label maps.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], *, activation: int, codes: Codes) -> None:
        shared = weights["mlp_shared.0.weight"]  # [h, K, k, k]
        hidden, _, self.kernel, _ = shared.shape
        places = self.kernel**2
        # what each code at each place adds to the hidden features: [codes, places, h]
        by_place = shared.reshape(hidden, -1, places).transpose(2, 1, 0)  # [places, K, h]
        self._hidden_rows = np.ascontiguousarray((codes.channels() @ by_place).transpose(1, 0, 2))
        self._hidden_bias = weights["mlp_shared.0.bias"]
        self._activation = activation
        both = np.concatenate([weights["mlp_gamma.weight"], weights["mlp_beta.weight"]])
        self.width = len(both)  # 2C
        # what hidden features add to gamma and beta of each place around them: [h, places * 2C]
        spread = both.reshape(self.width, hidden, places).transpose(1, 2, 0)
        self._spread = RightFactor(spread.reshape(hidden, -1))
        gain, offset = weights["mlp_gamma.bias"] + 1, weights["mlp_beta.bias"]
        self._bias = np.concatenate([gain, offset]).astype(np.float32)
        self.clear()

    def clear(self) -> None:
        """Forget the table."""
        self._rows = np.empty((0, self.width), np.float32)
        self._count = 0

    def extend(self, patches: np.ndarray, numbers: np.ndarray) -> None:
        """Add rows to the table.

        Args:
            patches: ``uint16`` [m, k * k], distinct patches around hidden features.
            numbers: ``int32`` [n, k * k], for each new row the hidden features around it, as
                numbers of those patches, below 0 outside of the picture.
        """
        end = self._count + len(numbers)
        if end > len(self._rows):  # before there are products, for both take much memory
            rows = np.empty((int(_ROOM * end), self.width), np.float32)
            rows[: self._count] = self._rows[: self._count]
            self._rows = rows
        hidden = kernels.add_rows(
            self._hidden_rows,
            patches.astype(np.int32),
            self._hidden_bias,
            activation=self._activation,
        )
        parts = (hidden @ self._spread).reshape(*patches.shape, self.width)
        self._rows[self._count : end] = kernels.add_rows(parts, numbers, self._bias)
        self._count = end

    def modulation(self, view: View) -> Modulation:
        """Of every pixel of a view of ``SpadeTables``."""
        return Modulation(self._rows[: self._count], view.rows)


class _Level:
    """The patches of blocks of one size, and the norms that have a row for each."""

    def __init__(self, norms: Sequence[SpadeNorm], *, outside: int, hash_mask: int) -> None:
        self._norms = norms
        self._outside = outside
        self._kernel = norms[0].kernel
        self._side = 2 * self._kernel - 1
        self._patches = PatchSet(self._side**2, hash_mask=hash_mask)
        self._filled = 0
        width = sum(norm.width for norm in norms)
        self.row_bytes = int(_ROOM * (4 * width + 2 * self._side**2))
        most = max(norm.width for norm in norms)
        self._inner_at_once = _AT_ONCE // (self._kernel**2 * most * 4)

    def clear(self) -> None:
        self._patches.clear()
        self._filled = 0
        for norm in self._norms:
            norm.clear()

    @property
    def bytes(self) -> int:
        return len(self._patches.patches) * self.row_bytes

    def rows(self, codes: np.ndarray) -> np.ndarray:
        """The row of each pixel; ``fill`` computes those that are new."""
        radius = self._kernel - 1
        padded = np.pad(codes, radius, constant_values=self._outside)
        return self._patches.number_map(padded, radius=radius)

    def fill(self) -> None:
        self._add(self._patches.patches[self._filled :])
        self._filled = len(self._patches.patches)

    def _add(self, patches: np.ndarray) -> None:
        inner, numbers = self._inner(patches)
        if len(inner) > self._inner_at_once and len(patches) > 1:
            half = len(patches) // 2
            self._add(patches[:half])
            self._add(patches[half:])
            return
        for norm in self._norms:
            norm.extend(inner, numbers)

    def _inner(self, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distinct k x k patches within larger ones, and their numbers place by place."""
        kernel, places = self._kernel, self._kernel**2
        squares = patches.reshape(-1, self._side, self._side)
        windows = np.lib.stride_tricks.sliding_window_view(squares, (kernel, kernel), axis=(1, 2))
        windows = windows.reshape(-1, places)
        inside = windows[:, places // 2] != self._outside
        numbers = np.full(len(windows), -1, np.int32)
        distinct = PatchSet(places)
        numbers[inside] = distinct.number_list(windows[inside])
        return distinct.patches, numbers.reshape(-1, places)


class SpadeTables:
    """The tables of all SPADE layers of a generator, kept from picture to picture.

    Args:
        norms: by the stride of their block.
        codes: of the label maps.
        limit: bytes that the tables may have; when more are needed all are forgotten.
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
            stride: _Level(level, outside=codes.outside, hash_mask=hash_mask)
            for stride, level in norms.items()
        }

    @property
    def bytes(self) -> int:
        """That the tables have now."""
        return sum(level.bytes for level in self._levels.values())

    def views(self, codes: np.ndarray) -> Views:
        """Views of ``uint16`` [H, W] for the norms; the next call may make them useless.

        Raises:
            TooManyPatches: this map alone needs more than ``limit``.
        """
        try:
            rows = self._rows(codes)
            if rows is None:
                self.clear()
                rows = self._rows(codes)
            if rows is None:
                raise TooManyPatches
            for level in self._levels.values():
                level.fill()
        except BaseException:
            self.clear()  # patches without their rows, or rows of some norms only
            raise
        return {
            stride: View(size=found.shape, rows=found.ravel()) for stride, found in rows.items()
        }

    def clear(self) -> None:
        """Forget everything."""
        for level in self._levels.values():
            level.clear()

    def _rows(self, codes: np.ndarray) -> dict[int, np.ndarray] | None:
        """The row of each pixel by stride; None as soon as that is more than ``limit``."""
        rows = {}
        for stride, level in self._levels.items():
            rows[stride] = level.rows(codes[::stride, ::stride])
            if self.bytes > self._limit:
                return None
        return rows
