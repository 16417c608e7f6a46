from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.config import Config, load_config, read_config
from spade_paddle.errors import ConfigError
from spade_paddle.features.efficientnet import EfficientNetLite0, EfficientNetLite1
from spade_paddle.features.factory import PROJECTED_LAYERS
from spade_paddle.features.squeezenet import SqueezeNet
from spade_paddle.features.vgg19 import VGG19
from spade_paddle.layers import CLADE, SPADE, ParamFreeBatchNorm, ParamFreeInstanceNorm
from spade_paddle.networks.build import build_discriminator, build_generator
from spade_paddle.networks.generator import SPADEGenerator
from tests.features.efficientnet import efficientnet_file, lite1_file
from tests.features.weights import squeezenet_file

ROOT = Path(__file__).parents[2]
TINY = {
    "data": {"crop_size": 32, "load_size": 32},
    "generator": {"ngf": 1, "max_width": 4, "nhidden": 2},
    "discriminator": {"scales": 2, "num_layers": 3, "ndf": 2, "max_width": 4},
}


def tiny(**sections: dict) -> Config:
    """The tiny configuration with some fields of its sections replaced."""
    names = {*TINY, *sections}
    return read_config({name: {**TINY.get(name, {}), **sections.get(name, {})} for name in names})


def count(network: nn.Layer) -> int:
    return sum(parameter.size for parameter in network.parameters())


def generator_size_by_formula(
    *, ngf: int, semantic_nc: int, nhidden: int, kernel: int = 3, max_width: int = 10**9
) -> int:
    """Weights and biases of the article's generator, counted block by block."""

    def conv(before: int, after: int, size: int, bias: bool = True) -> int:
        return before * after * size**2 + (after if bias else 0)

    def spade(channels: int) -> int:
        return conv(semantic_nc, nhidden, kernel) + 2 * conv(nhidden, channels, kernel)

    def block(fin: int, fout: int) -> int:
        middle = min(fin, fout)
        size = spade(fin) + conv(fin, middle, 3) + spade(middle) + conv(middle, fout, 3)
        return size + (spade(fin) + conv(fin, fout, 1, bias=False) if fin != fout else 0)

    widths = [min(factor * ngf, max_width) for factor in (16, 16, 16, 16, 8, 4, 2, 1)]
    blocks = sum(block(fin, fout) for fin, fout in zip(widths, widths[1:]))
    return conv(semantic_nc, widths[0], 3) + blocks + conv(widths[-1], 3, 3)


def test_the_articles_generator_has_nineteen_million_parameters():
    # ngf 24, 12 labels + don't care + edges, SPADE 3x3 with 128 hidden channels
    size = count(build_generator(Config(), num_labels=12))
    assert size == 19_191_339
    assert size == generator_size_by_formula(ngf=24, semantic_nc=14, nhidden=128)


def test_the_articles_discriminator_has_four_scales_and_sixty_one_million_parameters():
    # one scale, 14 + 3 channels in: sum of 16 * in * out + out over 17-128-256-512-512-512-512-1
    # plus scale and shift for 256, 512, 512, 512, 512
    widths = [17, 128, 256, 512, 512, 512, 512, 1]
    one = sum(16 * before * after + after for before, after in zip(widths, widths[1:]))
    one += 2 * sum(widths[2:-1])
    network = build_discriminator(Config(), num_labels=12)
    assert network.num_D == 4
    assert count(network) == 4 * one == 61_017_604


@pytest.mark.parametrize("max_width", [100, 24, 5])
def test_max_width_narrows_the_coarse_blocks(max_width):
    config = tiny(generator={"ngf": 8, "max_width": max_width, "nhidden": 4})
    size = count(build_generator(config, num_labels=3))
    assert size == generator_size_by_formula(ngf=8, semantic_nc=5, nhidden=4, max_width=max_width)


