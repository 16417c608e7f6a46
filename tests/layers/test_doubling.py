from __future__ import annotations

import paddle
from paddle.nn import functional as F

from spade_paddle.layers.doubling import doubled
from tests.numeric import assert_gradients, assert_same, normal, tensor, weighted_sum


def test_every_pixel_four_times_by_hand(float64):
    got = doubled(tensor([[[[1.0, 2.0], [3.0, 4.0]]]], differentiable=True))
    assert got.tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]


def test_it_is_nearest_neighbor_with_and_without_a_gradient(float64):
    values = normal(2, 3, 5, 7)
    expected = F.interpolate(tensor(values), scale_factor=2)
    for differentiable in (False, True):
        assert_same(doubled(tensor(values, differentiable=differentiable)), expected.numpy())


def test_gradient_is_the_slope(float64):
    x = tensor(normal(2, 3, 4, 5), differentiable=True)
    assert_gradients(lambda: weighted_sum(doubled(x)), [x])


class Doubling(paddle.nn.Layer):
    def forward(self, x):
        return doubled(x)


def test_it_can_be_exported():
    shape = paddle.static.InputSpec([1, 1, None, None])
    static = paddle.jit.to_static(Doubling(), input_spec=[shape], full_graph=True)
    x = tensor([[[[1.0, 2.0]]]]).astype("float32")
    assert static(x).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
