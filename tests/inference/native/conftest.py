"""The C library, for the tests that need it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from spade_paddle.inference.native import kernels
from tests.numeric import float64

__all__ = ["float64"]


@pytest.fixture(scope="session")
def c_library() -> None:
    """The C library; where it could have been built, its absence is a failure."""
    if os.environ.get("GAUGAN_ENGINE") == "paddle":
        pytest.skip("GAUGAN_ENGINE=paddle: Paddle Inference alone is to be tested")
    try:
        kernels.library()
    except kernels.KernelsMissing as error:
        can_be_built = sys.platform == "linux" and (shutil.which("cc") or shutil.which("gcc"))
        if can_be_built:
            raise
        pytest.skip(f"{error}; there is none here to build it with")


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
