"""The C library on so many threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spade_paddle.inference.native import kernels, products
from tests.numeric import float64

__all__ = ["float64"]


@pytest.fixture
def with_threads(c_library: None) -> Iterator:
    """A function: computes on so many threads."""
    openmp = kernels.openmp()
    before = openmp.omp_get_max_threads()

    def compute(threads: int, function, *arguments):
        openmp.omp_set_num_threads(threads)
        return function(*arguments)

    yield compute
    openmp.omp_set_num_threads(before)


@pytest.fixture
def has_avx2(c_library: None) -> None:
    if not products.has_avx2():
        pytest.skip("this processor has no AVX2: oneDNN computes")
