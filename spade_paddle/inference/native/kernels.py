"""The functions of kernels.c on NumPy arrays, and the library built from all C files here.

Legend: P pixels of a feature map, C channels. All arrays are contiguous; features are ``float32``.
Calls that would read or write beyond the end of an array are refused here.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import numpy as np

from spade_paddle.onednn.library import wheel_libraries

VERSION = 3
IDENTITY, GELU, LEAKY_RELU, RELU = range(4)
ACTIVATIONS = {"gelu": GELU, "leaky_relu": LEAKY_RELU, "relu": RELU}
SAME, NEAREST, BILINEAR = range(3)
_SUMMED = 1 << 14  # pixels that are summed at once

_READ, _WRITTEN = "C_CONTIGUOUS,ALIGNED", "C_CONTIGUOUS,ALIGNED,WRITEABLE"
_Floats = np.ctypeslib.ndpointer(np.float32, flags=_READ)
_Integers = np.ctypeslib.ndpointer(np.int32, flags=_READ)
_Codes = np.ctypeslib.ndpointer(np.uint16, flags=_READ)
_FloatsOut = np.ctypeslib.ndpointer(np.float32, flags=_WRITTEN)
_IntegersOut = np.ctypeslib.ndpointer(np.int32, flags=_WRITTEN)
_DoublesOut = np.ctypeslib.ndpointer(np.float64, flags=_WRITTEN)


class KernelsMissing(RuntimeError):
    """The C library is not there, or not of this version."""


def _maybe(kind):
    """As ``kind``, or None for a null pointer."""

    class Maybe(kind):
        @classmethod
        def from_param(cls, value):
            return None if value is None else super().from_param(value)

    return Maybe


@functools.lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The library, loaded.

    Raises:
        KernelsMissing: it was not built, cannot be loaded, or is of another version.
    """
    path = built()
    try:
        openmp()  # first, so that the library finds it
        loaded = ctypes.CDLL(str(path))
        version = loaded.spade_version()
    except (AttributeError, OSError) as error:
        raise KernelsMissing(f"{path.name} cannot be loaded: {error}") from error
    if version != VERSION:
        raise KernelsMissing(f"{path.name} was built from another version; install again")
    long, number, maybe = ctypes.c_long, ctypes.c_int, _maybe(_Floats)
    patches = ctypes.POINTER(PatchSetStruct)
    for name, arguments in {
        "modulate": [
            *(_Floats, number, long, long, long, _Floats, _Floats, _Floats, _Integers),
            *(maybe, maybe, number, _FloatsOut),
        ],
        "grow": [_Floats, number, long, long, long, maybe, maybe, long, long, _FloatsOut],
        "activate": [_FloatsOut, long, long, number],
        "sums": [_Floats, long, long, maybe, long, _DoublesOut],
        "attend": [_FloatsOut, long, long, _Floats, _Floats, number],
        "number_patches": [patches, _Codes, long, long, long, _IntegersOut],
        "number_list": [patches, _Codes, long, _IntegersOut],
        "add_rows": [_Floats, _Integers, long, long, long, _Floats, number, _FloatsOut],
        "winograd": [
            *(_Floats, long, long, long, _Floats, long, maybe, number),
            *(_FloatsOut, _FloatsOut, long, number),
        ],
        "product": [_Floats, long, long, _Floats, long, _FloatsOut],
        "has_products": [],
    }.items():
        getattr(loaded, f"spade_{name}").argtypes = arguments
    return loaded


def built() -> Path:
    """The library's file, made at installation.

    Raises:
        KernelsMissing: there is none.
    """
    found = sorted(Path(__file__).parent.glob("_kernels*.so"))
    if not found:
        raise KernelsMissing("its C library was not built at installation: no C compiler?")
    return found[-1]


@functools.lru_cache(maxsize=1)
def openmp() -> ctypes.CDLL:
    """The OpenMP library of Paddle's wheel, on which oneDNN runs; Paddle itself is not imported."""
    return ctypes.CDLL(str(wheel_libraries() / "libiomp5.so"))


class PatchSetStruct(ctypes.Structure):
    """``PatchSet`` of kernels.c."""

    _fields_ = (
        ("length", ctypes.c_long),
        ("count", ctypes.c_long),
        ("capacity", ctypes.c_long),
        ("patches", ctypes.c_void_p),
        ("slot_mask", ctypes.c_uint64),
        ("slots", ctypes.c_void_p),
        ("hash_mask", ctypes.c_uint64),
    )


