from __future__ import annotations

import numpy as np
import pytest
from paddle import nn

from spade_paddle.layers import SPADE, ParamFreeBatchNorm, ParamFreeInstanceNorm
from spade_paddle.layers.spade import resize_like
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


def no_norm(channels: int) -> nn.Layer:
    return nn.Identity()


def small_spade(*, make_norm=ParamFreeBatchNorm, activation=None, kernel_size=3) -> SPADE:
    layer = SPADE(
        norm_nc=2,
        label_nc=3,
        make_norm=make_norm,
        activation=activation or nn.GELU(),
        kernel_size=kernel_size,
        nhidden=4,
    )
    randomize(layer)
    return layer


def labels(*shape: int, classes: int = 3, seed: int = 1) -> np.ndarray:
    ids = np.random.default_rng(seed).integers(0, classes, shape)
    return reference.one_hot(ids, num_labels=classes, dont_care=False)


def test_spade_of_two_pixels_is_what_the_formula_gives_by_hand():
    # 1x1 kernels, one hidden channel, ReLU, no norm.
    # class 0: actv = relu(2 * 1 + 1) = 3, gamma = 0.5 * 3 = 1.5, beta = -1 * 3 + 1 = -2
    # class 1: actv = relu(-4 * 1 + 1) = 0, gamma = 0, beta = 1
    # out = 10 * (1 + 1.5) - 2 = 23 and 10 * (1 + 0) + 1 = 11
    layer = SPADE(
        norm_nc=1, label_nc=2, make_norm=no_norm, activation=nn.ReLU(), kernel_size=1, nhidden=1
    )
    for convolution, weight, bias in (
        (layer.mlp_shared[0], [2.0, -4.0], 1.0),
        (layer.mlp_gamma, [0.5], 0.0),
        (layer.mlp_beta, [-1.0], 1.0),
    ):
        convolution.weight.set_value(np.reshape(weight, (1, -1, 1, 1)))
        convolution.bias.set_value(np.array([bias]))
    segmap = tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])
    assert_same(layer(tensor([[[[10.0, 10.0]]]]), segmap), [[[[23.0, 11.0]]]])


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_spade_agrees_with_the_paper(kernel_size):
    layer, x, segmap = small_spade(kernel_size=kernel_size), normal(2, 2, 4, 6), labels(2, 4, 6)
    assert_same(layer(tensor(x), tensor(segmap)), reference.spade(x, segmap, parameters_of(layer)))


def test_spade_with_relu_and_instance_norm_agrees_with_the_paper():
    layer = small_spade(make_norm=ParamFreeInstanceNorm, activation=nn.ReLU())
    x, segmap = normal(2, 2, 5, 4), labels(2, 5, 4)
    expected = reference.spade(
        x,
        segmap,
        parameters_of(layer),
        activation=reference.relu,
        norm=reference.instance_norm,
    )
    assert_same(layer(tensor(x), tensor(segmap)), expected)
    other = reference.spade(x, segmap, parameters_of(layer), norm=reference.instance_norm)
    assert_differs(layer(tensor(x), tensor(segmap)), other)  # GELU is something else


def test_a_label_map_of_another_size_is_resized_by_nearest_neighbor():
    layer, x, segmap = small_spade(), normal(1, 2, 4, 6), labels(1, 16, 12)
    assert_same(layer(tensor(x), tensor(segmap)), reference.spade(x, segmap, parameters_of(layer)))


@pytest.mark.parametrize(
    "before, after", [((8, 12), (4, 6)), ((3, 5), (6, 5)), ((7, 9), (5, 4)), ((4, 4), (1, 1))]
)
def test_resize_like_takes_the_pixel_at_the_floor(before, after):
    values = normal(1, 2, *before)
    resized = resize_like(tensor(values), tensor(np.zeros((1, 1, *after))))
    assert_same(resized, reference.resize_nearest(values, *after))


def test_spade_scales_by_one_plus_gamma():
    layer, x, segmap = small_spade(), normal(2, 2, 4, 4), labels(2, 4, 4)
    wrong = reference.spade(x, segmap, parameters_of(layer), one_plus=False)
    assert_differs(layer(tensor(x), tensor(segmap)), wrong)


def test_gradient_of_spade_is_its_slope_for_input_label_map_and_parameters():
    layer = small_spade()
    x = tensor(normal(2, 2, 3, 4), differentiable=True)
    segmap = tensor(labels(2, 3, 4), differentiable=True)
    everything = [x, segmap, *layer.parameters()]
    assert len(everything) == 2 + 6
    assert_gradients(lambda: weighted_sum(layer(x, segmap)), everything)


def test_permuting_the_classes_together_with_their_weights_changes_nothing():
    layer, x, segmap = small_spade(), tensor(normal(1, 2, 4, 4)), labels(1, 4, 4)
    before = layer(x, tensor(segmap)).numpy()
    order = [2, 0, 1]
    weight = layer.mlp_shared[0].weight
    weight.set_value(weight.numpy()[:, order])
    assert_same(layer(x, tensor(segmap[:, order])), before)
    assert_differs(layer(x, tensor(segmap)), before)  # the weights alone do


def test_a_uniform_label_map_modulates_all_pixels_alike_away_from_the_borders():
    # two 3x3 convolutions see two pixels far: zero padding reaches the outer two rows and columns
    layer = small_spade(make_norm=no_norm)
    segmap = np.zeros((1, 3, 8, 9))
    segmap[:, 1] = 1.0
    scales = layer(tensor(np.ones((1, 2, 8, 9))), tensor(segmap)).numpy()
    inside = scales[:, :, 2:-2, 2:-2]
    assert_same(inside, np.broadcast_to(inside[:, :, :1, :1], inside.shape))
    assert np.abs(scales[:, :, 0] - inside[:, :, :1, 0]).max() > 1e-3


def test_spade_with_zero_gamma_and_beta_is_the_norm_alone():
    layer, x = small_spade(), normal(2, 2, 4, 4)
    for convolution in (layer.mlp_gamma, layer.mlp_beta):
        for parameter in convolution.parameters():
            parameter.set_value(np.zeros(parameter.shape))
    assert_same(layer(tensor(x), tensor(labels(2, 4, 4))), reference.batch_norm(x))


def test_spade_has_the_hidden_width_of_the_article_unless_given():
    layer = SPADE(norm_nc=5, label_nc=3, make_norm=no_norm, activation=nn.GELU())
    shapes = {name: value.shape for name, value in parameters_of(layer).items()}
    assert shapes == {
        "mlp_shared.0.weight": (128, 3, 3, 3),
        "mlp_shared.0.bias": (128,),
        "mlp_gamma.weight": (5, 128, 3, 3),
        "mlp_gamma.bias": (5,),
        "mlp_beta.weight": (5, 128, 3, 3),
        "mlp_beta.bias": (5,),
    }
    assert layer.out_channels == 5
