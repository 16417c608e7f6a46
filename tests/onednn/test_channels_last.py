"""Convolutions of arrays that lie channels last are Paddle's."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from paddle.nn import functional as F

from spade_paddle.onednn import library
from spade_paddle.onednn.channels_last import ChannelsLastConvolution, Weights
from spade_paddle.onednn.library import Layout
from tests.numeric import assert_differs, assert_same

CLOSE = 2e-5  # relative to the largest number
# O, C, kernel, H, W
SHAPES = {
    "block": (20, 24, 3, 16, 16),
    "wide block": (96, 176, 3, 4, 6),
    "shortcut": (24, 48, 1, 8, 8),
    "picture": (3, 24, 3, 16, 12),
    "odd channels": (5, 7, 3, 9, 11),
    "one channel": (1, 1, 3, 6, 5),
    "wide kernel": (6, 13, 5, 7, 8),
    "kernel larger than the map": (4, 3, 5, 2, 3),
    "one pixel": (17, 11, 3, 1, 1),
    "one row": (8, 16, 3, 1, 9),
}


def numbers(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def case(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """x [P, C], weight, bias, (H, W)."""
    out_channels, channels, kernel, *size = SHAPES[name]
    x = numbers(size[0] * size[1], channels, seed=1)
    weight = numbers(out_channels, channels, kernel, kernel, seed=2)
    weight /= np.float32(kernel * np.sqrt(channels))  # so that results are of the size of x
    return x, weight, numbers(out_channels, seed=3), tuple(size)


def convolution(weights: Weights, size: tuple[int, int], **options) -> ChannelsLastConvolution:
    return ChannelsLastConvolution(weights, height=size[0], width=size[1], **options)


def expected_of(x, weight, bias, size) -> np.ndarray:
    """[P, O] by Paddle."""
    maps = paddle.to_tensor(x.T.reshape(1, -1, *size))
    bias = bias if bias is None else paddle.to_tensor(bias)
    y = F.conv2d(maps, paddle.to_tensor(weight), bias, padding=weight.shape[2] // 2)
    return y.numpy()[0].reshape(len(weight), -1).T


def test_a_convolution_of_two_pixels_by_hand():
    # one channel in, two out; the kernel's middle row is 1 2 3, then -1 0 1
    weight = np.zeros((2, 1, 3, 3), np.float32)
    weight[:, 0, 1] = [1, 2, 3], [-1, 0, 1]
    convolve = convolution(Weights(weight, np.float32([0.5, 0])), (1, 2))
    assert convolve(np.float32([[10], [100]])).tolist() == [[320.5, 100], [210.5, -10]]


@pytest.mark.parametrize("has_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("name", SHAPES)
def test_result_is_paddles(name, has_bias):
    x, weight, bias, size = case(name)
    bias = bias if has_bias else None
    before = x.copy()
    convolve, expected = (
        convolution(Weights(weight, bias), size),
        expected_of(x, weight, bias, size),
    )
    assert_same(convolve(x), expected, rtol=CLOSE)
    out = np.full(expected.shape, np.nan, np.float32)  # what lies there does not matter
    assert convolve(x, out) is out
    assert_same(out, expected, rtol=CLOSE)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("tanh", [True, False], ids=["tanh", "no tanh"])
@pytest.mark.parametrize("has_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("name", SHAPES)
def test_it_is_added_to_what_is_there_and_then_the_tangent_is_taken(name, has_bias, tanh):
    x, weight, bias, size = case(name)
    bias = bias if has_bias else None
    out = numbers(len(x), len(weight), seed=4)
    expected = out + expected_of(x, weight, bias, size)
    convolve = convolution(Weights(weight, bias), size, add=True, tanh=tanh)
    convolve(x, out)
    assert_same(out, np.tanh(expected) if tanh else expected, rtol=CLOSE)


@pytest.mark.parametrize("name", ["picture", "one pixel"])
def test_a_picture_is_within_minus_one_and_one(name):
    x, weight, bias, size = case(name)
    plain = expected_of(x, weight, bias, size)
    found = convolution(Weights(weight, bias), size, tanh=True)(x)
    assert_same(found, np.tanh(plain), rtol=CLOSE)
    assert_differs(found, plain)
    assert np.abs(convolution(Weights(1e6 * weight, bias), size, tanh=True)(x)).max() <= 1


def test_weights_of_other_types_and_orders_are_taken_as_they_look():
    x, weight, bias, size = case("odd channels")
    turned = np.ascontiguousarray(weight.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    assert not turned.flags.c_contiguous
    weights = Weights(turned.astype(np.float64), bias.astype(np.float64))
    assert_same(convolution(weights, size)(x), expected_of(x, weight, bias, size), rtol=CLOSE)


def test_weights_are_packed_once_for_all_sizes_that_want_one_layout(monkeypatch):
    _, weight, bias, _ = case("block")
    weights, packed, reorder = Weights(weight, bias), [], library.reorder

    def counted(source, target):
        packed.append(target)
        return reorder(source, target)

    monkeypatch.setattr(library, "reorder", counted)
    layouts = []
    for size in ((16, 16), (32, 16), (16, 16), (5, 7)):
        x = numbers(size[0] * size[1], 24, seed=5)
        convolve = convolution(weights, size, add=len(layouts) % 2 == 1)
        out = np.zeros((len(x), 20), np.float32)
        assert_same(convolve(x, out), expected_of(x, weight, bias, size), rtol=CLOSE)
        wanted = convolve._run.layout(library.WEIGHTS)
        if wanted not in layouts:
            layouts.append(wanted)
        assert weights.packed(wanted) is weights.packed(wanted)
    assert len(packed) == len(layouts) < 4


def test_weights_are_packed_anew_for_another_layout():
    _, weight, bias, _ = case("odd channels")
    weights = Weights(weight, bias)
    for _ in range(2):
        for layout, axes in ((Layout.plain, (0, 1, 2, 3)), (Layout.channels_last, (0, 2, 3, 1))):
            packed = weights.packed(layout(weight.shape))
            assert packed.tobytes() == weight.transpose(axes).tobytes()


@pytest.mark.parametrize("add", [False, True])
def test_arrays_that_do_not_fit_are_refused(add):
    x, weight, bias, size = case("block")
    convolve = convolution(Weights(weight, bias), size, add=add)
    out = np.zeros((len(x), len(weight)), np.float32)
    convolve(x, out)
    turned = np.ascontiguousarray(x.T).T
    for wrong in (x[1:], x[:, 1:], x[None], x.astype(np.float64), turned):
        with pytest.raises(AssertionError):
            convolve(wrong, out)
    for wrong in (out[1:], out[:, 1:], out.astype(np.float64), np.zeros(out.shape[::-1]).T):
        with pytest.raises(AssertionError):
            convolve(x, wrong)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 3, 4), (5, 1, 7), (300, 6, 54), (17, 128, 33)])
def test_matrix_product_is_that_of_numpy(sizes):
    rows, inner, columns = sizes
    left, right = numbers(rows, inner, seed=6), numbers(inner, columns, seed=7)
    out = np.full((rows, columns), np.nan, np.float32)
    library.matrix_product(left.ctypes.data, right.ctypes.data, out.ctypes.data, sizes=sizes)
    assert_same(out, left.astype(np.float64) @ right.astype(np.float64), rtol=CLOSE)


def test_matrix_product_of_nothing_is_nothing():
    left, right, out = numbers(0, 3, seed=6), numbers(3, 2, seed=7), numbers(0, 2, seed=8)
    library.matrix_product(left.ctypes.data, right.ctypes.data, out.ctypes.data, sizes=(0, 3, 2))
