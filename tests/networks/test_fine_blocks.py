"""Doublings after the last block: what a generator of half the size has learned stays as it is."""

from __future__ import annotations

from functools import partial

import numpy as np
import paddle
import pytest

from spade_paddle.config import read_config
from spade_paddle.errors import ConfigError, LabelMapError
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.cost import count_macs, count_parameters
from tests import reference
from tests.networks.generators import (
    CLASSES,
    by_the_article,
    enlarged,
    labels,
    make_spade,
    small_generator,
    twin,
)
from tests.numeric import assert_differs, assert_same, normal, tensor, weighted_sum

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize(
    "upsampling, fine_blocks, multiple, widths",
    [
        ("normal", 1, 64, [8, 4]),
        ("normal", 2, 128, [8, 4, 2]),
        ("more", 1, 128, [8, 4]),
        ("most", 2, 512, [8, 4, 2, 1]),
    ],
)
def test_every_fine_block_doubles_the_picture_and_halves_the_width(
    upsampling, fine_blocks, multiple, widths
):
    generator = small_generator(
        upsampling=upsampling, fine_blocks=fine_blocks, ngf=8, max_width=None
    )
    assert generator.multiple == multiple
    last = ["up_4"] if upsampling == "most" else []
    last += [f"up_fine_{index}" for index in range(fine_blocks)]
    found = [getattr(generator, name).conv_1.weight.shape[0] for name in ["up_3", *last]]
    assert found == widths
    assert generator.conv_img.weight.shape == [3, widths[-1], 3, 3]
    order = [name.split(".")[0] for name in generator.state_dict()]
    assert list(dict.fromkeys(order))[-len(last) - 2 :] == ["up_3", *last, "conv_img"]


@pytest.mark.parametrize("ngf, max_width", [(1, 4), (4, 2), (3, 1)])
def test_no_fine_block_is_empty_or_wider_than_the_one_before(ngf, max_width):
    generator = small_generator(fine_blocks=2, ngf=ngf, max_width=max_width)
    up_3 = min(ngf, max_width)
    widths = [
        generator.up_fine_0.conv_1.weight.shape[0],
        generator.up_fine_1.conv_1.weight.shape[0],
    ]
    assert widths == [max(up_3 // 2, 1), max(up_3 // 4, 1)]
    assert generator(tensor(labels(1, 128, 256))).shape == [1, 3, 128, 256]


@pytest.mark.parametrize("upsampling, fine_blocks, side", [("normal", 2, 128), ("more", 1, 128)])
def test_the_picture_is_what_the_blocks_make_step_by_step(upsampling, fine_blocks, side):
    generator = small_generator(upsampling=upsampling, fine_blocks=fine_blocks, ngf=2)
    segmap = labels(1, side, 2 * side)
    expected = by_the_article(generator, segmap, layer=reference.clade)
    assert_same(generator(tensor(segmap)), expected, rtol=1e-8)


def test_fine_blocks_are_modulated_by_spade_too():
    generator = small_generator(make_norm=make_spade, fine_blocks=1, ngf=2, simam=False)
    segmap = labels(1, 64, 64)
    expected = by_the_article(generator, segmap, layer=reference.spade)
    assert_same(generator(tensor(segmap)), expected, rtol=1e-8)
    wrong = by_the_article(generator, segmap, layer=partial(reference.spade, one_plus=False))
    assert_differs(generator(tensor(segmap)), wrong)


@pytest.mark.parametrize(
    "options, strides",
    [
        ({"fine_blocks": 1}, [64, 32, 32, 16, 8, 4, 2, 1]),
        ({"fine_blocks": 2}, [128, 64, 64, 32, 16, 8, 4, 2, 1]),
        ({"upsampling": "most", "fine_blocks": 1}, [256, 128, 64, 32, 16, 8, 4, 2, 1]),
    ],
)
def test_every_fine_block_has_a_noise_map_of_its_own_size(options, strides):
    generator = small_generator(noise=True, **options)
    assert generator.noise_strides == strides
    assert generator.noise_channels == len(strides)
    side = generator.multiple
    segmap, noise = tensor(labels(1, side, side)), normal(1, len(strides), side, side)
    own = [tensor(noise[:, i : i + 1, ::s, ::s]) for i, s in enumerate(strides)]
    generator.eval()
    assert_same(generator(segmap, own), generator(segmap, tensor(noise)).numpy())
    own[-1] = own[-1] + 1
    assert_differs(generator(segmap, own), generator(segmap, tensor(noise)).numpy())


def fading_generator(fade: float, **options) -> tuple:
    """It, the coarser one that it goes on from, and the one it becomes."""
    generator = small_generator(ngf=2, noise=True, fades_in=True, **options)
    generator.eval()
    generator.fade = fade
    coarser = {**options, "fine_blocks": options["fine_blocks"] - 1}
    before = twin(generator, image="conv_img_before", **coarser)
    return generator, before, twin(generator, image="conv_img", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"fine_blocks": 1},
        {"fine_blocks": 2},
        {"upsampling": "most", "fine_blocks": 1},
        {"fine_blocks": 1, "smooth_doublings": 2},
    ],
)
@pytest.mark.parametrize("fade", [0.0, 0.25, 1.0])
def test_the_last_fine_block_fades_in_over_the_picture_of_half_the_size(options, fade):
    generator, before, after = fading_generator(fade, **options)
    side, channels = generator.multiple, generator.noise_channels
    # every second pixel of the large map and noise is a pixel of the small ones
    large, noise = labels(1, side, side), normal(1, channels, side, side)
    small = tensor(large[:, :, ::2, ::2])
    old = enlarged(before(small, tensor(noise[:, :-1, ::2, ::2])).numpy())
    new = after(tensor(large), tensor(noise)).numpy()
    assert_differs(old, new)
    actual = generator(tensor(large), tensor(noise))
    assert_same(actual, fade * new + (1 - fade) * old)
    if fade in (0, 1):
        assert np.array_equal(actual.numpy(), new if fade else old)


