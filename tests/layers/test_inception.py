from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from paddle import nn

from spade_paddle.layers import InceptionBlock, ParamFreeBatchNorm, ParamFreeInstanceNorm
from spade_paddle.layers.inception import BRANCHES, Branch, Branches, InceptionSPADE
from spade_paddle.layers.norm import BatchNorm
from tests import reference, reference_inception
from tests.layers.inception_parts import (
    ALL,
    CLASSES,
    NONE,
    by_the_paper,
    labels,
    make_clade,
    make_spade,
    randomized,
    small_block,
    state_of,
)
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    parameters_of,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")

# Paddle keeps the epsilon of a norm and the slope of LeakyReLU in float32
assert_close = partial(assert_same, rtol=1e-7)

both_modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def no_norm(channels: int) -> nn.Layer:
    return nn.Identity()


def small_branch(name: str, *, make_second_norm=BatchNorm, training=True) -> Branch:
    branch = Branch(
        name,
        2,
        4,
        middle=3,
        activation=nn.GELU(),
        make_norm=BatchNorm,
        make_second_norm=make_second_norm,
    )
    return randomized(branch, training=training)


def small_branches(widths: tuple[int, ...]) -> Branches:
    others = {"activation": nn.GELU(), "make_norm": BatchNorm, "make_second_norm": BatchNorm}
    return randomized(Branches(2, 4, widths=widths, **others), training=False)


# --- branches ------------------------------------------------------------------------------------


def test_branches_of_one_pixel_are_what_the_formulas_give_by_hand():
    # no norm, LeakyReLU 0.2, x = 2, every weight 2 and bias -5. Of a kernel one pixel meets the
    # middle. conv_0: 4 - 5 = -1, act -0.2; plain: conv_1 -0.4 - 5 = -5.4; depthwise: -5.4, act
    # -1.08, conv_1 -2.16 - 5 = -7.16
    for name in BRANCHES:
        branch = Branch(
            name,
            1,
            1,
            middle=1,
            activation=nn.LeakyReLU(0.2),
            make_norm=no_norm,
            make_second_norm=no_norm,
        )
        for key, parameter in branch.named_parameters():
            parameter.set_value(np.full(parameter.shape, 2.0 if "weight" in key else -5.0))
        expected = -5.4 if name.startswith("plain") else -7.16
        assert_close(branch(tensor([[[[2.0]]]])), [[[[expected]]]])


@both_modes
@pytest.mark.parametrize("make_second_norm", [BatchNorm, ParamFreeBatchNorm, ParamFreeInstanceNorm])
@pytest.mark.parametrize("name", BRANCHES)
def test_every_branch_agrees_with_the_paper(name, make_second_norm, training):
    branch = small_branch(name, make_second_norm=make_second_norm, training=training)
    x = normal(2, 2, 4, 5)
    options = {"activation": reference.gelu, "training": training}
    expected = reference_inception.branch(x, state_of(branch), **options)
    assert_close(branch(tensor(x)), expected)
    if name.startswith("depthwise"):
        wrong = reference_inception.branch(
            x, state_of(branch), activated_depthwise=False, **options
        )
        assert_differs(branch(tensor(x)), wrong)


def test_a_branch_in_evaluation_looks_at_its_averages_and_not_at_the_batch():
    branch, x = small_branch("depthwise_3", training=False), normal(3, 2, 4, 5)
    options = {"activation": reference.gelu, "training": True}
    assert_differs(branch(tensor(x)), reference_inception.branch(x, state_of(branch), **options))
    together = branch(tensor(x)).numpy()
    assert_close(branch(tensor(x[1:2])), together[1:2])


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_plain_branches_have_two_convolutions_of_their_kernel(kernel):
    shapes = {k: v.shape for k, v in parameters_of(small_branch(f"plain_{kernel}")).items()}
    assert shapes == {
        **{"conv_0.weight": (3, 2, kernel, kernel), "conv_0.bias": (3,)},
        **{"norm_0.weight": (3,), "norm_0.bias": (3,)},
        **{"conv_1.weight": (4, 3, kernel, kernel), "conv_1.bias": (4,)},
    }


@pytest.mark.parametrize("make_second_norm", [BatchNorm, ParamFreeBatchNorm])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_depthwise_branches_have_their_kernel_between_two_of_one_pixel(kernel, make_second_norm):
    branch = small_branch(f"depthwise_{kernel}", make_second_norm=make_second_norm)
    expected = {
        **{"conv_0.weight": (3, 2, 1, 1), "conv_0.bias": (3,)},
        **{"norm_0.weight": (3,), "norm_0.bias": (3,)},
        **{"depthwise.weight": (3, 1, kernel, kernel), "depthwise.bias": (3,)},
        **{"conv_1.weight": (4, 3, 1, 1), "conv_1.bias": (4,)},
    }
    if make_second_norm is BatchNorm:
        expected |= {"norm_1.weight": (3,), "norm_1.bias": (3,)}
    assert {k: v.shape for k, v in parameters_of(branch).items()} == expected


