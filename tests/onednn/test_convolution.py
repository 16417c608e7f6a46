"""oneDNN's convolutions are Paddle's, gradients included; only the time differs."""

from __future__ import annotations

import copy

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.features.efficientnet import SameConvolution
from spade_paddle.layers.spectral import maybe_spectral_norm
from spade_paddle.onednn.layers import conv2d, unavailable_reason, use_onednn
from spade_paddle.onednn.library import OneDNNError, has_bfloat16, library
from tests.numeric import assert_differs, assert_same

# x, weight, stride, padding (top, bottom, left, right), groups: those of our networks, and odd ones
SHAPES = {
    "block": ((2, 24, 16, 16), (20, 24, 3, 3), (1, 1), (1, 1, 1, 1), 1),
    "wide block": ((2, 176, 4, 4), (96, 176, 3, 3), (1, 1), (1, 1, 1, 1), 1),
    "shortcut": ((2, 48, 8, 8), (24, 48, 1, 1), (1, 1), (0, 0, 0, 0), 1),
    "picture": ((2, 24, 16, 16), (3, 24, 3, 3), (1, 1), (1, 1, 1, 1), 1),
    "discriminator": ((2, 17, 32, 32), (32, 17, 4, 4), (2, 2), (2, 2, 2, 2), 1),
    "odd size, stride does not come out": (
        *((2, 32, 17, 17), (64, 32, 4, 4), (2, 2), (2, 2, 2, 2), 1),
    ),
    "logits": ((2, 64, 6, 6), (1, 64, 4, 4), (1, 1), (2, 2, 2, 2), 1),
    "squeezenet": ((1, 3, 33, 31), (64, 3, 3, 3), (2, 2), (1, 1, 1, 1), 1),
    "kernel and stride of two sides": ((2, 5, 9, 11), (7, 5, 3, 2), (2, 1), (1, 1, 0, 0), 1),
    "one pixel": ((1, 3, 1, 1), (2, 3, 1, 1), (1, 1), (0, 0, 0, 0), 1),
    "kernel as large as the picture": ((1, 4, 5, 5), (3, 4, 5, 5), (1, 1), (0, 0, 0, 0), 1),
    "more padding at one end": ((1, 3, 16, 15), (8, 3, 3, 3), (2, 2), (0, 1, 1, 1), 1),
    "groups": ((2, 12, 7, 7), (18, 4, 3, 3), (1, 1), (1, 1, 1, 1), 3),
    "depthwise": ((2, 40, 16, 16), (40, 1, 3, 3), (1, 1), (1, 1, 1, 1), 40),
    "depthwise, 5 x 5": ((2, 24, 9, 8), (24, 1, 5, 5), (1, 1), (2, 2, 2, 2), 24),
    "depthwise, 5 x 3, one-sided": ((2, 5, 9, 8), (5, 1, 5, 3), (1, 1), (4, 0, 0, 1), 5),
    "depthwise, stride": ((2, 24, 16, 15), (24, 1, 5, 5), (2, 2), (1, 2, 2, 2), 24),
    "depthwise, two kernels a channel": ((2, 6, 8, 8), (12, 1, 3, 3), (1, 1), (1, 1, 1, 1), 6),
}


def keywords(name: str) -> dict:
    """Stride, padding and groups of a shape, as keywords of both functions."""
    _, _, stride, padding, groups = SHAPES[name]
    return {"stride": list(stride), "padding": list(padding), "groups": groups}


