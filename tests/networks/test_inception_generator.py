"""Generators of blocks of six branches, with the norm of their coarse features."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.config import Config
from spade_paddle.layers import CLADE, InceptionBlock, InceptionSPADE
from spade_paddle.layers.norm import BatchNorm
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.generator import SPADEGenerator
from tests import reference, reference_inception
from tests.layers.inception_parts import by_the_paper, randomized, state_of
from tests.networks.generators import SIZES, labels
from tests.numeric import assert_differs, assert_same, normal, tensor, weighted_sum

pytestmark = pytest.mark.usefixtures("float64")


def small_inception(
    norm: str, *overrides: str, style=False, edges=False, noise=False, training=True
) -> SPADEGenerator:
    """Of three labels, at 64 pixels."""
    config = Config.preset(
        "landscape_cpu",
        *("data.crop_size=64", "data.load_size=64", "data.drop_label_probability=0"),
        *("data.dont_care=false", f"data.instance_edges={str(edges).lower()}"),
        *(f"generator.norm={norm}", "generator.block=inception", "generator.spectral_norm=false"),
        *("generator.ngf=6", "generator.max_width=12", "generator.nhidden=6"),
        *("generator.activation=gelu", f"generator.noise={str(noise).lower()}"),
        *("generator.smooth_doublings=0", f"encoder.style_dim={4 if style else 0}"),
        *overrides,
    )
    return randomized(build_generator(config, num_labels=3), training=training)


def random_segmap(n: int, side: int, *, edges: bool) -> np.ndarray:
    """The labels, and random edges behind."""
    extra = np.random.default_rng(2).integers(0, 2, (n, 1, side, side)).astype(float)
    return np.concatenate([labels(n, side, side), *([extra] if edges else [])], axis=1)


def coarse_features(network: SPADEGenerator, segmap: np.ndarray, style, *, normalized=True):
    """Of a map, or of a style at the size in training.

    ``normalized=False``: wrong; without fc_norm.
    """
    weight, bias = network.fc.weight.numpy(), network.fc.bias.numpy()
    if style is not None:
        x = (style @ weight + bias).reshape(len(style), network.latent_channels, 2, 2)
    else:
        x = reference.resize_nearest(segmap, segmap.shape[2] // 32, segmap.shape[3] // 32)
        x = reference.conv2d(x, weight, bias, padding=1)
    state = reference_inception.part(state_of(network), "fc_norm")
    return reference_inception.norm(x, state, training=network.training) if normalized else x


@pytest.mark.parametrize("extras", [False, True], ids=["plain", "edges and noise"])
@pytest.mark.parametrize("style", [False, True], ids=["map", "style"])
@pytest.mark.parametrize("norm", ["clade", "spade"])
def test_an_inception_generator_paints_from_normalized_coarse_features_and_all_of_it_learns(
    norm, style, extras
):
    network = small_inception(norm, style=style, edges=extras, noise=extras)
    segmap, z = random_segmap(2, 64, edges=extras), normal(2, 4) if style else None
    noise = tensor(normal(2, 7, 64, 64)) if extras else None
    expected = coarse_features(network, segmap, z)
    wrong = coarse_features(network, segmap, z, normalized=False)
    seen = []
    network.head_0.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    picture = network(tensor(segmap), noise, style=tensor(z) if style else None)
    assert picture.shape == [2, 3, 64, 64]
    assert (picture.abs() <= 1).all()
    assert_same(seen[0], expected, rtol=1e-6)
    assert_differs(seen[0], wrong)
    weighted_sum(picture).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("norm, kind", [("clade", CLADE), ("spade", InceptionSPADE)])
def test_every_block_has_six_branches_and_the_norm_of_the_configuration(norm, kind):
    network = small_inception(norm)
    assert type(network.fc_norm) is BatchNorm
    for name in SIZES["normal"]:
        block = getattr(network, name)
        assert type(block) is InceptionBlock
        assert type(block.norm) is kind
        assert len(block.branches.present) == 6
    assert network.up_0.branches.plain_1.conv_0.weight.shape[:2] == [2, 12]  # 12 / 6
    assert not any("weight_orig" in name for name in network.state_dict())


def test_a_generator_of_plain_blocks_has_no_norm_of_its_coarse_features():
    config = Config.preset("landscape_cpu", "generator.ngf=1", "generator.max_width=4")
    network = build_generator(config, num_labels=3)
    assert network.fc_norm is None
    assert not any("fc_norm" in name for name in network.state_dict())


@pytest.mark.parametrize("norm, extras", [("clade", True), ("clade", False), ("spade", True)])
def test_the_picture_of_an_inception_generator_is_what_its_blocks_make_step_by_step(norm, extras):
    narrow = ("generator.ngf=1", "generator.max_width=3")
    network = small_inception(norm, *narrow, edges=extras, noise=extras, training=False)
    segmap, noise = random_segmap(1, 32, edges=extras), normal(1, 7, 32, 32)
    x, size = coarse_features(network, segmap, None), 1
    for index, (name, after) in enumerate(SIZES["normal"].items()):
        x = x.repeat(after // size, axis=2).repeat(after // size, axis=3)
        size, stride = after, 32 // after
        own = noise[:, [index], ::stride, ::stride] if extras else None
        x = by_the_paper(getattr(network, name), x, segmap, noise=own)
    image = state_of(network.conv_img)
    expected = np.tanh(reference_inception.convolve(reference.gelu(x), image))
    picture = network(tensor(segmap), tensor(noise) if extras else None)
    assert_same(picture, expected, rtol=1e-6)
    assert np.abs(expected).std() > 0.01
