"""What the functions in C compute is what their docstrings say, in float64."""

from __future__ import annotations

import functools
import math

import numpy as np
import paddle
import pytest

from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.kernels import (
    BILINEAR,
    GELU,
    IDENTITY,
    LEAKY_RELU,
    NEAREST,
    RELU,
    SAME,
)
from spade_paddle.layers.doubling import upsample_bilinear
from tests import reference
from tests.numeric import assert_differs, assert_same

pytestmark = pytest.mark.usefixtures("c_library")

ACTIVATIONS = {
    IDENTITY: reference.identity,
    GELU: reference.gelu,
    LEAKY_RELU: reference.leaky_relu,
    RELU: reference.relu,
}
CHANNELS = (1, 3, 17, 176)
EVEN_SIZES = ((2, 2), (2, 6), (6, 2), (8, 14))
SIZES = ((1, 1), (1, 7), (5, 1), (5, 3), *EVEN_SIZES)
CLOSE = 1e-6  # relative to the largest of the numbers


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def resized(x: np.ndarray, size: tuple[int, int], before: tuple[int, int], resize) -> np.ndarray:
    """[P, C] of one size -> [P, C] of another, by a function of tests/reference.py."""
    maps = x.astype(np.float64).T.reshape(1, -1, *before)
    return resize(maps, *size)[0].reshape(x.shape[1], -1).T


# --- modulate ------------------------------------------------------------------------------------


