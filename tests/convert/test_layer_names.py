from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.convert.layer_names import guess_source, our_names, their_name
from tests.convert.public import CONFIGS, SPADE, network_of, public_state, with_style
from tests.convert.test_round_trip import ICPE

CONV, TABLE, VECTOR = (4, 4, 3, 3), (4, 16), (4,)


def ours(name, *, source, shape=CONV) -> str:
    (renamed,) = our_names({name: np.zeros(shape)}, source=source)
    return renamed


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("fc.weight", "fc.weight"),
        ("head_0.conv_0.weight_orig", "head_0.conv_0.weight_orig"),
        ("up_0.norm_s.param_free_norm.running_mean", "up_0.norm_s.param_free_norm._mean"),
        ("up_0.norm_s.param_free_norm.running_var", "up_0.norm_s.param_free_norm._variance"),
        ("G_middle_1.norm_1.mlp_shared.0.bias", "G_middle_1.norm_1.mlp_shared.0.bias"),
    ],
)
@pytest.mark.parametrize("source", ["spade", "clade"])
def test_names_of_the_public_spade_generator(source, theirs, expected):
    assert ours(theirs, source=source) == expected
    assert their_name(expected, source=source) == theirs


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("discriminator_0.model0.0.weight", "nld_0.0.layer_0.0.weight"),
        ("discriminator_0.model0.0.bias", "nld_0.0.layer_0.0.bias"),
        ("discriminator_1.model2.0.0.weight_orig", "nld_1.1.layer_2.0.weight_orig"),
        ("discriminator_1.model3.0.0.weight_u", "nld_1.1.layer_3.0.weight_u"),
        ("discriminator_1.model4.0.weight", "nld_1.1.layer_4.0.weight"),
    ],
)
@pytest.mark.parametrize("source", ["spade", "clade"])
def test_names_of_the_public_spade_discriminator(source, theirs, expected):
    assert ours(theirs, source=source) == expected
    assert their_name(expected, source=source) == theirs


@pytest.mark.parametrize(
    ("theirs", "shape", "expected"),
    [
        ("up_0.norm_1.class_specified_affine.weight", TABLE, "up_0.norm_1.weight"),
        ("up_0.norm_1.class_specified_affine.bias", TABLE, "up_0.norm_1.bias"),
        ("up_0.norm_1.inst_conv.weight", (1, 1, 1, 1), "up_0.norm_1.edge_conv.weight"),
        (
            "up_0.norm_1.class_specified_affine.dist_conv_w.weight",
            (1, 2, 1, 1),
            "up_0.norm_1.position_weight.weight",
        ),
        (
            "up_0.norm_1.class_specified_affine.dist_conv_b.weight",
            (1, 2, 1, 1),
            "up_0.norm_1.position_bias.weight",
        ),
    ],
)
def test_names_of_the_public_clade_norm(theirs, shape, expected):
    assert ours(theirs, source="clade", shape=shape) == expected
    assert their_name(expected, source="clade") == theirs


def test_clade_layers_are_known_by_their_shapes_whatever_they_are_called():
    arrays = {
        "head_0.norm_0.embedding.weight": np.zeros(TABLE),
        "head_0.norm_0.embedding.bias": np.zeros(TABLE),
        "head_0.norm_0.instances.weight": np.zeros((1, 1, 1, 1)),
        "head_0.norm_0.instances.bias": np.zeros(1),
        "head_0.norm_0.far.away_w.weight": np.zeros((1, 2, 1, 1)),
        "head_0.norm_0.far.away_w.bias": np.zeros(1),
        "head_0.norm_0.far.away_b.weight": np.zeros((1, 2, 1, 1)),
        "head_0.norm_0.far.away_b.bias": np.zeros(1),
    }
    renamed = our_names(arrays, source="clade")
    assert dict(zip(renamed.values(), renamed)) == {
        "head_0.norm_0.embedding.weight": "head_0.norm_0.weight",
        "head_0.norm_0.embedding.bias": "head_0.norm_0.bias",
        "head_0.norm_0.instances.weight": "head_0.norm_0.edge_conv.weight",
        "head_0.norm_0.instances.bias": "head_0.norm_0.edge_conv.bias",
        "head_0.norm_0.far.away_w.weight": "head_0.norm_0.position_weight.weight",
        "head_0.norm_0.far.away_w.bias": "head_0.norm_0.position_weight.bias",
        "head_0.norm_0.far.away_b.weight": "head_0.norm_0.position_bias.weight",
        "head_0.norm_0.far.away_b.bias": "head_0.norm_0.position_bias.bias",
    }


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("up_0.spade_s.mlp_gamma.weight", "up_0.norm_s.mlp_gamma.weight"),
        ("up_0.act_conv_0.1.weight_orig", "up_0.conv_0.weight_orig"),
        ("up_0.act_conv_s.0.weight_v", "up_0.conv_s.weight_v"),
        ("up_0.act_conv_s.1.weight_v", "up_0.conv_s.weight_v"),
        ("nld_3.3.layer_6.0.weight", "nld_3.3.layer_6.0.weight"),
        ("nld_2.2.stage10.1.scale", "nld_2.2.layer_10.1.scale"),
        ("nld_2.2.conv2d_4.0.weight_u", "nld_2.2.layer_4.0.weight_u"),
    ],
)
def test_names_of_photopen(theirs, expected):
    assert ours(theirs, source="photopen") == expected


def test_a_second_tensor_with_the_same_meaning_keeps_its_name():
    arrays = dict.fromkeys(("up_0.act_conv_0.1.bias", "up_0.act_conv_0.0.bias"), np.zeros(4))
    renamed = our_names(arrays, source="photopen")
    assert renamed == {
        "up_0.conv_0.bias": "up_0.act_conv_0.1.bias",
        "up_0.act_conv_0.0.bias": "up_0.act_conv_0.0.bias",
    }


STYLED = with_style(SPADE, style_dim=4, width=64, height=64)


@pytest.mark.parametrize(
    ("source", "part", "config"),
    [
        *((source, part, config) for source, config in CONFIGS.items()
          for part in ("generator", "discriminator")),
        ("clade", "generator", ICPE),
        ("spade", "generator", STYLED),
        ("spade", "encoder", STYLED),
    ],
)  # fmt: skip
def test_every_name_goes_to_the_source_and_back(source, part, config):
    state = {name: value.numpy() for name, value in network_of(config, part).state_dict().items()}
    theirs = {their_name(name, source=source): state[name] for name in state}
    assert list(our_names(theirs, source=source)) == list(state)
    if (source, part) != ("photopen", "discriminator"):  # there the usual name is ours
        public = public_state(state, source)
        assert set(theirs) == {name for name in public if "num_batches" not in name}


@pytest.mark.parametrize("source", list(CONFIGS))
def test_a_generator_is_known_by_its_names(source):
    state = network_of(CONFIGS[source], "generator").state_dict()
    public = public_state({name: value.numpy() for name, value in state.items()}, source)
    assert guess_source(public) == source
    assert guess_source({"classifier.weight": np.zeros((10, 10))}) is None
