"""Nothing reaches C that would make it read or write beyond the end of an array."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.kernels import BILINEAR, SAME, KernelsMissing
from tests.inference.native.test_kernels import floats, modulation, upsampling

pytestmark = pytest.mark.usefixtures("c_library")

REFUSED = (AssertionError, ctypes.ArgumentError, ValueError)


def transposed(array: np.ndarray) -> np.ndarray:
    """The same numbers, not one after the other."""
    return np.ascontiguousarray(array.T).T


def shifted(array: np.ndarray) -> np.ndarray:
    """The same numbers at an address that is no multiple of four."""
    room = np.empty(array.nbytes + 4, np.uint8)
    out = room[1 : 1 + array.nbytes].view(array.dtype).reshape(array.shape)
    out[:] = array
    assert out.ctypes.data % 4
    return out


def with_number(array: np.ndarray, number: int) -> np.ndarray:
    array = array.copy()
    array.flat[-1] = number
    return array


OTHERS = {
    "x": (lambda x: x[:-1], lambda x: x[:, :-1], transposed, shifted, np.float64, lambda x: None),
    "size": (lambda size: (size[0] + 2, size[1]), lambda size: (size[0] - 1, size[1])),
    "scale": (lambda scale: scale[:-1], np.float64),
    "mean": (lambda mean: mean[:-1], np.float64),
    "table": (lambda table: table[:-1], lambda table: table[:, 1:], transposed, np.float64),
    "index": (
        *(lambda index: index[1:], lambda index: index[::2], np.int64, np.uint32),
        *(lambda index: with_number(index, 5), lambda index: with_number(index, -1)),
        lambda index: with_number(index, -(2**31)),
    ),
    "factors": (lambda factors: factors[:-1], lambda factors: factors[:, :1], transposed),
    "edges": (lambda edges: edges[:-1], lambda edges: edges[:, None], np.float64),
}


@pytest.mark.parametrize("name", OTHERS)
def test_modulate_refuses_arrays_that_do_not_fit(name):
    arguments = modulation((4, 6), 3)
    arguments["index"][0] = 4  # the last row is looked up
    kernels.modulate(**arguments)
    for number, other in enumerate(OTHERS[name]):
        with pytest.raises((*REFUSED, AttributeError)):
            kernels.modulate(**{**arguments, name: other(arguments[name])})
            pytest.fail(f"number {number} was taken")


@pytest.mark.parametrize("size", [(3, 4), (4, 3), (3, 3), (1, 1), (2, 1)])
def test_no_odd_size_is_doubled(size):
    quarter = size[0] * size[1] // 4
    one_row = {"table": floats(1, 6), "index": np.zeros(size[0] * size[1], np.int32)}
    for pixels in (quarter, quarter + 1):
        x = floats(pixels, 3)
        with pytest.raises(AssertionError):
            kernels.upsample(x, size=size, mode=BILINEAR)
        with pytest.raises(AssertionError):
            kernels.modulate(x, size=size, doubled=True, scale=floats(3), mean=floats(3), **one_row)


@pytest.mark.parametrize(
    "other",
    [
        {"x": floats(23, 3)},
        {"x": transposed(floats(24, 3))},
        {"size": (4, 7)},
        {"mode": BILINEAR},
        {"strength": floats(2)},
        {"strength": None},
        {"noise": floats(8, 11)},
        {"noise": transposed(floats(8, 12))},
        {"noise": floats(8, 12).astype(np.float64)},
        {"noise_stride": 1},
        {"noise_stride": 4},
        {"noise": floats(0, 0), "noise_stride": 0},
    ],
    ids=lambda other: "-".join(f"{name}{np.shape(value)}" for name, value in other.items()),
)
def test_upsample_refuses_arrays_that_do_not_fit(other):
    arguments = upsampling((4, 6), 3, SAME, noise_stride=2)
    kernels.upsample(**arguments)
    with pytest.raises(REFUSED):
        kernels.upsample(**{**arguments, **other})


@pytest.mark.parametrize("function", [kernels.activate, kernels.simam], ids=lambda f: f.__name__)
def test_work_in_place_refuses_what_it_cannot_write_or_would_misread(function):
    options = {"activation": kernels.GELU}
    locked = floats(4, 3)
    locked.flags.writeable = False
    for x in (locked, floats(4, 3, 2), floats(4), transposed(floats(4, 3)), np.zeros((4, 3))):
        with pytest.raises((*REFUSED, TypeError, IndexError)):
            function(x, **options)


@pytest.mark.parametrize(
    "other",
    [
        {"rows": floats(4, 9, 3)},
        {"rows": floats(5, 8, 3)},
        {"rows": floats(5, 9, 3).astype(np.float64)},
        {"rows": transposed(floats(5, 9, 3))},
        {"numbers": np.full((2, 8), 4, np.int32)},
        {"numbers": np.full((2, 9), 5, np.int32)},
        {"numbers": np.full((2, 9), 4, np.int64)},
        {"numbers": np.full((2, 18), 4, np.int32)[:, ::2]},
        {"rows": floats(5, 0, 3), "numbers": np.zeros((2, 0), np.int32)},
        {"bias": floats(2)},
    ],
    ids=lambda other: "-".join(
        f"{name}{value.shape}{value.dtype}" for name, value in other.items()
    ),
)
def test_add_rows_refuses_arrays_that_do_not_fit(other):
    arguments = {"rows": floats(5, 9, 3), "numbers": np.full((2, 9), 4, np.int32)}
    arguments["bias"] = floats(3)
    kernels.add_rows(**arguments)
    with pytest.raises(REFUSED):
        kernels.add_rows(**{**arguments, **other})


def test_a_library_of_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(kernels, "VERSION", kernels.VERSION + 1)
    with pytest.raises(KernelsMissing, match="another version; install again"):
        kernels.library.__wrapped__()


def test_a_file_that_is_no_library_is_refused(monkeypatch, tmp_path):
    broken = tmp_path / "_kernels.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(kernels, "library_path", lambda: broken)
    with pytest.raises(KernelsMissing, match=r"_kernels\.so cannot be loaded"):
        kernels.library.__wrapped__()


def test_a_library_that_was_not_built_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "kernels.py"))
    with pytest.raises(KernelsMissing, match="no C compiler"):
        kernels.library_path()