def modulate(
    x: np.ndarray,
    *,
    size: tuple[int, int],
    doubled: bool,
    scale: np.ndarray,
    mean: np.ndarray,
    table: np.ndarray,
    index: np.ndarray,
    factors: np.ndarray | None = None,
    edges: np.ndarray | None = None,
    activation: int = IDENTITY,
) -> np.ndarray:
    """``act((x - mean) * scale * gain + offset)``, gain and offset looked up for each pixel.

    Args:
        x: [P, C], or [P / 4, C] with ``doubled``: then every pixel is read four times.
        size: H, W of the result.
        scale, mean: [C].
        table: [rows, 2C], gain and offset.
        index: ``int32`` [P], rows.
        factors: [P, 2], of gain and offset.
        edges: [P], one more channel of the result.

    Returns:
        [P, C], or [P, C + 1] with edges.
    """
    channels, pixels = x.shape[1], _pixels(x, size, doubled=doubled)
    assert scale.shape == mean.shape == (channels,)
    assert table.shape[1] == 2 * channels
    assert index.size == pixels
    assert _highest(index) < len(table)
    assert factors is None or factors.shape == (pixels, 2)
    assert edges is None or edges.shape == (pixels,)
    out = np.empty((pixels, channels + (edges is not None)), np.float32)
    library().spade_modulate(
        *(x, int(doubled), *size, channels, scale, mean, table, index),
        *(factors, edges, activation, out),
    )
    return out


def grow(
    x: np.ndarray,
    *,
    size: tuple[int, int],
    how: int,
    strength: np.ndarray | None = None,
    noise: np.ndarray | None = None,
    noise_step: int = 1,
) -> np.ndarray:
    """x at the size of the result, and ``strength * noise`` added where there is noise.

    Args:
        x: [P, C] with SAME, else [P / 4, C].
        size: H, W of the result; even unless SAME.
        how: SAME, NEAREST or BILINEAR.
        strength: [C].
        noise: [H * noise_step, W * noise_step], of which every noise_step-th pixel is taken.

    Returns:
        [P, C], a new array.
    """
    (height, width), channels = size, x.shape[1]
    pixels = _pixels(x, size, doubled=how != SAME)
    noise_width = 0
    if noise is not None:
        assert noise_step > 0
        assert noise.shape == (height * noise_step, width * noise_step)
        assert strength.shape == (channels,)
        noise_width = noise.shape[1]
    out = np.empty((pixels, channels), np.float32)
    library().spade_grow(
        x, how, height, width, channels, strength, noise, noise_step, noise_width, out
    )
    return out


def activate(x: np.ndarray, activation: int) -> None:
    """x [P, C] in place."""
    pixels, channels = x.shape
    library().spade_activate(x, pixels, channels, activation)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean ``float32`` [C] of x [P, C], and the sum of the squared deviations ``float64`` [C]."""
    mean = (_sums(x, None) / len(x)).astype(np.float32)
    return mean, _sums(x, mean)


def _sums(x: np.ndarray, mean: np.ndarray | None) -> np.ndarray:
    chunks = -(-len(x) // _SUMMED)
    sums = np.empty((chunks, x.shape[1]), np.float64)
    library().spade_sums(x, *x.shape, mean, chunks, sums)
    return sums.sum(axis=0)


def attend(x: np.ndarray, *, e_lambda: float = 1e-4, activation: int = IDENTITY) -> None:
    """SimAM of x [P, C] in place (layers/simam.py), then the activation."""
    mean, squares = moments(x)
    sharpness = 1 / (4 * (squares / (len(x) - 1 + 1e-12) + e_lambda))
    library().spade_attend(x, *x.shape, mean, sharpness.astype(np.float32), activation)


def add_rows(
    rows: np.ndarray, numbers: np.ndarray, bias: np.ndarray, *, activation: int = IDENTITY
) -> np.ndarray:
    """``act(bias + sum over places of rows[numbers[n, place], place])``.

    Args:
        rows: [numbers, places, C].
        numbers: ``int32`` [n, places]; what is below 0 adds nothing.
        bias: [C].

    Returns:
        [n, C].
    """
    (count, places), width = numbers.shape, rows.shape[2]
    assert rows.shape[1] == places > 0
    assert bias.shape == (width,)
    assert numbers.max(initial=-1) < len(rows)
    out = np.empty((count, width), np.float32)
    library().spade_add_rows(rows, numbers, count, places, width, bias, activation, out)
    return out


def _pixels(x: np.ndarray, size: tuple[int, int], *, doubled: bool) -> int:
    """Of a result of this size, for which x must have just enough."""
    height, width = size
    if doubled:
        assert height % 2 == width % 2 == 0
    assert len(x) == height * width // (4 if doubled else 1)
    return height * width


def _highest(index: np.ndarray) -> int:
    """A number that is out of the way for all tables if one is below 0."""
    return int(index.view(np.uint32).max(initial=0))
