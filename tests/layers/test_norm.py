from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ConfigError
from spade_paddle.layers import ParamFreeBatchNorm, ParamFreeInstanceNorm
from spade_paddle.layers.norm import BatchNorm, batch_norm, param_free_norm
from tests import reference
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    parameters_of,
    randomize,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")

NORMS = {"batch": reference.batch_norm, "instance": reference.instance_norm}


def test_batch_norm_of_two_pictures_is_what_the_formula_gives_by_hand():
    # mean = (0 + 4) / 2 = 2, variance = (4 + 4) / 2 = 4, out = -2 and 2 over sqrt(4.00001)
    out = ParamFreeBatchNorm(1)(tensor([[[[0.0]]], [[[4.0]]]]))
    assert_same(out, [[[[-0.99999875]]], [[[0.99999875]]]], rtol=1e-8)


def test_running_averages_keep_nine_tenths_of_the_old_after_one_batch():
    # the old mean 0 and variance 1 count 0.9, the batch's mean 2 and variance 4 count 0.1
    norm = ParamFreeBatchNorm(1)
    norm(tensor([[[[0.0]]], [[[4.0]]]]))
    # (a variance is the mean of squares: PyTorch's running one would be 8 here, ours is 4)
    assert_same(norm._mean, [0.2], rtol=1e-6)  # Paddle keeps the momentum 0.9 in float32
    assert_same(norm._variance, [1.3], rtol=1e-6)


def test_batch_norm_in_evaluation_uses_the_running_averages():
    norm = ParamFreeBatchNorm(2)
    norm._mean.set_value(np.array([1.0, -1.0]))
    norm._variance.set_value(np.array([4.0, 0.25]))
    norm.eval()
    x = normal(2, 2, 3, 3)
    expected = (x - np.array([1.0, -1.0]).reshape(1, 2, 1, 1)) / np.sqrt(
        np.array([4.0, 0.25]).reshape(1, 2, 1, 1) + 1e-5
    )
    assert_same(norm(tensor(x)), expected)
    assert_same(norm._mean, [1.0, -1.0])  # and leaves them alone
    assert_same(norm._variance, [4.0, 0.25])


def test_instance_norm_of_two_pixels_is_what_the_formula_gives_by_hand():
    # first picture: mean 2, variance 4; second: mean 5, variance 1, out = -1 and 1 over
    # sqrt(1.00001)
    out = ParamFreeInstanceNorm(1)(tensor([[[[0.0, 4.0]]], [[[4.0, 6.0]]]]))
    expected = [[[[-0.99999875, 0.99999875]]], [[[-0.999995, 0.999995]]]]
    assert_same(out, expected, rtol=1e-8)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
def test_norm_agrees_with_the_formula(name, epsilon):
    x = 3 + 2 * normal(3, 2, 4, 5)
    norm = param_free_norm(name)(2, epsilon=epsilon)
    assert_same(norm(tensor(x)), NORMS[name](x, epsilon=epsilon))


def test_batch_and_instance_norm_are_not_the_same():
    x = normal(3, 2, 4, 5)
    assert_differs(ParamFreeBatchNorm(2)(tensor(x)), reference.instance_norm(x))


@pytest.mark.parametrize("name", NORMS)
def test_gradient_of_norm_is_its_slope(name):
    norm = param_free_norm(name)(2)
    x = tensor(normal(2, 2, 3, 3), differentiable=True)
    assert_gradients(lambda: weighted_sum(norm(x)), [x], places=36)


def test_gradient_of_batch_norm_in_evaluation_is_its_slope():
    norm = ParamFreeBatchNorm(2)
    norm._variance.set_value(np.array([4.0, 0.25]))
    norm.eval()
    x = tensor(normal(2, 2, 3, 3), differentiable=True)
    assert_gradients(lambda: weighted_sum(norm(x)), [x])


@pytest.mark.parametrize("name", NORMS)
def test_scale_and_shift_of_a_channel_are_washed_off(name):
    # what SPADE puts back (the article, section 3)
    norm, x = param_free_norm(name)(2, epsilon=1e-12), normal(2, 2, 4, 4)
    moved = x * np.array([3.0, 0.5]).reshape(1, 2, 1, 1) + np.array([5.0, -7.0]).reshape(1, 2, 1, 1)
    assert_same(norm(tensor(moved)), norm(tensor(x)).numpy())


@pytest.mark.parametrize("name", NORMS)
def test_norm_of_a_constant_is_zero(name):
    assert_same(
        param_free_norm(name)(2)(tensor(np.full((2, 2, 3, 3), 4.0))), np.zeros((2, 2, 3, 3))
    )


