from __future__ import annotations

import numpy as np
import pytest
from paddle import nn

from spade_paddle.networks.discriminator import MultiscaleDiscriminator, NLayersDiscriminator
from tests import reference
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    randomize,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")


def small_discriminator(
    *, num_layers=4, simam=True, spectral_norm=False, affine_norm=True, ndf=2, max_width=4
) -> NLayersDiscriminator:
    network = NLayersDiscriminator(
        input_nc=3,
        ndf=ndf,
        num_layers=num_layers,
        activation=nn.GELU(),
        max_width=max_width,
        spectral_norm=spectral_norm,
        simam=simam,
        affine_norm=affine_norm,
    )
    randomize(network)
    return network


def stages_of(network: NLayersDiscriminator) -> list[dict[str, np.ndarray]]:
    stages = []
    for index in range(network.num_layers + 1):
        layers = list(getattr(network, f"layer_{index}").children())
        stage = {"weight": layers[0].weight.numpy()}
        if layers[0].bias is not None:
            stage["bias"] = layers[0].bias.numpy()
        norm = layers[1] if len(layers) > 1 else None
        if isinstance(norm, nn.InstanceNorm2D) and norm.scale is not None:
            stage |= {"scale": norm.scale.numpy(), "shift": norm.bias.numpy()}
        stages.append(stage)
    return stages


def test_constant_logits_of_two_by_hand():
    # all weights 0 and the last bias 2: the logits are 2 everywhere, and SimAM of a constant is
    # that constant times sigmoid(0.5) = 0.6224593312018546
    network = small_discriminator()
    for parameter in network.parameters():
        parameter.set_value(np.zeros(parameter.shape))
    network.layer_4[0].bias.set_value(np.array([2.0]))
    logits = network(tensor(normal(1, 3, 32, 32)))[-1].numpy()
    assert_same(logits, np.full(logits.shape, 1.2449186624037092))


@pytest.mark.parametrize("simam", [True, False])
@pytest.mark.parametrize("affine_norm", [True, False])
@pytest.mark.parametrize("num_layers", [2, 4])
def test_every_stage_agrees_with_the_formula(num_layers, affine_norm, simam):
    network = small_discriminator(num_layers=num_layers, affine_norm=affine_norm, simam=simam)
    x = normal(2, 3, 17, 20)
    expected = reference.discriminator_stages(
        x, stages_of(network), activation=reference.gelu, attention=simam
    )
    outputs = network(tensor(x))
    assert len(outputs) == num_layers + 1
    for output, right in zip(outputs, expected):
        assert_same(output, right)


def test_attention_reaches_the_logits():
    network, x = small_discriminator(), normal(1, 3, 32, 32)
    with_attention = network(tensor(x))
    stages = stages_of(network)
    last = reference.conv2d(
        with_attention[-2].numpy(), stages[-1]["weight"], stages[-1]["bias"], padding=2
    )
    assert_same(with_attention[-1], reference.simam(last))
    assert_differs(with_attention[-1], last)


def test_gradient_of_all_stages_is_their_slope():
    network = small_discriminator(num_layers=3)
    x = tensor(normal(2, 3, 9, 8), differentiable=True)
    moved = [network.layer_0[0].weight, network.layer_1[1].scale, network.layer_3[0].weight]
    assert_gradients(
        lambda: sum(weighted_sum(stage) for stage in network(x)), [x, *moved], places=8
    )


def test_the_articles_stages_are_as_wide_as_the_article_says():
    network = NLayersDiscriminator(input_nc=3, ndf=128, num_layers=6, activation=nn.GELU())
    convolutions = [getattr(network, f"layer_{i}")[0] for i in range(7)]
    assert [c.bias.shape[0] for c in convolutions] == [128, 256, 512, 512, 512, 512, 1]
    # 64 pixels: (64 + 2 * 2 - 4) / 2 + 1 = 33, then 17, 9, 5, 3; the last two with stride 1 grow
    # by one: 4, 5
    sides = [
        stage.shape[2] for stage in small_discriminator(num_layers=6)(tensor(normal(1, 3, 64, 64)))
    ]
    assert sides == [33, 17, 9, 5, 3, 4, 5]


