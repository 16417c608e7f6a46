from __future__ import annotations

from functools import partial

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.errors import ConfigError
from spade_paddle.layers import CLADE, SPADE, ParamFreeBatchNorm, SPADEResnetBlock
from spade_paddle.layers.activation import make_activation
from spade_paddle.layers.blocks import maybe_spectral_norm
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


class NoNorm(nn.Layer):
    """Gives back what comes in."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.out_channels = channels

    def forward(self, x: paddle.Tensor, segmap: paddle.Tensor) -> paddle.Tensor:
        return x


def make_spade(channels: int, hidden: int = 4) -> SPADE:
    return SPADE(
        norm_nc=channels,
        label_nc=3,
        make_norm=ParamFreeBatchNorm,
        activation=nn.GELU(),
        nhidden=hidden,
    )


def make_clade(channels: int, hidden: int = 0) -> CLADE:
    return CLADE(norm_nc=channels, num_classes=3, make_norm=ParamFreeBatchNorm)


def small_block(
    fin: int, fout: int, *, make_norm=make_spade, simam=True, spectral_norm=False
) -> SPADEResnetBlock:
    block = SPADEResnetBlock(
        fin,
        fout,
        make_modulated_norm=make_norm,
        activation=nn.GELU(),
        spectral_norm=spectral_norm,
        simam=simam,
    )
    randomize(block)
    return block


def labels(*shape: int) -> np.ndarray:
    ids = np.random.default_rng(1).integers(0, 3, shape)
    return reference.one_hot(ids, num_labels=3, dont_care=False)


def by_the_paper(
    block: SPADEResnetBlock, x: np.ndarray, segmap: np.ndarray, *, layer=reference.spade, **wrong
) -> np.ndarray:
    names = "01s" if block.learned_shortcut else "01"
    return reference.residual_block(
        x,
        segmap,
        norms={
            name: partial(layer, parameters=parameters_of(getattr(block, f"norm_{name}")))
            for name in names
        },
        convolutions={name: parameters_of(getattr(block, f"conv_{name}")) for name in names},
        activation=reference.gelu,
        attention=block.simam,
        **wrong,
    )


def test_block_of_one_pixel_is_what_the_formula_gives_by_hand():
    # no norm, LeakyReLU 0.2, x = -1. Of a 3x3 kernel one pixel meets the center only.
    # conv_0: 2 * (0.2 * -1) + 0.5 = 0.1; conv_1: 3 * 0.1 = 0.3; out = -1 + 0.3 = -0.7
    block = SPADEResnetBlock(
        1,
        1,
        make_modulated_norm=NoNorm,
        activation=nn.LeakyReLU(0.2),
        spectral_norm=False,
        simam=False,
    )
    block.conv_0.weight.set_value(np.full((1, 1, 3, 3), 2.0))
    block.conv_0.bias.set_value(np.array([0.5]))
    block.conv_1.weight.set_value(np.full((1, 1, 3, 3), 3.0))
    block.conv_1.bias.set_value(np.array([0.0]))
    out = block(tensor([[[[-1.0]]]]), tensor([[[[1.0]]]]))
    assert_same(out, [[[[-0.7]]]], rtol=1e-7)  # Paddle keeps the slope 0.2 in float32


@pytest.mark.parametrize("simam", [True, False])
@pytest.mark.parametrize("fin, fout", [(3, 3), (4, 2), (2, 4)])
def test_block_agrees_with_the_paper(fin, fout, simam):
    block = small_block(fin, fout, simam=simam)
    x, segmap = normal(2, fin, 4, 5), labels(2, 4, 5)
    assert_same(block(tensor(x), tensor(segmap)), by_the_paper(block, x, segmap))


def test_block_with_clade_agrees_with_the_paper():
    block = small_block(4, 2, make_norm=make_clade)
    x, segmap = normal(2, 4, 4, 4), labels(2, 8, 8)
    expected = by_the_paper(block, x, segmap, layer=reference.clade)
    assert_same(block(tensor(x), tensor(segmap)), expected)


def test_the_shortcut_has_no_activation():
    block, x, segmap = small_block(4, 2, simam=False), normal(2, 4, 4, 4), labels(2, 4, 4)
    wrong = by_the_paper(block, x, segmap, activated_shortcut=True)
    assert_differs(block(tensor(x), tensor(segmap)), wrong)


def test_attention_weighs_the_sum_and_not_the_branch():
    block, x, segmap = small_block(3, 3), normal(1, 3, 4, 4), labels(1, 4, 4)
    out = block(tensor(x), tensor(segmap)).numpy()
    block.simam = False
    plain = block(tensor(x), tensor(segmap)).numpy()
    assert_same(out, reference.simam(plain))
    assert_differs(out, x + reference.simam(plain - x))


@pytest.mark.parametrize("fin, fout", [(2, 2), (3, 2)])
def test_gradient_of_block_is_its_slope_for_input_and_parameters(fin, fout):
    block, segmap = small_block(fin, fout, spectral_norm=True), tensor(labels(2, 3, 3))
    x = tensor(normal(2, fin, 3, 3), differentiable=True)
    block(x, segmap)  # one step of the power iteration, then it stands still
    for layer in block.sublayers():
        if not isinstance(layer, ParamFreeBatchNorm):
            layer.training = False
    # the bias before a batch norm has no effect; any other parameter has
    parameters = [value for name, value in block.named_parameters() if name != "conv_0.bias"]
    assert_gradients(lambda: weighted_sum(block(x, segmap)), [x, *parameters], places=4)


def test_a_block_whose_last_convolution_is_zero_gives_back_its_input():
    block, x = small_block(3, 3, simam=False), normal(1, 3, 4, 4)
    for parameter in block.conv_1.parameters():
        parameter.set_value(np.zeros(parameter.shape))
    assert_same(block(tensor(x), tensor(labels(1, 4, 4))), x)


@pytest.mark.parametrize("fin, fout, middle", [(4, 2, 2), (2, 4, 2), (3, 3, 3)])
def test_between_the_convolutions_there_is_the_smaller_width(fin, fout, middle):
    shapes = {
        name: value.shape
        for name, value in parameters_of(small_block(fin, fout)).items()
        if name.startswith("conv")
    }
    expected = {
        "conv_0.weight": (middle, fin, 3, 3),
        "conv_0.bias": (middle,),
        "conv_1.weight": (fout, middle, 3, 3),
        "conv_1.bias": (fout,),
    }
    if fin != fout:
        expected["conv_s.weight"] = (fout, fin, 1, 1)  # no bias
    assert shapes == expected


def test_spectral_norm_of_a_diagonal_matrix_divides_by_its_largest_entry():
    # the 1x1 kernel diag(4, 1) has singular values 4 and 1: it becomes diag(1, 1/4)
    convolution = nn.Conv2D(2, 2, 1, bias_attr=False)
    convolution.weight.set_value(np.array([[4.0, 0.0], [0.0, 1.0]]).reshape(2, 2, 1, 1))
    convolution = maybe_spectral_norm(convolution, enabled=True)
    for _ in range(40):
        out = convolution(tensor(np.ones((1, 2, 1, 1))))
    assert_same(out, [[[[1.0]], [[0.25]]]])


def test_spectral_norm_makes_one_power_iteration_per_training_step_and_none_in_evaluation():
    convolution, x = nn.Conv2D(3, 4, 3), normal(1, 3, 5, 5)
    randomize(convolution)
    weight, bias = convolution.weight.numpy(), convolution.bias.numpy()
    convolution = maybe_spectral_norm(convolution, enabled=True)
    start = convolution.weight_u.numpy().reshape(-1).copy()
    for steps in (1, 2, 3):
        normalized = reference.spectral_norm(weight, start, iterations=steps)
        assert_same(convolution(tensor(x)), reference.conv2d(x, normalized, bias))
    convolution.eval()
    for _ in range(2):
        assert_same(convolution(tensor(x)), reference.conv2d(x, normalized, bias))


def test_spectral_norm_ends_at_the_largest_singular_value():
    convolution, x = nn.Conv2D(3, 4, 3, bias_attr=False), normal(1, 3, 5, 5)
    weight = convolution.weight.numpy()
    convolution = maybe_spectral_norm(convolution, enabled=True)
    for _ in range(200):
        out = convolution(tensor(x))
    expected = reference.conv2d(x, weight / reference.largest_singular_value(weight))
    assert_same(out, expected, rtol=1e-6)
    assert_differs(out, reference.conv2d(x, weight))


def test_spectral_norm_wraps_the_three_convolutions_of_a_block_and_nothing_else():
    block = small_block(4, 2, spectral_norm=True)
    wrapped = {name for name, _ in block.named_parameters() if name.endswith("weight_orig")}
    assert wrapped == {f"conv_{name}.weight_orig" for name in "01s"}
    without = small_block(4, 2, spectral_norm=False)
    assert not any("weight_orig" in name for name in without.state_dict())


def test_a_block_loaded_from_its_state_paints_the_same():
    blocks = [small_block(4, 2, spectral_norm=True) for _ in range(2)]
    x, segmap = tensor(normal(2, 4, 4, 4)), tensor(labels(2, 4, 4))
    for _ in range(3):
        blocks[0](x, segmap)  # moves the running averages and the power iteration
    blocks[1].set_state_dict(blocks[0].state_dict())
    for block in blocks:
        block.eval()
    assert_same(blocks[1](x, segmap), blocks[0](x, segmap).numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["gelu", "leaky_relu", "relu"])
def test_activation_agrees_with_its_formula(name):
    x = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    # Paddle keeps the slope 0.2 in float32
    assert_same(make_activation(name)(tensor(x)), getattr(reference, name)(x), rtol=1e-7)


def test_gelu_of_one_is_the_normal_distribution_at_one():
    # Phi(1) = 0.8413447 (any table); the approximation by tanh would give 0.8411920
    assert make_activation("gelu")(tensor(1.0)).item() == pytest.approx(0.8413447, abs=1e-7)


def test_an_unknown_activation_is_refused_by_name():
    with pytest.raises(ConfigError, match="expected one of gelu, leaky_relu, relu, got 'swish'"):
        make_activation("swish")


def test_the_layers_work_in_anybodys_network():
    x, segmap = tensor(normal(2, 64, 8, 6)), tensor(labels(2, 8, 6))
    assert SPADE(64, 3)(x, segmap).shape == [2, 64, 8, 6]
    assert CLADE(64, 3)(x, segmap).shape == [2, 64, 8, 6]
    block = SPADEResnetBlock(64, 32, label_nc=3)
    assert block(x, segmap).shape == [2, 32, 8, 6]
    assert block.simam and isinstance(block.activation, nn.GELU)  # as in the article
    assert block.norm_s.mlp_gamma.weight.shape == [64, 128, 3, 3]


@pytest.mark.parametrize("given", [{}, {"label_nc": 3, "make_modulated_norm": make_clade}])
def test_a_block_needs_to_know_its_norms_once(given):
    with pytest.raises(TypeError, match="either label_nc or make_modulated_norm"):
        SPADEResnetBlock(2, 2, **given)
