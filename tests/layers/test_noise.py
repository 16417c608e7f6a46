"""Noise in the residual block and the generator (not in the article)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from paddle import nn

from spade_paddle.data.noise import noise_maps
from spade_paddle.errors import ConfigError
from spade_paddle.layers import CLADE, ParamFreeInstanceNorm, SPADEResnetBlock
from spade_paddle.networks.generator import SPADEGenerator
from spade_paddle.networks.widths import GeneratorWidths
from tests import reference
from tests.numeric import assert_gradients, assert_same, normal, randomize, tensor, weighted_sum

pytestmark = pytest.mark.usefixtures("float64")


def make_clade(channels: int, hidden: int = 0) -> CLADE:
    return CLADE(norm_nc=channels, num_classes=2, make_norm=ParamFreeInstanceNorm)


make_block = partial(
    SPADEResnetBlock,
    make_modulated_norm=make_clade,
    activation=nn.GELU(),
    spectral_norm=False,
    simam=False,
    noise=True,
)


def random_segmap(*shape: int) -> np.ndarray:
    ids = np.random.default_rng(1).integers(0, 2, shape)
    return reference.one_hot(ids, num_labels=2, dont_care=False)


def test_block_with_noise_is_the_block_of_the_noisy_input():
    block = make_block(3, 2)
    randomize(block)
    x, segmap, noise = normal(2, 3, 4, 5), random_segmap(2, 4, 5), normal(2, 1, 4, 5, seed=7)
    strength = block.noise_strength.numpy()  # [3, 1, 1]
    noisy = block(tensor(x), tensor(segmap), tensor(noise))
    assert_same(noisy, block(tensor(x + strength * noise), tensor(segmap)).numpy())


def test_gradient_of_the_strength_is_its_slope():
    block = make_block(2, 2)
    randomize(block)
    x, segmap = tensor(normal(1, 2, 3, 4)), tensor(random_segmap(1, 3, 4))
    noise = tensor(normal(1, 1, 3, 4, seed=7))
    assert_gradients(lambda: weighted_sum(block(x, segmap, noise)), [block.noise_strength])


def test_every_block_of_the_generator_gets_a_map_of_its_own_and_none_is_unused():
    generator = SPADEGenerator(
        semantic_nc=2,
        widths=GeneratorWidths.of(1, max_width=3),
        make_block=make_block,
        activation=nn.GELU(),
        noise=True,
    )
    randomize(generator)
    assert generator.noise_channels == 7
    segmap = tensor(random_segmap(1, 64, 64))
    noise = noise_maps(0, channels=7, height=64, width=64)[None].astype(np.float64)
    picture = generator(segmap, tensor(noise)).numpy()
    strides = generator.noise_strides
    assert strides == [32, 16, 16, 8, 4, 2, 1]
    own = [tensor(noise[:, k : k + 1, ::stride, ::stride]) for k, stride in enumerate(strides)]
    assert_same(generator(segmap, own).numpy(), picture)
    for channel in range(7):
        other = noise.copy()
        other[:, channel] = noise_maps(1, channels=1, height=64, width=64)
        assert np.abs(generator(segmap, tensor(other)).numpy() - picture).max() > 1e-6, channel


@pytest.mark.parametrize("extra_blocks", [0, 1])
def test_scaled_noise_is_as_if_the_maps_were_scaled(extra_blocks):
    generator = SPADEGenerator(
        semantic_nc=2,
        widths=GeneratorWidths.of(1, max_width=3, extra_blocks=extra_blocks),
        make_block=make_block,
        activation=nn.GELU(),
        noise=True,
        extra_blocks=extra_blocks,
    )
    randomize(generator)
    segmap = tensor(random_segmap(1, 64, 64))
    noise = noise_maps(0, channels=7, height=64, width=64)[None].astype(np.float64)
    factors = np.array([3, 2, 0.5, 1, 1, 1, 1])[None, :, None, None]
    expected = generator(segmap, tensor(noise * factors)).numpy()
    assert np.abs(expected - generator(segmap, tensor(noise)).numpy()).max() > 1e-6
    generator.scale_noise([3, 2, 0.5])
    assert_same(generator(segmap, tensor(noise)).numpy(), expected)
    for wrong in ([1] * 8, [-1], [float("nan")], [1, float("inf")]):
        with pytest.raises(ConfigError, match="at most 7 numbers of at least 0"):
            generator.scale_noise(wrong)


def test_noise_is_standard_normal_and_made_from_the_seed_alone():
    one, same = (noise_maps([3, 1], channels=2, height=50, width=60) for _ in range(2))
    other = noise_maps([3, 2], channels=2, height=50, width=60)
    assert one.shape == (2, 50, 60)
    assert one.dtype == np.float32
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert abs(one.mean()) < 0.05
    assert abs(one.std() - 1) < 0.05