def test_clade_needs_fewer_parameters_than_spade():
    spade = tiny(data={"instance_edges": False}, generator={"norm": "spade"})
    clade = tiny(data={"instance_edges": False}, generator={"norm": "clade"})
    sizes = [count(build_generator(config, num_labels=3)) for config in (clade, spade)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("norm, kind, edges", [("spade", SPADE, True), ("clade", CLADE, False)])
def test_norm_chooses_the_modulation_of_every_block(norm, kind, edges):
    config = tiny(generator={"norm": norm}, data={"instance_edges": edges})
    network = build_generator(config, num_labels=3)
    modulations = [layer for layer in network.sublayers() if isinstance(layer, (SPADE, CLADE))]
    assert {type(layer) for layer in modulations} == {kind}
    # ngf 1 and max_width 4 give widths 4 4 4 4 4 4 2 1: two blocks have a learned shortcut
    assert len(modulations) == 7 * 2 + 2


@pytest.mark.parametrize(
    "name, kind", [("batch", ParamFreeBatchNorm), ("instance", ParamFreeInstanceNorm)]
)
def test_param_free_norm_chooses_what_is_modulated(name, kind):
    network = build_generator(tiny(generator={"param_free_norm": name}), num_labels=3)
    inner = {
        type(layer.param_free_norm) for layer in network.sublayers() if isinstance(layer, SPADE)
    }
    assert inner == {kind}


@pytest.mark.parametrize(
    "name, outside, inside", [("gelu", nn.GELU, nn.GELU), ("leaky_relu", nn.LeakyReLU, nn.ReLU)]
)
def test_activation_of_the_article_and_of_the_public_spade(name, outside, inside):
    config = tiny(generator={"activation": name}, discriminator={"activation": name})
    network = build_generator(config, num_labels=3)
    assert type(network.activation) is type(network.up_0.activation) is outside
    assert type(network.up_0.norm_0.mlp_shared[1]) is inside
    kinds = {type(layer) for layer in build_discriminator(config, num_labels=3).sublayers()}
    assert outside in kinds


@pytest.mark.parametrize("configured", [True, False])
def test_spectral_norm_follows_the_configuration_unless_overridden(configured):
    config = tiny(generator={"spectral_norm": configured})

    def wrapped(**override: bool) -> bool:
        network = build_generator(config, num_labels=3, **override)
        return any(name.endswith("weight_orig") for name in network.state_dict())

    assert wrapped() is configured
    assert wrapped(spectral_norm=False) is False
    assert wrapped(spectral_norm=True) is True


def test_spectral_norm_of_the_discriminator_has_a_switch_of_its_own():
    for on in (True, False):
        config = tiny(discriminator={"spectral_norm": on})
        names = build_discriminator(config, num_labels=3).state_dict()
        assert any(name.endswith("weight_orig") for name in names) is on


@pytest.mark.parametrize("on", [True, False])
def test_simam_has_a_switch_in_both_networks(on):
    config = tiny(generator={"simam": on}, discriminator={"simam": on})
    assert build_generator(config, num_labels=3).up_0.simam is on
    assert build_discriminator(config, num_labels=3).nld_1[-1].simam is on


@pytest.mark.parametrize("dont_care, edges, channels", [(1, 1, 5), (1, 0, 4), (0, 1, 4), (0, 0, 3)])
def test_networks_take_labels_dont_care_and_edges(dont_care, edges, channels):
    config = tiny(data={"dont_care": bool(dont_care), "instance_edges": bool(edges)})
    generator = build_generator(config, num_labels=3)
    discriminator = build_discriminator(config, num_labels=3)
    assert generator.fc.weight.shape[1] == channels
    assert generator.up_3.norm_0.mlp_shared[0].weight.shape[1] == channels
    assert discriminator.nld_0[-1].layer_0[0].weight.shape[1] == channels + 3


def test_kernel_size_hidden_width_and_upsampling_reach_the_layers():
    config = tiny(
        data={"crop_size": 128, "load_size": 128},
        generator={"kernel_size": 5, "nhidden": 7, "upsampling": "most", "ngf": 2},
    )
    network = build_generator(config, num_labels=3)
    assert network.up_4.norm_0.mlp_gamma.weight.shape == [2, 7, 5, 5]
    assert network.multiple == 128


def test_built_networks_fit_each_other():
    config = tiny()
    segmap = paddle.to_tensor(np.random.default_rng(0).random((2, 5, 32, 64)), dtype="float32")
    picture = build_generator(config, num_labels=3)(segmap)
    assert picture.shape == [2, 3, 32, 64]
    prediction = build_discriminator(config, num_labels=3)(paddle.concat([segmap, picture], 1))
    assert set(prediction) == {"patch"}
    assert [len(stages) for stages in prediction["patch"]] == [4, 4]


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory):
    return str(squeezenet_file(tmp_path_factory.mktemp("weights")))


