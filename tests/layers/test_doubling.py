from __future__ import annotations

import numpy as np
import paddle
import pytest
from paddle.nn import functional as F

from spade_paddle.layers.doubling import upsample_bilinear, upsample_nearest
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    tensor,
    weighted_sum,
)


def test_every_pixel_four_times_by_hand(float64):
    got = upsample_nearest(tensor([[[[1.0, 2.0], [3.0, 4.0]]]], differentiable=True))
    assert got.tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]


def test_it_is_nearest_neighbor_with_and_without_a_gradient(float64):
    values = normal(2, 3, 5, 7)
    expected = F.interpolate(tensor(values), scale_factor=2)
    for differentiable in (False, True):
        assert_same(
            upsample_nearest(tensor(values, differentiable=differentiable)), expected.numpy()
        )


def test_gradient_is_the_slope(float64):
    x = tensor(normal(2, 3, 4, 5), differentiable=True)
    assert_gradients(lambda: weighted_sum(upsample_nearest(x)), [x])


def test_smooth_doubling_is_bilinear(float64):
    values = normal(2, 3, 5, 7)
    expected = F.interpolate(
        tensor(values), scale_factor=2, mode="bilinear", align_corners=False
    ).numpy()
    for differentiable in (False, True):
        got = upsample_bilinear(tensor(values, differentiable=differentiable))
        assert_same(got, expected)
    assert_differs(got, upsample_nearest(tensor(values)).numpy())
    assert_same(upsample_bilinear(tensor([[[[5.0]]]])), np.full((1, 1, 2, 2), 5.0))


def test_gradient_of_smooth_doubling_is_the_slope(float64):
    x = tensor(normal(2, 3, 4, 5), differentiable=True)
    assert_gradients(lambda: weighted_sum(upsample_bilinear(x)), [x])


class Doubling(paddle.nn.Layer):
    def __init__(self, double):
        super().__init__()
        self.double = double

    def forward(self, x):
        return self.double(x)


@pytest.mark.parametrize("double", [upsample_nearest, upsample_bilinear])
def test_it_can_be_exported(double):
    shape = paddle.static.InputSpec([1, 1, None, None])
    static = paddle.jit.to_static(Doubling(double), input_spec=[shape], full_graph=True)
    x = tensor(normal(1, 1, 3, 5)).astype("float32")
    assert_same(static(x).numpy(), double(x).numpy(), rtol=1e-6)
