"""The functions of kernels.c on NumPy arrays, and the library built from all C files here.

Legend: P pixels of a feature map, C channels. All arrays must be C-contiguous; a wrong type or
layout raises ``ctypes.ArgumentError``. Assertions reject calls that would access memory beyond the
end of an array.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from spade_paddle.onednn.library import wheel_libraries

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int32]
CodeArray = npt.NDArray[np.uint16]

VERSION = 4  # spade_version() of kernels.c
IDENTITY, GELU, LEAKY_RELU, RELU = range(4)
ACTIVATIONS = {"gelu": GELU, "leaky_relu": LEAKY_RELU, "relu": RELU}
SAME, NEAREST, BILINEAR = range(3)
_CHUNK = 1 << 14  # pixels per partial sum

_IN: Final = ("C_CONTIGUOUS", "ALIGNED")
_OUT: Final = ("C_CONTIGUOUS", "ALIGNED", "WRITEABLE")
_Floats = np.ctypeslib.ndpointer(np.float32, flags=_IN)
_Indices = np.ctypeslib.ndpointer(np.int32, flags=_IN)
_Codes = np.ctypeslib.ndpointer(np.uint16, flags=_IN)
_FloatsOut = np.ctypeslib.ndpointer(np.float32, flags=_OUT)
_IndicesOut = np.ctypeslib.ndpointer(np.int32, flags=_OUT)
_DoublesOut = np.ctypeslib.ndpointer(np.float64, flags=_OUT)


class _FloatsOrNull:
    """As ``_Floats``; None is passed as a null pointer."""

    @classmethod
    def from_param(cls, value: FloatArray | None) -> object:
        return None if value is None else _Floats.from_param(value)


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


class _ArgumentType(Protocol):
    """What ctypes converts an argument by."""

    def from_param(self, value: Any, /) -> object: ...


_INT, _LONG, _PATCH_SET = ctypes.c_int, ctypes.c_long, ctypes.POINTER(PatchSetStruct)
_ARGUMENTS: Mapping[str, Sequence[_ArgumentType]] = {
    "modulate": [
        *(_Floats, _INT, _LONG, _LONG, _LONG, _Floats, _Floats, _Floats, _Indices),
        *(_FloatsOrNull, _FloatsOrNull, _INT, _FloatsOut),
    ],
    "upsample": [
        *(_Floats, _INT, _LONG, _LONG, _LONG, _FloatsOrNull, _FloatsOrNull, _LONG, _LONG),
        _FloatsOut,
    ],
    "activate": [_FloatsOut, _LONG, _LONG, _INT],
    "sums": [_Floats, _LONG, _LONG, _FloatsOrNull, _LONG, _DoublesOut],
    "simam": [_FloatsOut, _LONG, _LONG, _Floats, _Floats, _INT],
    "number_patches": [_PATCH_SET, _Codes, _LONG, _LONG, _LONG, _IndicesOut],
    "number_list": [_PATCH_SET, _Codes, _LONG, _IndicesOut],
    "add_rows": [_Floats, _Indices, _LONG, _LONG, _LONG, _Floats, _INT, _FloatsOut],
    "winograd": [
        *(_Floats, _LONG, _LONG, _LONG, _Floats, _LONG, _FloatsOrNull, _INT),
        *(_FloatsOut, _FloatsOut, _LONG, _INT),
    ],
    "product": [_Floats, _LONG, _LONG, _Floats, _LONG, _FloatsOut],
    "has_avx2": [],
}


class KernelsMissing(RuntimeError):
    """The C library was not built, cannot be loaded, or has another version."""


@functools.lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The loaded C library. Its functions take NumPy arrays.

    Raises:
        KernelsMissing: it was not built, cannot be loaded, or has another version.
    """
    path = library_path()
    try:
        openmp()  # first: the kernels are linked against it
        loaded = ctypes.CDLL(str(path))
        version = loaded.spade_version()
    except (AttributeError, OSError) as error:
        raise KernelsMissing(f"{path.name} cannot be loaded: {error}") from error
    if version != VERSION:
        raise KernelsMissing(f"{path.name} was built from another version; install again")
    for name, arguments in _ARGUMENTS.items():
        getattr(loaded, f"spade_{name}").argtypes = arguments
    return loaded


def library_path() -> Path:
    """The file of the C library, built at installation.

    Raises:
        KernelsMissing: it was not built.
    """
    found = sorted(Path(__file__).parent.glob("_kernels*.so"))
    if not found:
        raise KernelsMissing("its C library was not built at installation: no C compiler?")
    return found[-1]


@functools.lru_cache(maxsize=1)
def openmp() -> ctypes.CDLL:
    """The OpenMP library in Paddle's wheel, which oneDNN uses; Paddle itself is not imported."""
    return ctypes.CDLL(str(wheel_libraries() / "libiomp5.so"))