@pytest.mark.parametrize("kind", ["patch", "projected", "both"])
def test_each_kind_of_discriminator_has_its_scales_and_heads(kind, squeezenet):
    config = read_config(
        {
            "discriminator": {"kind": kind, "projected_weights": squeezenet, "ndf": 2, "scales": 2},
            "losses": {"feature_matching": 10.0 if kind != "projected" else 0.0},
        }
    )
    network = build_discriminator(config, num_labels=3)
    predictions = network(paddle.rand([2, 5 + 3, 64, 64]))
    expected = {"patch": [7, 7], "projected": [1, 1, 1]}
    kinds = [kind] if kind != "both" else ["patch", "projected"]
    stages = {kind: [len(each) for each in scales] for kind, scales in predictions.items()}
    assert stages == {kind: expected[kind] for kind in kinds}
    tops = {name.split(".")[0] for name in network.state_dict()}
    assert tops == {
        *(("nld_0", "nld_1") if kind != "projected" else ()),
        *(("projected",) if kind != "patch" else ()),
    }
    assert len(list(network.feature_networks())) == (kind != "patch")
    if kind != "patch":
        assert network.projected.projection.layers == ("fire3", "fire5", "fire9")
        assert network.projected.projection.widths == (64, 96, 128)
        # fire3 of 64 pixels is 15 wide and is halved, fire5 7, fire9 3
        assert [s[0].shape for s in predictions["projected"]] == [
            [2, 1, side, side] for side in (7, 7, 3)
        ]


def test_heads_look_at_any_feature_network(tmp_path):
    options = {
        "kind": "both",
        "projected_network": "efficientnet_lite0",
        "projected_weights": str(efficientnet_file(tmp_path)),
        "ndf": 2,
    }
    network = build_discriminator(read_config({"discriminator": options}), num_labels=3)
    prediction = network(paddle.rand([1, 5 + 3, 64, 64]))["projected"]
    assert [stages[0].shape for stages in prediction] == [[1, 1, side, side] for side in (8, 8, 4)]


def test_a_second_network_gets_heads_of_its_own(tmp_path, squeezenet):
    options = {
        "kind": "both",
        "projected_weights": squeezenet,
        "projected_2_network": "efficientnet_lite1",
        "projected_2_weights": str(lite1_file(tmp_path)),
        "ndf": 2,
    }
    network = build_discriminator(read_config({"discriminator": options}), num_labels=3)
    predictions = network(paddle.rand([1, 5 + 3, 64, 64]))
    assert {kind: len(heads) for kind, heads in predictions.items()} == {
        **{"patch": 4, "projected": 3, "projected_2": 4}
    }
    assert [type(each) for each in network.feature_networks()] == [SqueezeNet, EfficientNetLite1]
    alone = {**options, "projected_2_network": None}
    names = build_discriminator(read_config({"discriminator": alone}), num_labels=3).state_dict()
    more = network.state_dict().keys() - names.keys()
    assert names.keys() < network.state_dict().keys()
    assert {name.split(".")[0] for name in more} == {"projected_2"}


def test_every_choice_of_a_feature_network_is_known():
    for name, layers in PROJECTED_LAYERS.items():
        read_config({"discriminator": {"projected_network": name}})
        kinds = {
            **{"squeezenet": SqueezeNet, "vgg19": VGG19},
            **{"efficientnet_lite0": EfficientNetLite0, "efficientnet_lite1": EfficientNetLite1},
        }
        assert [x for x in kinds[name].channels if x in layers] == list(layers)
    with pytest.raises(ConfigError, match=", ".join(PROJECTED_LAYERS)):
        read_config({"discriminator": {"projected_network": "resnet"}})


def test_projected_heads_change_no_bit_of_the_patch_scales_beside_them(squeezenet):
    states = []
    for kind in ("patch", "both"):
        paddle.seed(3)
        np.random.seed(3)
        options = {"kind": kind, "projected_weights": squeezenet, "ndf": 2}
        config = read_config({"discriminator": options})
        states.append(build_discriminator(config, num_labels=3).state_dict())
    for name, value in states[0].items():
        assert np.array_equal(value.numpy(), states[1][name].numpy()), name


def test_the_same_seed_builds_the_same_networks():
    states = []
    for _ in range(2):
        paddle.seed(3)
        states.append(build_generator(tiny(), num_labels=3).state_dict())
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert (value == states[1][name]).all(), name


def test_the_generator_of_the_cpu_configuration_is_small():
    config = load_config(ROOT / "configs" / "landscape_cpu.yaml")
    network = build_generator(config, num_labels=13)
    assert isinstance(network, SPADEGenerator)
    assert count(network) < 4_000_000
    widths = {
        name: parameter.shape[0]
        for name, parameter in network.named_parameters()
        if not name.startswith("fc.")  # makes all coarse features of the style at once
    }
    assert max(widths.values()) == 176