def modulation(size, channels, *, rows=5, doubled=False, extras=True) -> dict:
    """Arguments of kernels.modulate."""
    pixels = size[0] * size[1]
    arguments = {
        "x": floats(pixels // 4 if doubled else pixels, channels),
        "size": size,
        "doubled": doubled,
        "scale": floats(channels, seed=1),
        "mean": floats(channels, seed=2),
        "table": floats(rows, 2 * channels, seed=3),
        "index": np.random.default_rng(4).integers(0, rows, pixels, dtype=np.int32),
    }
    if extras:
        arguments.update(factors=floats(pixels, 2, seed=5), edges=floats(pixels, seed=6))
    return arguments


def modulated(
    *, x, size, doubled, scale, mean, table, index, factors=None, edges=None, activation
) -> np.ndarray:
    if doubled:
        x = resized(x, size, (size[0] // 2, size[1] // 2), reference.resize_nearest)
    gain, offset = np.split(table[index].astype(np.float64), 2, axis=1)
    if factors is not None:
        gain, offset = gain * factors[:, :1], offset * factors[:, 1:]
    out = (x.astype(np.float64) - mean) * scale * gain + offset
    if edges is not None:
        out = np.concatenate([out, edges[:, None]], axis=1)
    return ACTIVATIONS[activation](out)


def test_modulating_two_pixels_by_hand():
    # (5 - 0.5) * 2 = 9 and (0.5 - 0.5) * 2 = 0; row 1: 9 * 3 + 1 = 28; row 0: 0 * 7 - 2 = -2
    out = kernels.modulate(
        np.float32([[5], [0.5]]),
        size=(1, 2),
        doubled=False,
        scale=np.float32([2]),
        mean=np.float32([0.5]),
        table=np.float32([[7, -2], [3, 1]]),
        index=np.int32([1, 0]),
        edges=np.float32([-4, 6]),
        activation=LEAKY_RELU,
    )
    np.testing.assert_allclose(out, [[28, -0.8], [-0.4, 6]], rtol=1e-6)


@pytest.mark.parametrize("extras", [True, False], ids=["factors and edges", "plain"])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_modulating_is_the_formula_at_every_size(activation, channels, extras):
    cases = [(size, False) for size in SIZES] + [(size, True) for size in EVEN_SIZES]
    for size, doubled in cases:
        arguments = modulation(size, channels, doubled=doubled, extras=extras)
        arguments["activation"] = activation
        assert_same(kernels.modulate(**arguments), modulated(**arguments), rtol=CLOSE)


@pytest.mark.parametrize("extra", ["factors", "edges"])
def test_factors_and_edges_go_each_without_the_other(extra):
    arguments = {**modulation((4, 6), 3), extra: None, "activation": GELU}
    assert_same(kernels.modulate(**arguments), modulated(**arguments), rtol=CLOSE)


# --- upsample ------------------------------------------------------------------------------------

RESIZE = {
    SAME: lambda x, height, width: x,
    NEAREST: reference.resize_nearest,
    BILINEAR: reference.resize_bilinear,
}


def upsampling(size, channels, mode, *, noise_stride=0) -> dict:
    """Arguments of kernels.upsample."""
    pixels = size[0] * size[1]
    arguments = {
        "x": floats(pixels if mode == SAME else pixels // 4, channels),
        "size": size,
        "mode": mode,
    }
    if noise_stride:
        noise = floats(size[0] * noise_stride, size[1] * noise_stride, seed=1)
        arguments.update(strength=floats(channels, seed=2), noise=noise, noise_stride=noise_stride)
    return arguments


def upsampled(*, x, size, mode, strength=None, noise=None, noise_stride=1) -> np.ndarray:
    before = size if mode == SAME else (size[0] // 2, size[1] // 2)
    out = resized(x, size, before, RESIZE[mode])
    if noise is None:
        return out
    return out + noise[::noise_stride, ::noise_stride].reshape(-1, 1).astype(np.float64) * strength


def test_upsampling_two_pixels_by_hand():
    # a quarter of the nearest other pixel comes in, and at the border there is none:
    # 0 0 | 8 8 becomes 0 2 6 8; the noise is 10 at the corners of the doubled rows only
    x, noise = np.float32([[0], [8]]), np.zeros((4, 8), np.float32)
    noise[0, 0] = noise[2, 6] = 10
    noise[1::2] = noise[:, 1::2] = 1e9  # is not used
    options = {"strength": np.float32([0.5]), "noise": noise, "noise_stride": 2}
    smooth = kernels.upsample(x, size=(2, 4), mode=BILINEAR, **options)
    assert smooth.ravel().tolist() == [5, 2, 6, 8, 0, 2, 6, 13]
    sharp = kernels.upsample(x, size=(2, 4), mode=NEAREST, **options)
    assert sharp.ravel().tolist() == [5, 0, 8, 8, 0, 0, 8, 13]


@pytest.mark.parametrize("noise_stride", [0, 1, 2, 4])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("mode", RESIZE)
def test_upsampling_is_the_formula_at_every_size(mode, channels, noise_stride):
    for size in SIZES if mode == SAME else EVEN_SIZES:
        arguments = upsampling(size, channels, mode, noise_stride=noise_stride)
        before = arguments["x"].copy()
        assert_same(kernels.upsample(**arguments), upsampled(**arguments), rtol=CLOSE)
        assert np.array_equal(arguments["x"], before)


def test_bilinear_upsampling_is_that_of_the_layer():
    x = floats(15, 4)
    maps = paddle.to_tensor(x.T.reshape(1, 4, 3, 5))
    expected = upsample_bilinear(maps).numpy()[0].reshape(4, -1).T
    assert_same(kernels.upsample(x, size=(6, 10), mode=BILINEAR), expected, rtol=CLOSE)


# --- the rest ------------------------------------------------------------------------------------


def test_gelu_is_within_one_millionth():
    x = np.linspace(-9, 9, 20001, dtype=np.float32).reshape(-1, 1)
    out = x.copy()
    kernels.activate(out, GELU)
    error = np.abs(out - reference.gelu(x.astype(np.float64)))
    assert error.max() < 1e-6
    far = np.float32([[-1e30, -100, 0, 100, 1e30]])
    kernels.activate(far, GELU)
    np.testing.assert_allclose(far, [[0, 0, 0, 100, 1e30]], rtol=1e-6)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activating_is_the_formula(activation, channels):
    x = floats(9, channels)
    out = x.copy()
    kernels.activate(out, activation)
    assert_same(out, ACTIVATIONS[activation](x.astype(np.float64)), rtol=CLOSE)


def test_moments_of_four_pixels_by_hand():
    mean, squares = kernels.moments(np.float32([[1, -3], [2, -3], [3, -3], [6, -3]]))
    assert (mean.tolist(), squares.tolist()) == ([3, -3], [14, 0])


@pytest.mark.parametrize("channels", [1, 17])
@pytest.mark.parametrize("pixels", [1, 2, 100, (1 << 14) - 1, (1 << 15) + 3])
def test_moments_are_those_of_float64(pixels, channels):
    x = floats(pixels, channels) + np.float32(1000)  # a mean that float32 would drown in
    mean, squares = kernels.moments(x)
    exact = x.astype(np.float64)
    assert (mean.dtype, squares.dtype) == (np.float32, np.float64)
    assert_same(mean, exact.mean(axis=0), rtol=CLOSE)
    assert_same(squares, ((exact - exact.mean(axis=0)) ** 2).sum(axis=0), rtol=CLOSE)


def attended(x: np.ndarray, *, activation=IDENTITY, **options) -> np.ndarray:
    channels = x.astype(np.float64).T[None, :, None]  # [1, C, 1, P]
    return ACTIVATIONS[activation](reference.simam(channels, **options)[0, :, 0].T)


def test_attention_to_four_numbers_by_hand():
    # tests/layers/test_simam.py: y = 0.95 for the 4, whatever becomes of the zeros
    x = np.float32([[0], [0], [0], [4]])
    kernels.simam(x, e_lambda=1.0)
    np.testing.assert_allclose(x, [[0], [0], [0], [2.884461]], rtol=1e-6)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_attention_is_the_formula(activation, channels):
    for pixels in (1, 2, 35):
        x = floats(pixels, channels)
        out = x.copy()
        kernels.simam(out, activation=activation)
        assert_same(out, attended(x, activation=activation), rtol=CLOSE)


def test_attention_divides_by_one_less_than_the_pixels_and_lambda_is_as_given():
    x = floats(9, 2)
    out = x.copy()
    kernels.simam(out)
    assert_differs(out, attended(x, minus_one=False))
    assert_differs(out, attended(x, e_lambda=0.1))


def test_exponential_is_as_exact_as_its_comment_says():
    # one pixel, where x = 1 becomes sigmoid(t) = 1 / (1 + e^-t), for a t of each channel
    t = np.linspace(-85, 20, 20001).astype(np.float32)
    x, mean = np.ones((1, t.size), np.float32), np.zeros(t.size, np.float32)
    inverse = t - np.float32(0.5)
    kernels.library().spade_simam(x, *x.shape, mean, inverse, IDENTITY)
    expected = reference.sigmoid((inverse + np.float32(0.5)).astype(np.float64))
    np.testing.assert_allclose(x[0], expected, rtol=4e-7)
    far = np.float32([[1, 1]])
    kernels.library().spade_simam(far, 1, 2, mean, np.float32([-1e30, 1e30]), IDENTITY)
    np.testing.assert_allclose(far, [[0, 1]], atol=1e-30)


def test_adding_rows_by_hand():
    # places 0 and 1 of numbers 0 and 1: 1 + 10 and 2 + 40, or place 1 of number 0 alone: 1 + 20
    rows = np.float32([[[10], [20]], [[30], [40]]])
    numbers = np.int32([[0, -1], [-1, 0], [1, 1], [-1, -7]])
    assert kernels.add_rows(rows, numbers, np.float32([1])).ravel().tolist() == [11, 21, 71, 1]


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("places", [1, 9, 25])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_adding_rows_is_the_formula(activation, places, channels):
    rows, bias = floats(6, places, channels), floats(channels, seed=1)
    numbers = np.random.default_rng(2).integers(-2, 6, (11, places), dtype=np.int32)
    picked = rows.astype(np.float64)[numbers, np.arange(places)]  # [n, places, C]
    sums = bias + (picked * (numbers >= 0)[..., None]).sum(axis=1)
    out = kernels.add_rows(rows, numbers, bias, activation=activation)
    assert_same(out, ACTIVATIONS[activation](sums), rtol=CLOSE)
    assert kernels.add_rows(rows, numbers[:0], bias).shape == (0, channels)


# --- threads -------------------------------------------------------------------------------------


def in_place(function, x, **options):
    x = x.copy()
    function(x, **options)
    return x


WORK = {
    "modulate": lambda: kernels.modulate(**modulation((34, 26), 17, doubled=True), activation=GELU),
    "upsample": lambda: kernels.upsample(**upsampling((34, 26), 17, BILINEAR, noise_stride=2)),
    "activate": lambda: in_place(kernels.activate, floats(999, 17), activation=GELU),
    "moments": lambda: np.stack(kernels.moments(floats(1 << 16, 5))),
    "simam": lambda: in_place(kernels.simam, floats((1 << 15) + 1, 3), activation=GELU),
    "add rows": lambda: kernels.add_rows(
        floats(50, 9, 17), np.arange(999 * 9, dtype=np.int32).reshape(-1, 9) % 50, floats(17)
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_bits_do_not_depend_on_the_number_of_threads(name, with_threads):
    one, *others = (with_threads(threads, WORK[name]) for threads in (1, 2, 3))
    assert np.isfinite(one).all()
    for other in others:
        assert one.tobytes() == other.tobytes()


def test_features_that_are_not_numbers_stay_so():
    x = np.float32([[math.nan, 1.0], [2.0, 3.0]])
    for function in (kernels.simam, functools.partial(kernels.activate, activation=GELU)):
        out = in_place(function, x)
        assert np.isnan(out[:, 0]).any() and np.isfinite(out[:, 1]).all()