def test_a_single_value_passes_through_batch_norm_in_training_as_its_docstring_says():
    norm, x = ParamFreeBatchNorm(2), np.array([3.0, -2.0]).reshape(1, 2, 1, 1)
    assert_same(norm(tensor(x)), x)
    assert_same(norm._mean, [0.0, 0.0])
    assert_same(norm._variance, [1.0, 1.0])
    assert_same(ParamFreeInstanceNorm(2)(tensor(x)), 0 * x)  # but not through instance norm


@pytest.mark.parametrize("name", NORMS)
def test_norm_has_no_parameters(name):
    assert param_free_norm(name)(4).parameters() == []


def test_batch_norm_saves_its_running_averages_and_nothing_else():
    assert sorted(ParamFreeBatchNorm(4).state_dict()) == ["_mean", "_variance"]
    assert dict(ParamFreeInstanceNorm(4).state_dict()) == {}


def test_batch_norm_agrees_with_the_norm_of_paddle():
    ours, theirs = ParamFreeBatchNorm(3), paddle.nn.BatchNorm2D(3)
    for seed in range(2):
        x = tensor(2 + normal(2, 3, 4, 4, seed=seed))
        assert_same(ours(x), theirs(x).numpy())
    ours.eval(), theirs.eval()
    assert_same(ours(x), theirs(x).numpy())


def test_an_unknown_norm_is_refused_by_name():
    with pytest.raises(
        ConfigError, match="expected one of batch, sync_batch, instance, got 'layer'"
    ):
        param_free_norm("layer")


def affine_norm(*, training: bool, **options) -> BatchNorm:
    """Of two channels, with random scales and shifts and averages of its own."""
    norm = BatchNorm(2, **options)
    randomize(norm)
    norm._mean.set_value(np.array([1.0, -1.0]))
    norm._variance.set_value(np.array([4.0, 0.25]))
    norm.train() if training else norm.eval()
    return norm


def by_channel(values: object) -> np.ndarray:
    return np.asarray(values).reshape(1, 2, 1, 1)


@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
def test_batch_norm_with_scale_and_shift_agrees_with_the_formula_in_training(epsilon):
    norm, x = affine_norm(training=True, epsilon=epsilon), 3 + 2 * normal(3, 2, 4, 5)
    scale, shift = map(by_channel, parameters_of(norm).values())
    expected = reference.batch_norm(x, epsilon=epsilon) * scale + shift
    assert_same(norm(tensor(x)), expected, rtol=1e-8)
    assert_differs(norm(tensor(x)), reference.batch_norm(x, epsilon=epsilon))


@pytest.mark.parametrize("momentum", [0.9, 0.5])
def test_batch_norm_with_scale_and_shift_keeps_averages_of_what_comes_in(momentum):
    norm, x = affine_norm(training=True, momentum=momentum), 3 + 2 * normal(3, 2, 4, 5)
    norm(tensor(x))
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # before scale and shift
    assert_same(norm._mean, momentum * np.array([1.0, -1.0]) + (1 - momentum) * mean, rtol=1e-6)
    expected = momentum * np.array([4.0, 0.25]) + (1 - momentum) * variance
    assert_same(norm._variance, expected, rtol=1e-6)  # Paddle keeps the momentum in float32


def test_batch_norm_with_scale_and_shift_uses_its_averages_in_evaluation():
    norm, x = affine_norm(training=False), normal(2, 2, 3, 3)
    scale, shift = map(by_channel, parameters_of(norm).values())
    normalized = (x - by_channel([1.0, -1.0])) / np.sqrt(by_channel([4.0, 0.25]) + 1e-5)
    assert_same(norm(tensor(x)), normalized * scale + shift)
    assert_same(norm._mean, [1.0, -1.0])  # and leaves them alone
    assert_same(norm._variance, [4.0, 0.25])


@pytest.mark.parametrize("training", [True, False])
def test_gradient_of_batch_norm_with_scale_and_shift_is_its_slope(training):
    norm, x = affine_norm(training=training), tensor(normal(2, 2, 3, 3), differentiable=True)
    assert_gradients(lambda: weighted_sum(norm(x)), [x, norm.weight, norm.bias])


def test_scales_start_around_one_with_the_deviation_of_the_public_spade_and_shifts_at_zero():
    norm = BatchNorm(4000)
    scales = norm.weight.numpy()
    assert abs(scales.mean() - 1) < 0.002
    assert abs(scales.std() - 0.02) < 0.001
    assert_same(norm.bias, np.zeros(4000))
    assert sorted(norm.state_dict()) == ["_mean", "_variance", "bias", "weight"]


@pytest.mark.parametrize("name", ["batch", "sync_batch", "instance"])
def test_in_one_process_the_norm_with_scale_and_shift_is_plain(name):
    assert type(batch_norm(name)(2)) is BatchNorm