def test_absent_branches_have_no_parameters_and_the_others_add_up():
    widths = (0, 3, 0, 0, 1, 2)
    branches, x = small_branches(widths), tensor(normal(2, 2, 4, 5))
    present = {name: m for name, m in zip(BRANCHES, widths) if m}
    assert {name.split(".")[0] for name in branches.state_dict()} == set(present)
    assert BRANCHES == reference_inception.NAMES
    for name, middle in present.items():
        assert getattr(branches, name).conv_1.weight.shape[1] == middle
    assert_close(branches(x), sum(getattr(branches, name)(x).numpy() for name in present))


# --- SPADE of branches ---------------------------------------------------------------------------


def small_spade(widths=ALL, *, training=True) -> InceptionSPADE:
    return randomized(make_spade(2, widths), training=training)


@both_modes
@pytest.mark.parametrize("widths", [ALL, (0, 2, 0, 0, 0, 0), (0, 0, 0, 2, 0, 1)])
def test_spade_of_branches_agrees_with_the_paper(widths, training):
    layer, x, segmap = small_spade(widths, training=training), normal(2, 2, 4, 5), labels(2, 4, 5)
    expected = reference_inception.inception_spade(x, segmap, state_of(layer), training=training)
    assert_close(layer(tensor(x), tensor(segmap)), expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"one_plus": False},
        {"swapped": True},
        {"activated_depthwise": False},
        {"activation": reference.gelu},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_spade_of_branches_makes_no_known_mistake(wrong):
    layer, x, segmap = small_spade(training=False), normal(2, 2, 4, 5), labels(2, 4, 5)
    got = layer(tensor(x), tensor(segmap))
    options = {"training": False, **wrong}
    assert_differs(got, reference_inception.inception_spade(x, segmap, state_of(layer), **options))


def test_spade_without_any_branch_is_its_norm_alone_and_has_no_parameters():
    layer, x = small_spade(NONE), normal(2, 2, 4, 5)
    assert layer.parameters() == []
    assert_close(layer(tensor(x), tensor(labels(2, 4, 5))), reference.batch_norm(x))


def test_spade_of_branches_resizes_its_label_map_by_nearest_neighbor():
    layer, x, segmap = small_spade(training=False), normal(1, 2, 4, 6), labels(1, 16, 12)
    expected = reference_inception.inception_spade(x, segmap, state_of(layer), training=False)
    assert_close(layer(tensor(x), tensor(segmap)), expected)


def test_both_norms_of_its_depthwise_branches_have_a_scale_and_what_is_modulated_has_none():
    norms = {name.rpartition(".")[0] for name in parameters_of(small_spade()) if "norm" in name}
    assert norms == {
        *(f"branches.{name}.norm_0" for name in BRANCHES),
        *(f"branches.{name}.norm_1" for name in BRANCHES if name.startswith("depthwise")),
    }


def test_spade_of_branches_goes_on_with_another_activation():
    layer = InceptionSPADE(
        2,
        CLASSES,
        widths=ALL,
        make_param_free_norm=ParamFreeInstanceNorm,
        make_norm=BatchNorm,
        activation=nn.GELU(),
    )
    randomized(layer)
    x, segmap = normal(2, 2, 4, 5), labels(2, 4, 5)
    expected = reference_inception.inception_spade(
        x, segmap, state_of(layer), training=True, activation=reference.gelu
    )
    assert_close(layer(tensor(x), tensor(segmap)), expected)


# --- the block -----------------------------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("simam", [True, False], ids=["simam", "plain"])
@pytest.mark.parametrize("fin, fout", [(3, 3), (4, 2), (2, 4)])
def test_block_of_branches_agrees_with_the_paper(fin, fout, simam, training):
    block = small_block(fin, fout, simam=simam, training=training)
    x, segmap = normal(2, fin, 4, 5), labels(2, 4, 5)
    expected = by_the_paper(block, x, segmap)
    assert_close(block(tensor(x), tensor(segmap)), expected)


@both_modes
def test_block_of_branches_with_clade_and_its_edges_agrees_with_the_paper(training):
    block = small_block(4, 2, make_modulated_norm=make_clade, training=training)
    x, segmap = normal(2, 4, 4, 4), labels(2, 8, 8, edges=True)
    assert block.branches.plain_3.conv_0.weight.shape == [2, 5, 3, 3]
    expected = by_the_paper(block, x, segmap)
    assert_close(block(tensor(x), tensor(segmap)), expected)


def test_block_of_branches_with_instance_norm_agrees_with_the_paper():
    block = small_block(3, 2, make_param_free_norm=ParamFreeInstanceNorm)
    x, segmap = normal(2, 3, 4, 5), labels(2, 4, 5)
    expected = by_the_paper(block, x, segmap)
    assert_close(block(tensor(x), tensor(segmap)), expected)


@pytest.mark.parametrize("wrong", ["activated_shortcut", "activated_depthwise"])
def test_block_of_branches_makes_no_known_mistake(wrong):
    block = small_block(4, 2, simam=False, training=False)
    x, segmap = normal(2, 4, 4, 4), labels(2, 4, 4)
    expected = by_the_paper(block, x, segmap, **{wrong: wrong == "activated_shortcut"})
    assert_differs(block(tensor(x), tensor(segmap)), expected)


