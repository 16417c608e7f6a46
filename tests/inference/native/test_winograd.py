"""Convolutions with a quarter of the multiplications are convolutions."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from spade_paddle.inference.native import kernels, winograd
from spade_paddle.inference.native.winograd import WinogradConvolution, WinogradWeights, Workspace
from tests import reference
from tests.numeric import assert_same

pytestmark = pytest.mark.usefixtures("c_library", "has_avx2")

CLOSE = 5e-6  # relative to the largest number
# O, C, H, W
SHAPES = {
    "one tile": (16, 8, 4, 4),
    "one pixel": (3, 1, 1, 1),
    "less than a tile": (17, 5, 3, 2),
    "no multiple of a tile": (33, 17, 9, 14),
    "one row": (8, 16, 1, 21),
    "several panels": (50, 40, 12, 8),
    "several blocks": (24, 24, 36, 28),
    "wide": (96, 176, 8, 8),
}


def numbers(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def case(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """x [P, C], weight, bias, (H, W)."""
    outputs, channels, *size = SHAPES[name]
    x = numbers(size[0] * size[1], channels, seed=1)
    weight = numbers(outputs, channels, 3, 3, seed=2) / np.float32(3 * np.sqrt(channels))
    return x, weight, numbers(outputs, seed=3), tuple(size)


def convolution(weight, bias, size, *, threads=1, **options) -> WinogradConvolution:
    weights = WinogradWeights(weight, bias)
    options = {"threads": threads, "workspace": Workspace(), **options}
    return WinogradConvolution(weights, height=size[0], width=size[1], **options)


def expected_of(x, weight, bias, size) -> np.ndarray:
    """[P, O] in float64."""
    maps = x.astype(np.float64).T.reshape(1, -1, *size)
    y = reference.conv2d(maps, weight.astype(np.float64), bias, padding=1)
    return y[0].reshape(len(weight), -1).T


def test_a_convolution_of_two_pixels_by_hand():
    # one channel in, two out; the kernel's middle row is 1 2 3, then -1 0 1
    weight = np.zeros((2, 1, 3, 3), np.float32)
    weight[:, 0, 1] = [1, 2, 3], [-1, 0, 1]
    convolve = convolution(weight, np.float32([0.5, 0]), (1, 2))
    np.testing.assert_allclose(
        convolve(np.float32([[10], [100]])), [[320.5, 100], [210.5, -10]], rtol=1e-5
    )


@pytest.mark.parametrize("has_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("name", SHAPES)
def test_result_is_that_of_a_direct_convolution(name, has_bias):
    x, weight, bias, size = case(name)
    bias = bias if has_bias else None
    before, out = x.copy(), np.full((len(x), len(weight)), np.nan, np.float32)
    convolve = convolution(weight, bias, size)
    assert convolve(x, out) is out  # what lies there does not matter
    assert_same(out, expected_of(x, weight, bias, size), rtol=CLOSE)
    assert np.array_equal(convolve(x), out)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", SHAPES)
def test_it_is_added_to_what_is_there(name):
    x, weight, bias, size = case(name)
    out = numbers(len(x), len(weight), seed=4)
    expected = out + expected_of(x, weight, bias, size)
    convolution(weight, bias, size, add=True)(x, out)
    assert_same(out, expected, rtol=CLOSE)


@pytest.mark.parametrize("name", SHAPES)
def test_neither_threads_nor_blocks_change_a_bit(name, monkeypatch, with_threads):
    x, weight, bias, size = case(name)
    expected = convolution(weight, bias, size)(x)
    for block in (1, 5, winograd._MAX_BLOCK):
        monkeypatch.setattr(winograd, "_MAX_BLOCK", block)
        for threads in (1, 2, 3):
            convolve = convolution(weight, bias, size, threads=threads)
            assert np.array_equal(with_threads(threads, convolve, x), expected)


def test_convolutions_share_a_workspace_and_what_another_left_there_does_not_matter():
    workspace, found = Workspace(), {}
    for name in [*SHAPES, *reversed(SHAPES)]:
        x, weight, bias, size = case(name)
        y = convolution(weight, bias, size, workspace=workspace)(x)
        assert np.array_equal(y, found.setdefault(name, y))
        workspace.take(1)[:] = np.nan


def test_blocks_are_computed_side_by_side_where_there_are_enough():
    _, weight, bias, size = case("several blocks")
    assert convolution(weight, bias, size, threads=2)._workers == 2
    assert convolution(weight, bias, (4, 4), threads=2)._workers == 1


def test_blocks_side_by_side_have_room_of_their_own(with_threads):
    x, weight, bias, (height, width) = case("several blocks")
    out, room = np.empty((len(x), 24), np.float32), 36 * 12 * (24 + 32)
    work = np.full((2, room), np.nan, np.float32)
    arrays = WinogradWeights(weight).transformed, 24, bias, 0, out, work
    convolve = kernels.library().spade_winograd
    with_threads(2, convolve, x, height, width, 24, *arrays, 12, 2)
    assert np.isfinite(work).all()


def test_rounding_errors_are_about_twice_those_of_a_direct_convolution():
    weight = numbers(32, 256, 3, 3, seed=1) / np.float32(48)
    x = np.maximum(numbers(32 * 32, 256, seed=2), 0)
    wanted = expected_of(x, weight, None, (32, 32))
    error = convolution(weight, None, (32, 32))(x) - wanted
    # 4.1e-7 of a direct one, 1.8e-6 with the points 0, +-1 and +-2
    assert np.sqrt(np.mean(error**2)) < 1.2e-6


def test_points_are_those_of_the_paper_but_for_their_size():
    transform = winograd._kernel_transform()
    # Lagrange: the values of x^k at the points, over the products of differences
    assert_same(transform[0], [1, 0, 0])  # sqrt(1/2)^2 * sqrt(2)^2 = 1
    root = np.sqrt(0.5)
    # 2 a^2 (a^2 - b^2) = -3/2 and 2 b^2 (b^2 - a^2) = 6
    assert_same(transform[1], np.array([1, root, 0.5]) / -1.5)
    assert_same(transform[4], np.array([1, -np.sqrt(2), 2]) / 6)
    assert_same(transform[5], [0, 0, 1])


@pytest.mark.parametrize(
    ("shape", "size", "suits"),
    [
        ((64, 64, 3, 3), (64, 64), True),
        ((64, 64, 1, 1), (64, 64), False),  # nothing to save
        ((64, 64, 5, 5), (64, 64), False),
        ((3, 64, 3, 3), (64, 64), False),  # 13 of 16 products would be of zeros
        ((64, 64, 3, 3), (8, 8), False),  # four tiles: weights are read once for each
        ((1024, 1024, 3, 3), (64, 64), False),  # 151 MB of weights
    ],
)
def test_it_is_taken_where_it_is_worth_its_memory(shape, size, suits):
    weights = WinogradWeights(np.zeros(shape, np.float32))
    assert WinogradConvolution.suits(weights, height=size[0], width=size[1]) is suits


def test_arrays_that_do_not_fit_are_refused():
    x, weight, bias, size = case("several panels")
    convolve = convolution(weight, bias, size, add=True)
    out = np.zeros((len(x), len(weight)), np.float32)
    convolve(x, out)
    refused = (AssertionError, ctypes.ArgumentError)
    turned = np.ascontiguousarray(x.T).T
    for wrong in (x[1:], x[:, 1:], x[None], x.astype(np.float64), turned):
        with pytest.raises(refused):
            convolve(wrong, out)
    read_only = out.copy()
    read_only.flags.writeable = False
    for wrong in (out[1:], out[:, 1:], out.astype(np.float64), read_only, None):
        with pytest.raises(refused):
            convolve(x, wrong)
