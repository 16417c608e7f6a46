from __future__ import annotations

import math

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.errors import ConfigError
from spade_paddle.layers.activation import TwiceDifferentiableGELU, make_activation
from tests.numeric import assert_differs, assert_same, tensor

pytestmark = pytest.mark.usefixtures("float64")

X = np.array([-40.0, -6.0, -1.5, -0.2, 0.0, 0.3, 1.0, 2.5, 6.0, 40.0])
DENSITY = np.exp(-0.5 * X**2) / math.sqrt(2 * math.pi)
DISTRIBUTION = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in X])


def test_gelu_that_can_be_differentiated_twice_has_the_values_of_gelu():
    x = tensor(X, differentiable=True)
    assert np.array_equal(TwiceDifferentiableGELU()(x).numpy(), nn.GELU()(x).numpy())
    assert_same(TwiceDifferentiableGELU()(x), X * DISTRIBUTION)
    assert np.array_equal(TwiceDifferentiableGELU()(x.detach()).numpy(), nn.GELU()(x).numpy())


def test_its_two_derivatives_are_those_of_gelu():
    x = tensor(X, differentiable=True)
    (slope,) = paddle.grad(TwiceDifferentiableGELU()(x).sum(), [x], create_graph=True)
    assert_same(slope, DISTRIBUTION + X * DENSITY)
    (bend,) = paddle.grad((slope**2).sum() / 2, [x])
    assert_same(bend, slope.numpy() * (2 - X**2) * DENSITY)
    assert_differs(bend, slope.numpy() * (1 - X**2) * DENSITY)


def test_only_gelu_has_another_form_to_be_differentiated_twice():
    assert type(make_activation("gelu")) is nn.GELU
    assert type(make_activation("gelu", twice_differentiable=True)) is TwiceDifferentiableGELU
    for name in ("leaky_relu", "relu"):
        plain, twice = make_activation(name), make_activation(name, twice_differentiable=True)
        assert type(plain) is type(twice)


def test_unknown_activations_are_named_together_with_the_known():
    with pytest.raises(ConfigError, match="gelu, leaky_relu, relu, got 'swish'"):
        make_activation("swish")
