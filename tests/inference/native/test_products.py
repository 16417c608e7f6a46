"""Products of matrices are those of NumPy, row by row the same bits."""

from __future__ import annotations

import ctypes
import operator

import numpy as np
import pytest

from spade_paddle.inference.native import products
from spade_paddle.inference.native.products import PackedMatrix
from tests.numeric import assert_same

pytestmark = pytest.mark.usefixtures("c_library")

SIZES = [(1, 1, 1), (2, 3, 16), (5, 1, 7), (7, 20, 48), (300, 6, 54), (97, 128, 33)]


def numbers(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def factors(sizes: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, inner, columns = sizes
    return numbers(rows, inner, seed=6), numbers(inner, columns, seed=7)


@pytest.mark.parametrize("able", [True, False], ids=["here", "older processor"])
@pytest.mark.parametrize("sizes", SIZES)
def test_product_is_that_of_numpy(sizes, able, monkeypatch):
    if not able:
        monkeypatch.setattr(products, "has_avx2", lambda: False)
    left, right = factors(sizes)
    found = left @ PackedMatrix(right)
    assert found.dtype == np.float32
    assert_same(found, left.astype(np.float64) @ right.astype(np.float64), rtol=1e-6)


def test_product_of_no_rows_is_of_no_rows():
    assert (numbers(0, 3, seed=1) @ PackedMatrix(numbers(3, 2, seed=2))).shape == (0, 2)


@pytest.mark.usefixtures("has_avx2")
@pytest.mark.parametrize("sizes", SIZES)
def test_no_bit_of_a_row_depends_on_other_rows_or_threads(sizes, with_threads):
    left, right = factors(sizes)
    right = PackedMatrix(right)
    every = left @ right
    for threads in (1, 2, 3):
        assert np.array_equal(with_threads(threads, operator.matmul, left, right), every)
    for first in range(0, len(left), 5):
        part = np.ascontiguousarray(left[first : first + 3])
        assert np.array_equal(part @ right, every[first : first + 3])


@pytest.mark.parametrize("able", [True, False], ids=["here", "older processor"])
def test_what_does_not_fit_is_refused(able, monkeypatch):
    if not able:
        monkeypatch.setattr(products, "has_avx2", lambda: False)
    left, right = factors((7, 20, 48))
    right = PackedMatrix(right)
    for wrong in (left[:, 1:], left.astype(np.float64), np.ascontiguousarray(left.T).T):
        with pytest.raises((AssertionError, ctypes.ArgumentError)):
            wrong @ right