def test_only_the_convolutions_between_first_and_last_are_spectrally_normalized():
    network = small_discriminator(spectral_norm=True)
    wrapped = {name for name, _ in network.named_parameters() if name.endswith("weight_orig")}
    assert wrapped == {"layer_1.0.weight_orig", "layer_2.0.weight_orig", "layer_3.0.weight_orig"}
    without = small_discriminator(spectral_norm=False)
    assert not any("weight_orig" in name for name in without.state_dict())


def test_spectral_norm_makes_the_scale_of_a_weight_irrelevant():
    network, x = small_discriminator(spectral_norm=True, affine_norm=False), normal(1, 3, 16, 16)
    for _ in range(2):
        before = network(tensor(x))
    network.eval()
    before = [stage.numpy() for stage in network(tensor(x))]
    weight = network.layer_1[0].weight_orig
    weight.set_value(7 * weight.numpy())
    for stage, old in zip(network(tensor(x)), before):
        assert_same(stage, old)


def test_norms_learn_scale_and_shift_and_keep_the_bias_before_only_if_asked():
    assert any(".scale" in name for name, _ in small_discriminator().named_parameters())
    plain = small_discriminator(affine_norm=False)
    names = {name for name, _ in plain.named_parameters()}
    assert names == {f"layer_{i}.0.weight" for i in range(5)} | {"layer_0.0.bias", "layer_4.0.bias"}


def test_widths_double_up_to_max_width():
    network = small_discriminator(num_layers=5, ndf=2, max_width=6)
    widths = [stage["bias"].size for stage in stages_of(network)]
    assert widths == [2, 4, 6, 6, 6, 1]


def test_pooling_of_ones_is_ones_by_hand():
    # a corner window holds 4 pixels of the picture and 5 of padding: 4 / 4 = 1, not 4 / 9
    ones = np.ones((1, 1, 4, 4))
    assert_same(nn.AvgPool2D(3, 2, 1)(tensor(ones)), np.ones((1, 1, 2, 2)))
    assert reference.average_pool(ones, count_padding=True)[0, 0, 0, 0] == pytest.approx(4 / 9)


def test_scale_i_sees_the_input_after_i_poolings():
    inner = [small_discriminator(num_layers=2) for _ in range(4)]
    for seed, network in enumerate(inner):
        randomize(network, seed=seed)
    network, x = MultiscaleDiscriminator(inner), normal(2, 3, 19, 24)
    predictions = network(tensor(x))
    assert network.num_D == len(predictions) == 4
    seen = x
    for discriminator, stages in zip(inner, predictions):
        for stage, expected in zip(stages, discriminator(tensor(seen))):
            assert_same(stage, expected.numpy())
        seen = reference.average_pool(seen)


def test_pooling_does_not_count_the_padding():
    inner = [small_discriminator(num_layers=2) for _ in range(2)]
    x = normal(1, 3, 12, 12) + 3
    logits = MultiscaleDiscriminator(inner)(tensor(x))[1][-1]
    wrong = inner[1](tensor(reference.average_pool(x, count_padding=True)))[-1]
    assert_differs(logits, wrong.numpy())


def test_gradient_of_the_scales_is_their_slope():
    network = MultiscaleDiscriminator([small_discriminator(num_layers=2) for _ in range(3)])
    x = tensor(normal(2, 3, 12, 10), differentiable=True)
    assert_gradients(lambda: sum(weighted_sum(stages[-1]) for stages in network(x)), [x], places=20)


def test_scales_have_weights_of_their_own():
    network = MultiscaleDiscriminator([small_discriminator() for _ in range(2)])
    names = {name.split(".")[0] for name, _ in network.named_parameters()}
    assert names == {"nld_0", "nld_1"}
    assert len(network.parameters()) == 2 * len(small_discriminator().parameters())


def test_fake_and_real_in_one_batch_are_judged_as_if_alone():
    network = MultiscaleDiscriminator([small_discriminator(num_layers=2) for _ in range(2)])
    x = normal(4, 3, 16, 16)
    together, alone = network(tensor(x)), network(tensor(x[:2]))
    for stages, right in zip(together, alone):
        for stage, expected in zip(stages, right):
            assert_same(stage[:2], expected.numpy())