@both_modes
@pytest.mark.parametrize("fin, fout", [(3, 3), (4, 2)])
def test_block_without_any_branch_is_its_shortcut(fin, fout, training):
    block, x = (
        small_block(fin, fout, branches=NONE, simam=False, training=training),
        normal(2, fin, 4, 5),
    )
    shortcut = {"norm_s.weight", "norm_s.bias", "conv_s.weight"} if fin != fout else set()
    assert set(parameters_of(block)) == shortcut
    expected = by_the_paper(block, x, labels(2, 4, 5))
    if fin == fout:
        assert_close(expected, x)
    assert_close(block(tensor(x), tensor(labels(2, 4, 5))), expected)


@pytest.mark.parametrize("branches", [ALL, NONE])
def test_attention_weighs_the_sum(branches):
    block, x, segmap = small_block(3, 3, branches=branches), normal(1, 3, 4, 4), labels(1, 4, 4)
    out = block(tensor(x), tensor(segmap)).numpy()
    block.simam = False
    plain = block(tensor(x), tensor(segmap)).numpy()
    assert_close(out, reference.simam(plain))
    assert_differs(out, plain)


@pytest.mark.parametrize("fin, fout", [(3, 3), (4, 2)])
def test_noise_goes_into_shortcut_and_branches_with_a_strength_for_each_channel(fin, fout):
    block = small_block(fin, fout, noise=True)
    x, segmap, noise = normal(2, fin, 4, 5), labels(2, 4, 5), normal(2, 1, 4, 5, seed=7)
    assert block.noise_strength.shape == [fin, 1, 1]
    expected = by_the_paper(block, x, segmap, noise=noise)
    assert_close(block(tensor(x), tensor(segmap), tensor(noise)), expected)
    assert_differs(expected, by_the_paper(block, x, segmap))
    fresh = InceptionBlock(
        fin,
        fout,
        branches=ALL,
        hidden=ALL,
        make_modulated_norm=make_spade,
        make_norm=BatchNorm,
        make_param_free_norm=ParamFreeBatchNorm,
        noise=True,
    )
    assert_close(fresh.noise_strength, np.full((fin, 1, 1), 0.2))
    assert fresh.simam and isinstance(fresh.activation, nn.GELU)  # as SPADEResnetBlock


def test_in_the_main_path_only_first_norms_and_the_shortcuts_have_a_scale():
    parameters = parameters_of(small_block(4, 2, make_modulated_norm=make_clade))
    norms = {name.rpartition(".")[0] for name in parameters if "norm_" in name}
    assert norms == {"norm_s", *(f"branches.{name}.norm_0" for name in BRANCHES)}
    assert parameters["conv_s.weight"].shape == (2, 4, 1, 1)
    assert "conv_s.bias" not in parameters


@both_modes
def test_gradients_reach_every_parameter_but_biases_before_a_batch_norm(training):
    block = small_block(4, 2, branches=(3,) * 6, hidden=(3,) * 6, noise=True, training=training)
    x = tensor(normal(2, 4, 5, 5), differentiable=True)
    noise = tensor(normal(2, 1, 5, 5, seed=7))
    weighted_sum(block(x, tensor(labels(2, 5, 5)), noise)).backward()
    assert np.abs(x.grad.numpy()).max() > 0
    for name, parameter in block.named_parameters():
        largest = np.abs(parameter.grad.numpy()).max()
        if training and name.endswith(("conv_0.bias", "depthwise.bias")):
            assert largest < 1e-9, name
        else:
            assert largest > 1e-6, name


@both_modes
def test_gradient_of_a_block_of_branches_is_its_slope(training):
    block = small_block(3, 2, hidden=(3,) * 6, noise=True, training=training)
    segmap, noise = tensor(labels(2, 3, 3)), tensor(normal(2, 1, 3, 3, seed=7))
    x = tensor(normal(2, 3, 3, 3), differentiable=True)
    inner, modulating = block.branches, block.norm.branches
    moved = [
        *(inner.plain_3.conv_0.weight, inner.plain_1.norm_0.weight, inner.plain_5.conv_1.bias),
        *(inner.depthwise_5.depthwise.weight, inner.depthwise_1.norm_0.bias),
        *(modulating.depthwise_3.norm_1.weight, modulating.plain_3.conv_1.weight),
        *(block.norm_s.weight, block.norm_s.bias, block.conv_s.weight, block.noise_strength),
    ]
    assert_gradients(lambda: weighted_sum(block(x, segmap, noise)), [x, *moved], places=2)


def test_a_block_of_branches_loaded_from_its_state_paints_the_same():
    blocks = [small_block(4, 2) for _ in range(2)]
    x, segmap = tensor(normal(2, 4, 4, 4)), tensor(labels(2, 4, 4))
    blocks[0](x, segmap)  # moves the running averages
    assert_differs(state_of(blocks[0])["norm_s._mean"], state_of(blocks[1])["norm_s._mean"])
    blocks[1].set_state_dict(blocks[0].state_dict())
    for block in blocks:
        block.eval()
    assert_close(blocks[1](x, segmap), blocks[0](x, segmap).numpy())