def test_while_the_last_of_two_fades_in_the_others_and_both_ways_learn():
    generator, _, _ = fading_generator(0.25, fine_blocks=2)
    weighted_sum(generator(tensor(labels(1, 128, 128)), tensor(normal(1, 9, 128, 128)))).backward()
    for name in ("up_fine_0", "up_fine_1"):
        assert np.abs(getattr(generator, name).conv_0.weight.grad.numpy()).max() > 0, name
    for name in ("conv_img", "conv_img_before"):
        assert np.abs(getattr(generator, name).weight.grad.numpy()).max() > 0, name


def test_a_size_between_is_refused_with_what_it_comes_from():
    message = "with 'normal' upsampling and 1 fine_blocks width and height must be multiples of 64"
    with pytest.raises(LabelMapError, match=message):
        small_generator(fine_blocks=1)(tensor(np.zeros((1, CLASSES, 64, 96))))


def test_a_configuration_reaches_the_blocks_and_what_depends_on_their_number():
    content = {
        "generator": {"fine_blocks": 1, "ngf": 8, "noise": True, "norm": "clade"},
        "data": {"crop_size": 256, "load_size": 256, "aspect_ratio": 2.0},
        "encoder": {"style_dim": 2},
    }
    config = read_config(content)
    assert config.generator.multiple == 64
    generator = build_generator(config, num_labels=3)
    assert generator.multiple == 64
    assert generator.latent_size == (2, 4)
    assert generator.up_fine_0.norm_0.weight.shape == [4, 8]
    assert generator.noise_channels == 8


@pytest.mark.parametrize(
    "content, message",
    [
        (
            {"generator": {"fine_blocks": 3}},
            "'generator.fine_blocks' must be from 0 to 2 .four times the size., got 3",
        ),
        (
            {"generator": {"fine_blocks": -1}},
            "'generator.fine_blocks' must be from 0 to 2 .four times the size., got -1",
        ),
        (
            {"generator": {"fine_blocks": 1}, "data": {"crop_size": 96, "load_size": 96}},
            r"'data.crop_size' must be a multiple of 64 \(upsampling normal and fine_blocks 1\)",
        ),
        (
            {
                "generator": {"fine_blocks": 2},
                "data": {"load_mode": "scale_width", "load_size": 64},
            },
            "at least 128, the smallest side with upsampling normal and fine_blocks 2",
        ),
    ],
)
def test_configurations_that_do_not_fit_are_refused(content, message):
    with pytest.raises(ConfigError, match=message):
        read_config(content)


def test_at_double_the_size_a_fine_block_costs_about_a_third_more():
    costs = {}
    for fine_blocks, side in ((0, 128), (1, 256), (0, 256)):
        config = read_config(
            {
                "generator": {
                    "fine_blocks": fine_blocks,
                    "ngf": 24,
                    "max_width": 176,
                    "norm": "clade",
                }
            }
        )
        generator = build_generator(config, num_labels=3)
        segmap = paddle.zeros([1, 5, side, side])
        costs[fine_blocks, side] = count_macs(generator, segmap), count_parameters(generator)
    (macs, parameters), (fine_macs, fine_parameters) = costs[0, 128], costs[1, 256]
    assert 1.2 < fine_macs / macs < 1.4
    assert costs[0, 256][0] == 4 * macs
    assert 1 < fine_parameters / parameters < 1.01
