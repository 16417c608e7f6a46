from __future__ import annotations

import math

import numpy as np
import pytest

from spade_paddle.losses.style import kl_loss
from tests import reference
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, tensor

pytestmark = pytest.mark.usefixtures("float64")


def test_kl_of_one_entry_by_hand():
    # mu 2, variance 1: -0.5 * (1 + 0 - 4 - 1) = 2; mu 0, variance e: -0.5 * (1 + 1 - e) = 0.359
    assert kl_loss(tensor([[2.0]]), tensor([[0.0]])).item() == 2.0
    assert kl_loss(tensor([[0.0]]), tensor([[1.0]])).item() == pytest.approx(math.e / 2 - 1)


def test_kl_agrees_with_its_definition_as_an_integral():
    mu, logvar = normal(2, 3, seed=1), normal(2, 3, seed=2)
    assert_same(kl_loss(tensor(mu), tensor(logvar)), reference.kl(mu, logvar), rtol=1e-5)
    assert_differs(kl_loss(tensor(mu), tensor(-logvar)), reference.kl(mu, logvar))


def test_gradient_of_kl_is_its_slope():
    mu, logvar = (tensor(normal(2, 3, seed=seed), differentiable=True) for seed in (1, 2))
    assert_gradients(lambda: kl_loss(mu, logvar), [mu, logvar])


def test_kl_is_zero_only_for_the_standard_normal_distribution():
    zeros = np.zeros((2, 4))
    assert kl_loss(tensor(zeros), tensor(zeros)).item() == 0.0
    for seed in range(3):
        moved = 0.1 * normal(2, 4, seed=seed)
        assert kl_loss(tensor(moved), tensor(zeros)).item() > 0
        assert kl_loss(tensor(zeros), tensor(moved)).item() > 0


def test_kl_is_a_sum_over_the_batch():
    mu, logvar = normal(3, 2, seed=1), normal(3, 2, seed=2)
    alone = sum(kl_loss(tensor(mu[i : i + 1]), tensor(logvar[i : i + 1])).item() for i in range(3))
    assert_same(kl_loss(tensor(mu), tensor(logvar)), alone)