def modulate(
    x: FloatArray,
    *,
    size: tuple[int, int],
    doubled: bool,
    scale: FloatArray,
    mean: FloatArray,
    table: FloatArray,
    index: IndexArray,
    factors: FloatArray | None = None,
    edges: FloatArray | None = None,
    activation: int = IDENTITY,
) -> FloatArray:
    """Normalization, modulation and activation: ``act((x - mean) * scale * gain + offset)``.

    Gain and offset of a pixel are a row of a table.

    Args:
        x: ``float32`` [P, C]; with ``doubled`` [P / 4, C], upsampled by nearest neighbor.
        size: (H, W) of the result, P = H * W; even with ``doubled``.
        doubled: x has half the height and width.
        scale, mean: ``float32`` [C].
        table: ``float32`` [rows, 2C], gain and offset.
        index: ``int32`` [P], the row of each pixel.
        factors: ``float32`` [P, 2]; gain and offset are multiplied by them.
        edges: ``float32`` [P], appended as one more channel before the activation.
        activation: one of IDENTITY, GELU, LEAKY_RELU (slope 0.2) and RELU.

    Returns:
        ``float32`` [P, C], or [P, C + 1] with ``edges``.
    """
    channels, pixels = x.shape[1], _pixel_count(x, size, doubled=doubled)
    assert scale.shape == mean.shape == (channels,)
    assert table.shape[1] == 2 * channels
    assert index.size == pixels
    assert _max_index(index) < len(table)
    assert factors is None or factors.shape == (pixels, 2)
    assert edges is None or edges.shape == (pixels,)
    out = np.empty((pixels, channels + (edges is not None)), np.float32)
    library().spade_modulate(
        *(x, int(doubled), *size, channels, scale, mean, table, index),
        *(factors, edges, activation, out),
    )
    return out


def upsample(
    x: FloatArray,
    *,
    size: tuple[int, int],
    mode: int,
    strength: FloatArray | None = None,
    noise: FloatArray | None = None,
    noise_stride: int = 1,
) -> FloatArray:
    """Upsample by a factor of two, or copy, then add ``strength * noise``.

    Args:
        x: ``float32`` [P, C] with mode SAME, else [P / 4, C].
        size: (H, W) of the result, P = H * W; even unless the mode is SAME.
        mode: SAME, NEAREST or BILINEAR (pixel centers at 0.5, as ``align_corners=False``).
        strength: ``float32`` [C]; required with ``noise``.
        noise: ``float32`` [H * noise_stride, W * noise_stride], subsampled by ``noise_stride``.
        noise_stride: at least 1.

    Returns:
        ``float32`` [P, C], a new array.
    """
    (height, width), channels = size, x.shape[1]
    pixels = _pixel_count(x, size, doubled=mode != SAME)
    noise_width = 0
    if noise is not None:
        assert noise_stride > 0
        assert noise.shape == (height * noise_stride, width * noise_stride)
        assert strength is not None
        assert strength.shape == (channels,)
        noise_width = noise.shape[1]
    out = np.empty((pixels, channels), np.float32)
    library().spade_upsample(
        x, mode, height, width, channels, strength, noise, noise_stride, noise_width, out
    )
    return out


def activate(x: FloatArray, activation: int) -> None:
    """Apply an activation to x, ``float32`` [P, C], in place."""
    pixels, channels = x.shape
    library().spade_activate(x, pixels, channels, activation)


def moments(x: FloatArray) -> tuple[FloatArray, DoubleArray]:
    """The mean and the sum of squared deviations of each channel.

    Args:
        x: ``float32`` [P, C].

    Returns:
        Mean ``float32`` [C], sum of squared deviations ``float64`` [C].
    """
    mean = (_sums(x, None) / len(x)).astype(np.float32)
    return mean, _sums(x, mean)


def _sums(x: FloatArray, mean: FloatArray | None) -> DoubleArray:
    chunks = -(-len(x) // _CHUNK)
    sums = np.empty((chunks, x.shape[1]), np.float64)
    library().spade_sums(x, *x.shape, mean, chunks, sums)
    return sums.sum(axis=0)


def simam(x: FloatArray, *, e_lambda: float = 1e-4, activation: int = IDENTITY) -> None:
    """Apply SimAM (layers/simam.py), then an activation, to x, ``float32`` [P, C], in place."""
    mean, squares = moments(x)
    inverse = 1 / (4 * (squares / (len(x) - 1 + 1e-12) + e_lambda))
    library().spade_simam(x, *x.shape, mean, inverse.astype(np.float32), activation)


def add_rows(
    rows: FloatArray, numbers: IndexArray, bias: FloatArray, *, activation: int = IDENTITY
) -> FloatArray:
    """``act(bias + sum over places of rows[numbers[n, place], place])``.

    Args:
        rows: ``float32`` [m, places, C].
        numbers: ``int32`` [n, places], below m; negative ones are skipped.
        bias: ``float32`` [C].
        activation: as in ``modulate``.

    Returns:
        ``float32`` [n, C].
    """
    (count, places), width = numbers.shape, rows.shape[2]
    assert rows.shape[1] == places > 0
    assert bias.shape == (width,)
    assert numbers.max(initial=-1) < len(rows)
    out = np.empty((count, width), np.float32)
    library().spade_add_rows(rows, numbers, count, places, width, bias, activation, out)
    return out


def _pixel_count(x: FloatArray, size: tuple[int, int], *, doubled: bool) -> int:
    """Pixels of a result of this size; asserts that x has the pixels for it."""
    height, width = size
    if doubled:
        assert height % 2 == width % 2 == 0
    assert len(x) == height * width // (4 if doubled else 1)
    return height * width


def _max_index(index: IndexArray) -> int:
    """The largest index; a negative one counts as 2**32 minus its magnitude, beyond any table."""
    return int(index.view(np.uint32).max(initial=0))
