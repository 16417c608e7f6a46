"""Matrix products whose rows are bit-identical for any number of threads and rows (winograd.c)."""

from __future__ import annotations

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.kernels import FloatArray
from spade_paddle.onednn.library import matrix_product

PANEL = 16  # of winograd.c: columns that are stored together


def has_avx2() -> bool:
    """Whether the processor has AVX2 and FMA, which the functions of winograd.c need."""
    return bool(kernels.library().spade_has_avx2())


class PackedMatrix:
    """The right operand of matrix products, packed once; without AVX2, products are oneDNN's.

    Args:
        matrix: ``float32`` [inner, columns].
    """

    def __init__(self, matrix: FloatArray) -> None:
        inner, self._columns = matrix.shape
        self._matrix = np.ascontiguousarray(matrix, np.float32)
        if has_avx2():
            panels = -(-self._columns // PANEL)
            padded = np.zeros((inner, panels * PANEL), np.float32)
            padded[:, : self._columns] = matrix
            by_panel = padded.reshape(inner, panels, PANEL).transpose(1, 0, 2)
            self._matrix = np.ascontiguousarray(by_panel)

    def __rmatmul__(self, left: FloatArray) -> FloatArray:
        """``float32`` [rows, inner] -> [rows, columns]."""
        rows, inner = left.shape
        assert inner == self._matrix.shape[-2]
        out = np.empty((rows, self._columns), np.float32)
        if self._matrix.ndim == 3:
            columns = self._columns
            kernels.library().spade_product(left, rows, inner, self._matrix, columns, out)
        else:
            assert left.dtype == np.float32 and left.flags.c_contiguous
            addresses = left.ctypes.data, self._matrix.ctypes.data, out.ctypes.data
            matrix_product(*addresses, sizes=(rows, inner, self._columns))
        return out

    __array_ufunc__ = None  # so that ndarray @ PackedMatrix calls __rmatmul__