def numbers(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def leaf(values: np.ndarray) -> paddle.Tensor:
    return paddle.to_tensor(values, stop_gradient=False)


def results(convolve, x, weight, bias, **geometry) -> list[np.ndarray]:
    """The output, and the gradients of a weighted sum of it at x, weight and bias."""
    leaves = [leaf(values) for values in (x, weight, bias) if values is not None]
    y = convolve(*leaves, **geometry)
    (y * paddle.to_tensor(numbers(*y.shape, seed=9))).sum().backward()
    return [y.numpy(), *(tensor.grad.numpy() for tensor in leaves)]


def test_this_machine_has_it():
    """On CI and wherever Paddle's CPU wheel for Linux is; else everything here would be moot."""
    assert unavailable_reason() is None


@pytest.mark.parametrize("has_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("name", SHAPES)
def test_output_and_gradients_are_paddles(name, has_bias):
    x, weight, *_ = SHAPES[name]
    bias = numbers(weight[0], seed=3) if has_bias else None
    arrays = numbers(*x, seed=1), numbers(*weight, seed=2), bias
    got = results(conv2d, *arrays, **keywords(name))
    expected = results(F.conv2d, *arrays, **keywords(name))
    for one, other in zip(got, expected):
        assert_same(one, other, rtol=2e-5)


@pytest.mark.parametrize("name", ["block", "discriminator", "squeezenet"])
def test_bfloat16_rounds_what_goes_in_and_nothing_else(name):
    if not has_bfloat16():
        return  # tests/engine/test_convolutions.py: it is said, and float32 computes
    x, weight, *_ = SHAPES[name]
    arrays = numbers(*x, seed=1), numbers(*weight, seed=2), numbers(weight[0], seed=3)
    rounded = [bfloat16(arrays[0]), bfloat16(arrays[1]), arrays[2]]
    geometry = keywords(name)
    got = results(conv2d, *arrays, **geometry, bfloat16=True)[0]
    assert_same(got, results(F.conv2d, *rounded, **geometry)[0], rtol=2e-5)
    assert_differs(got, results(F.conv2d, *arrays, **geometry)[0])
    # gradients: what comes in is rounded, too
    gradients = zip(
        results(conv2d, *arrays, **geometry, bfloat16=True)[1:],
        results(F.conv2d, *rounded, **geometry)[1:],
    )
    for one, other in gradients:
        assert_same(one, other, rtol=1e-2)


def bfloat16(values: np.ndarray) -> np.ndarray:
    """Rounded to the nearest, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize("name", ["block", "depthwise"])
@pytest.mark.parametrize("wanted", ["x", "weight"])
def test_gradients_that_nobody_needs_are_not_computed(wanted, name):
    x, weight, *_ = SHAPES[name]
    tensors = {"x": paddle.to_tensor(numbers(*x, seed=1))}
    tensors["weight"] = paddle.to_tensor(numbers(*weight, seed=2))
    tensors[wanted].stop_gradient = False
    conv2d(*tensors.values(), **keywords(name)).sum().backward()
    for kind, tensor in tensors.items():
        assert (tensor.grad is not None) == (kind == wanted)


def test_a_view_that_is_not_contiguous_is_taken_as_it_looks():
    x, weight, *_ = SHAPES["block"]
    values, kernel = numbers(*x, seed=1), paddle.to_tensor(numbers(*weight, seed=2))
    view = paddle.to_tensor(values).transpose([0, 1, 3, 2])
    copy_of_it = paddle.to_tensor(np.ascontiguousarray(values.transpose(0, 1, 3, 2)))
    got, expected = (conv2d(x, kernel, **keywords("block")).numpy() for x in (view, copy_of_it))
    assert_same(got, expected)


def test_what_the_library_refuses_is_an_error():
    x, weight = paddle.ones([1, 3, 4, 4]), paddle.ones([2, 5, 3, 3])  # channels do not agree
    with pytest.raises(OneDNNError, match="convolution_forward"):
        conv2d(x, weight)


def test_a_paddle_without_the_library_is_told(monkeypatch, tmp_path):
    folder = tmp_path / "libs"
    monkeypatch.setattr("spade_paddle.onednn.library.wheel_libraries", lambda: folder)
    with pytest.raises(OneDNNError, match=r"no libdnnl\.so in libs/"):
        library.__wrapped__()


# --- networks ---


def small_network() -> nn.Layer:
    paddle.seed(3)
    return nn.Sequential(
        maybe_spectral_norm(nn.Conv2D(3, 8, 3, padding=1), enabled=True),
        nn.LeakyReLU(0.2),
        nn.Conv2D(8, 4, 4, stride=2, padding=2, bias_attr=False),
    )


def test_a_network_gives_the_same_and_learns_the_same():
    plain = small_network()
    fast = small_network()
    fast.set_state_dict(plain.state_dict())
    assert use_onednn(fast) == 2
    picture = paddle.to_tensor(numbers(2, 3, 12, 12, seed=1))
    for network in (plain, fast):
        paddle.square(network(picture)).mean().backward()
    assert list(plain.state_dict()) == list(fast.state_dict())
    for one, other in zip(plain.parameters(), fast.parameters()):
        assert_same(other.grad.numpy(), one.grad.numpy(), rtol=1e-4)
    assert_same(fast(picture).numpy(), plain(picture).numpy(), rtol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (15, 17)], ids=["even", "odd"])
def test_layer_with_a_forward_pass_of_its_own_is_computed_if_it_asks(size):
    paddle.seed(3)
    plain = nn.Sequential(
        SameConvolution(3, 8, kernel=3, stride=2), SameConvolution(8, 8, kernel=5, groups=8)
    )
    fast = copy.deepcopy(plain)
    assert use_onednn(fast) == 2
    picture = paddle.to_tensor(numbers(2, 3, *size, seed=1))
    assert_same(fast(picture).numpy(), plain(picture).numpy(), rtol=1e-4)


class Doubling(nn.Conv2D):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    "layer",
    [
        Doubling(4, 4, 3),
        nn.Conv2D(4, 4, 3, dilation=2),
        nn.Conv2D(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2D(4, 4, 3, padding="SAME"),
        nn.Linear(4, 4),
    ],
    ids=["forward of its own", "dilation", "reflection", "padding by name", "no convolution"],
)
def test_what_it_is_not_for_stays_paddles(layer):
    assert use_onednn(layer) == 0
