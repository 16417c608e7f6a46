from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.layers import simam
from tests import reference
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")


def test_simam_of_four_numbers_is_what_the_formula_gives_by_hand():
    # mu = 1, (x - mu)^2 = 1, 1, 1, 9, their sum 12, n = 3; with lambda = 1 the denominator is
    # 4 * (12/3 + 1) = 20, so y = 1/20 + 0.5 = 0.55 for the zeros and 9/20 + 0.5 = 0.95 for the 4
    out = simam(tensor([[[[0.0, 0.0], [0.0, 4.0]]]]), e_lambda=1.0).numpy()
    assert_same(out, [[[[0.0, 0.0], [0.0, 4 / (1 + np.exp(-0.95))]]]])
    assert out[0, 0, 1, 1] == pytest.approx(2.884461, abs=1e-6)


@pytest.mark.parametrize("e_lambda", [1e-4, 0.1])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 1, 1, 2), (1, 2, 7, 1)])
def test_simam_agrees_with_the_paper(shape, e_lambda):
    x = normal(*shape)
    assert_same(simam(tensor(x), e_lambda), reference.simam(x, e_lambda=e_lambda))


def test_lambda_is_one_ten_thousandth_unless_given():
    x = 0.01 * normal(1, 2, 3, 3)  # so small that lambda counts
    assert_same(simam(tensor(x)), reference.simam(x, e_lambda=1e-4))
    assert_differs(simam(tensor(x)), reference.simam(x, e_lambda=1e-3))


def test_simam_divides_by_one_less_than_the_number_of_positions():
    x = normal(2, 3, 3, 3)
    assert_differs(simam(tensor(x)), reference.simam(x, minus_one=False))


def test_gradient_of_simam_is_its_slope():
    x = tensor(normal(2, 2, 3, 4), differentiable=True)
    assert_gradients(lambda: weighted_sum(simam(x)), [x], places=48)


def test_simam_of_a_constant_is_the_constant_times_sigmoid_of_one_half():
    x = np.broadcast_to(np.array([3.0, -2.0]).reshape(1, 2, 1, 1), (2, 2, 4, 4))
    assert_same(simam(tensor(x)), x * 0.6224593312018546)


def test_a_map_of_one_pixel_counts_as_a_constant_and_not_as_zero_by_zero():
    x = tensor([[[[3.0]], [[-2.0]]]], differentiable=True)
    out = simam(x)
    assert_same(out, x.numpy() * 0.6224593312018546)
    out.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_channels_and_pictures_do_not_see_each_other():
    x = normal(2, 3, 4, 4)
    changed = x.copy()
    changed[1, 2] *= 10
    before, after = simam(tensor(x)).numpy(), simam(tensor(changed)).numpy()
    same = np.ones((2, 3), dtype=bool)
    same[1, 2] = False
    assert_same(after[same], before[same])


def test_the_neuron_that_stands_out_keeps_most_of_itself():
    x = np.ones((1, 1, 3, 3))
    x[0, 0, 1, 1] = 5.0
    kept = simam(tensor(x)).numpy() / x
    assert kept.argmax() == 4
    assert (kept < 1).all()
