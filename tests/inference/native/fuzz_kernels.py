"""Drives the functions in C at random; test_sanitizers.py runs it with a library that watches.

    fuzz_kernels.py LIBRARY ROUNDS      the wrappers, with whatever they take
    fuzz_kernels.py LIBRARY MISTAKE     a call past the wrappers that goes wrong on purpose

Paddle stays out: under a sanitizer it would take minutes and report on itself.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import numpy as np

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.patches import ALL_BITS, PatchSet
from spade_paddle.inference.native.products import PackedMatrix
from spade_paddle.inference.native.winograd import WinogradConvolution, WinogradWeights, Workspace

rng = np.random.default_rng(11)
ALL_CODES = 2**16


def floats(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def a_size(*, even: bool) -> tuple[int, int]:
    height, width = rng.integers(1, 9, 2).tolist()
    return (2 * height, 2 * width) if even else (height, width)


def channels_of() -> int:
    return int(rng.choice([1, 2, 3, 7, 8, 9, 16, 17, 33, 64, 176]))


def an_activation() -> int:
    return int(rng.integers(4))


def chance() -> bool:
    return bool(rng.integers(2))


def modulate() -> np.ndarray:
    doubled = chance()
    size, channels, rows = a_size(even=doubled), channels_of(), int(rng.integers(1, 9))
    pixels = size[0] * size[1]
    return kernels.modulate(
        floats(pixels // 4 if doubled else pixels, channels),
        size=size,
        doubled=doubled,
        scale=floats(channels),
        mean=floats(channels),
        table=floats(rows, 2 * channels),
        index=rng.integers(0, rows, pixels, dtype=np.int32),
        factors=floats(pixels, 2) if chance() else None,
        edges=floats(pixels) if chance() else None,
        activation=an_activation(),
    )


def upsample() -> np.ndarray:
    mode = int(rng.integers(3))
    size, channels, step = a_size(even=mode != kernels.SAME), channels_of(), int(rng.integers(1, 5))
    pixels = size[0] * size[1]
    noise = {}
    if chance():
        noise = {"strength": floats(channels), "noise": floats(size[0] * step, size[1] * step)}
    x = floats(pixels if mode == kernels.SAME else pixels // 4, channels)
    return kernels.upsample(x, size=size, mode=mode, noise_stride=step, **noise)


def in_place() -> np.ndarray:
    x = floats(int(rng.integers(1, 70)), channels_of())
    if chance():
        x *= np.float32(10.0 ** rng.integers(-30, 19))
    function = kernels.simam if chance() else kernels.activate
    function(x, activation=an_activation())
    return x


def moments() -> np.ndarray:
    pixels = int(rng.choice([1, 2, 50, 2**14, 2**14 + 1, 2**15 - 1]))
    return np.stack(kernels.moments(floats(pixels, int(rng.integers(1, 6)))))


def add_rows() -> np.ndarray:
    numbers, places, width = rng.integers(1, 40, 3).tolist()
    picked = rng.integers(-3, numbers, (int(rng.integers(0, 30)), places), dtype=np.int32)
    rows, bias = floats(numbers, places, width), floats(width)
    return kernels.add_rows(rows, picked, bias, activation=an_activation())


def product() -> np.ndarray:
    rows, inner, columns = rng.integers(1, 120, 3).tolist()
    return floats(rows, inner) @ PackedMatrix(floats(inner, columns))


def convolution() -> np.ndarray:
    size, channels, outputs = a_size(even=False), channels_of(), channels_of()
    height, width = (int(rng.integers(1, 4)) * side for side in size)
    weights = WinogradWeights(
        floats(outputs, channels, 3, 3), floats(outputs) if chance() else None
    )
    add = chance()
    options = {"threads": int(rng.integers(1, 4)), "workspace": Workspace(), "add": add}
    convolve = WinogradConvolution(weights, height=height, width=width, **options)
    return convolve(
        floats(height * width, channels), floats(height * width, outputs) if add else None
    )


def patches() -> np.ndarray:
    """A set that grows: maps of few and of many codes, and lists of what was in them."""
    radius, codes = int(rng.integers(0, 5)), int(rng.choice([1, 2, 300, ALL_CODES]))
    length = (2 * radius + 1) ** 2
    found = PatchSet(length, hash_mask=int(rng.choice([3, 255, 2**31])) if chance() else ALL_BITS)
    for _ in range(3):
        height, width = (rng.integers(0, 30, 2) + 2 * radius).tolist()
        padded = rng.integers(0, codes, (height, width)).astype(np.uint16)
        index = found.number_map(padded, radius=radius)
        assert not index.size or 0 <= index.min() <= index.max() < len(found.patches)
        again = found.patches[rng.permutation(len(found.patches))]
        assert np.array_equal(found.patches[found.number_list(again)], again)
        if chance():
            found.clear()
    return np.zeros(1)


def not_numbers() -> np.ndarray:
    x = np.float32([[np.nan, np.inf], [-np.inf, 3e38], [-3e38, 1e-45]])
    kernels.activate(x.copy(), an_activation())
    kernels.simam(x, activation=an_activation())
    return np.zeros(1)


WORK = (modulate, upsample, in_place, moments, add_rows, product, convolution, patches, not_numbers)


def fuzz(rounds: int) -> None:
    for _ in range(rounds):
        for work in WORK:
            # memory begins as NaN (see test_sanitizers.py): what is not written would be seen
            assert np.isfinite(work()).all(), work.__name__


# --- mistakes ------------------------------------------------------------------------------------


def modulate_past_the_wrapper(*, rows: int = 2, pixels: int = 9, size=(3, 3), up: int = 0) -> None:
    table, x, out = floats(rows, 6), floats(9 if not up else 2, 3), floats(pixels, 3)
    index = np.full(9, 1, np.int32)
    plain = (floats(3), floats(3), table, index, None, None, kernels.GELU, out)
    kernels.library().spade_modulate(x, up, *size, 3, *plain)


def upsample_past_the_wrapper(*, noise_rows: int) -> None:
    arrays = floats(3), floats(noise_rows, 8), 2, 8, floats(8, 3)
    kernels.library().spade_upsample(floats(8, 3), kernels.SAME, 2, 4, 3, *arrays)


def number_past_the_wrapper(*, rows: int, codes: int, more_room: int = 0) -> None:
    found, index = PatchSet(9), np.zeros(1600, np.int32)
    found._struct.capacity += more_room
    padded = rng.integers(0, codes, (rows, 402)).astype(np.uint16)
    kernels.library().spade_number_patches(ctypes.byref(found._struct), padded, 4, 400, 1, index)


def add_past_the_wrapper(*, number: int = 4, places: int = 9) -> None:
    numbers, out = np.full((2, 9), number, np.int32), floats(2, 3)
    arrays = floats(5, 9, 3), numbers
    kernels.library().spade_add_rows(*arrays, 2, places, 3, floats(3), kernels.IDENTITY, out)


def convolve_past_the_wrapper(*, height: int = 5, pixels: int = 25, block: int = 4) -> None:
    kernel, work = floats(36, 1, 3, 16), floats(36 * 4 * (3 + 16))
    arrays = kernel, 4, None, 0, floats(pixels, 4), work
    kernels.library().spade_winograd(floats(25, 3), height, 5, 3, *arrays, block, 1)


MISTAKES = {
    "table one row short": lambda: modulate_past_the_wrapper(rows=1),
    "result one pixel short": lambda: modulate_past_the_wrapper(pixels=8),
    "odd size doubled": lambda: modulate_past_the_wrapper(up=1),
    "noise one row short": lambda: upsample_past_the_wrapper(noise_rows=2),
    "map one row short": lambda: number_past_the_wrapper(rows=5, codes=1),
    "more room than there is": lambda: number_past_the_wrapper(rows=6, codes=300, more_room=1),
    "number beyond the rows": lambda: add_past_the_wrapper(number=5),
    "no places": lambda: add_past_the_wrapper(places=0),
    "convolved map one row short": lambda: convolve_past_the_wrapper(height=6, pixels=30),
    "convolution one pixel short": lambda: convolve_past_the_wrapper(pixels=24),
    "work of a smaller block": lambda: convolve_past_the_wrapper(block=8),
}


def main(library: str, work: str) -> None:
    kernels.library_path, kernels.openmp = lambda: Path(library), lambda: None
    if work in MISTAKES:
        MISTAKES[work]()
    else:
        fuzz(int(work))
    assert "paddle" not in sys.modules
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
