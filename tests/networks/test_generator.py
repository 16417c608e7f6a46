from __future__ import annotations

from functools import partial

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ConfigError, LabelMapError
from spade_paddle.layers import CLADE
from spade_paddle.networks import generator as generators
from spade_paddle.networks.generator import SPADEGenerator
from spade_paddle.networks.widths import BlockWidths, GeneratorWidths
from tests import reference
from tests.networks.generators import (
    CLASSES,
    SIZES,
    by_the_article,
    enlarged,
    labels,
    make_spade,
    small_generator,
    twin,
)
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")


def test_a_generator_whose_last_weights_are_zero_paints_tanh_of_its_last_bias():
    # tanh(0) = 0, tanh(1) = 0.7615941559557649, tanh(-0.5) = -0.46211715726000973
    generator = small_generator()
    generator.conv_img.weight.set_value(np.zeros(generator.conv_img.weight.shape))
    generator.conv_img.bias.set_value(np.array([0.0, 1.0, -0.5]))
    expected = np.array([0.0, 0.7615941559557649, -0.46211715726000973]).reshape(1, 3, 1, 1)
    picture = generator(tensor(labels(1, 32, 32)))
    assert_same(picture, np.broadcast_to(expected, (1, 3, 32, 32)))


@pytest.mark.parametrize(
    "upsampling, ngf, shape",
    [("normal", 1, (2, 32, 64)), ("more", 1, (2, 64, 64)), ("most", 2, (2, 128, 128))],
)
def test_generator_with_clade_agrees_with_the_article(upsampling, ngf, shape):
    generator, segmap = small_generator(upsampling=upsampling, ngf=ngf), labels(*shape)
    expected = by_the_article(generator, segmap, layer=reference.clade)
    assert_same(generator(tensor(segmap)), expected, rtol=1e-8)


def test_generator_with_spade_agrees_with_the_article():
    generator = small_generator(make_norm=make_spade, ngf=2, simam=False)
    segmap = labels(2, 32, 32)
    expected = by_the_article(generator, segmap, layer=reference.spade)
    assert_same(generator(tensor(segmap)), expected, rtol=1e-8)
    wrong = by_the_article(generator, segmap, layer=partial(reference.spade, one_plus=False))
    assert_differs(generator(tensor(segmap)), wrong)


def test_gradient_of_generator_is_its_slope():
    generator = small_generator(make_norm=make_spade)
    segmap = tensor(labels(2, 32, 64), differentiable=True)
    moved = [generator.fc.weight, generator.up_3.conv_0.weight, generator.conv_img.bias]
    assert_gradients(
        lambda: weighted_sum(generator(segmap)), [segmap, *moved], places=3, step=1e-6, rtol=1e-4
    )


@pytest.mark.parametrize("upsampling, multiple", [("normal", 32), ("more", 64), ("most", 128)])
@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 3), (2, 1)])
def test_any_multiple_of_two_to_the_n_becomes_a_picture_of_its_size(
    upsampling, multiple, rows, columns
):
    generator = small_generator(upsampling=upsampling, ngf=2)
    assert generator.multiple == multiple
    segmap = tensor(labels(1, rows * multiple, columns * multiple))
    picture = generator(segmap)
    assert picture.shape == [1, 3, rows * multiple, columns * multiple]
    assert (picture.abs() <= 1).all()


def test_permuting_the_labels_together_with_their_weights_changes_no_picture():
    generator, segmap = small_generator(ngf=2), labels(1, 32, 64)
    before = generator(tensor(segmap)).numpy()
    order = [2, 0, 1]
    generator.fc.weight.set_value(generator.fc.weight.numpy()[:, order])
    for layer in generator.sublayers():
        if isinstance(layer, CLADE):
            layer.weight.set_value(layer.weight.numpy()[order])
            layer.bias.set_value(layer.bias.numpy()[order])
    assert_same(generator(tensor(segmap[:, order])), before)
    assert_differs(generator(tensor(segmap)), before)


def test_in_evaluation_a_picture_does_not_depend_on_its_batch():
    generator, segmap = small_generator(), labels(3, 32, 32)
    generator(tensor(segmap))
    generator.eval()
    together = generator(tensor(segmap)).numpy()
    assert_same(generator(tensor(segmap[1:2])), together[1:2])


@pytest.mark.parametrize("upsampling", ["normal", "more", "most"])
def test_widths_are_halved_from_sixteen_times_ngf_down_to_ngf(upsampling):
    generator = small_generator(upsampling=upsampling, ngf=2, max_width=None)
    widths = {name: getattr(generator, name).conv_1.weight.shape[0] for name in SIZES[upsampling]}
    expected = {"head_0": 32, "G_middle_0": 32, "G_middle_1": 32, "up_0": 16, "up_1": 8, "up_2": 4}
    expected["up_3"] = 2
    if upsampling == "most":
        expected["up_4"] = 1
    assert widths == expected
    assert generator.fc.weight.shape == [32, CLASSES, 3, 3]
    assert generator.conv_img.weight.shape == [3, expected[list(expected)[-1]], 3, 3]


def test_every_width_can_be_given_and_the_picture_is_still_that_of_the_article():
    shapes = [(5, 2, (3, 4, 5)), (4, 6, (1, 2, 3)), (4, 1, (2, 2, 2)), (3, 5, (4, 1, 2))]
    shapes += [(7, 2, (1, 1, 1)), (2, 3, (5, 2, 1)), (1, 4, (2, 3, 4))]
    widths = GeneratorWidths(6, tuple(BlockWidths(*shape) for shape in shapes))
    generator, segmap = small_generator(make_norm=make_spade, widths=widths), labels(1, 32, 64)
    into = 6
    for (name, _), (out, middle, hidden) in zip(SIZES["normal"].items(), shapes):
        block = getattr(generator, name)
        assert block.conv_0.weight.shape[:2] == [middle, into]
        assert block.conv_1.weight.shape[:2] == [out, middle]
        norms = [block.norm_0, block.norm_1] + ([block.norm_s] if into != out else [])
        assert [norm.mlp_gamma.weight.shape[1] for norm in norms] == list(hidden[: len(norms)])
        into = out
    expected = by_the_article(generator, segmap, layer=reference.spade)
    assert_same(generator(tensor(segmap)), expected, rtol=1e-8)


def test_as_many_widths_as_blocks_are_needed():
    with pytest.raises(ValueError, match="expected 8 blocks, got 7"):
        small_generator(upsampling="most", widths=GeneratorWidths.of(1))


def test_a_map_of_other_channels_is_refused_in_words():
    with pytest.raises(LabelMapError, match=r"of 5 channels .* takes 3") as e:
        small_generator()(tensor(np.zeros((1, 5, 32, 32))))
    assert e.value.code == "semantic_channels"


@pytest.mark.parametrize("upsampling", ["normal", "more", "most"])
@pytest.mark.parametrize("ngf, max_width", [(4, 10), (8, 3), (1, 5)])
def test_no_block_is_wider_than_max_width_and_none_is_empty(upsampling, ngf, max_width):
    generator = small_generator(upsampling=upsampling, ngf=ngf, max_width=max_width)
    widths = {value.shape[0] for name, value in generator.named_parameters() if "conv_1.w" in name}
    assert max(widths) <= max_width
    assert min(widths) >= 1
    side = generator.multiple
    assert generator(tensor(labels(1, side, side))).shape == [1, 3, side, side]


def test_an_unknown_upsampling_is_refused_by_name():
    with pytest.raises(ConfigError, match="expected one of normal, more, most, got 'some'"):
        small_generator(upsampling="some")


def test_the_generator_leaves_its_label_map_alone():
    segmap = tensor(labels(1, 32, 32))
    before = segmap.numpy().copy()
    small_generator()(segmap)
    assert (segmap.numpy() == before).all()
    assert segmap.dtype == paddle.float64


def style_generator(*, latent_size=(1, 2), latent_channels=None) -> SPADEGenerator:
    return small_generator(
        simam=False, style_dim=5, latent_size=latent_size, latent_channels=latent_channels
    )


@pytest.mark.parametrize("latent_channels", [None, 6])
def test_a_style_makes_the_coarse_features_as_in_the_article(latent_channels):
    # "x = self.fc(z); x = reshape(x, [-1, 16 * nef, sh, sw])"
    generator = style_generator(latent_channels=latent_channels)
    z, segmap = normal(2, 5), labels(2, 32, 64)
    coarse = z @ generator.fc.weight.numpy() + generator.fc.bias.numpy()
    coarse = coarse.reshape(2, latent_channels or 4, 1, 2)
    seen = []
    generator.head_0.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    generator(tensor(segmap), style=tensor(z))
    assert_same(seen[0], coarse)
    assert generator.head_0.learned_shortcut == (latent_channels is not None)


def test_gradient_of_the_generator_by_its_style_is_its_slope():
    generator, segmap = style_generator(), tensor(labels(2, 32, 64))
    z = tensor(normal(2, 5), differentiable=True)
    assert_gradients(
        lambda: weighted_sum(generator(segmap, style=z)),
        [z, generator.fc.weight],
        places=5,
        step=1e-6,
        rtol=1e-4,
    )


@pytest.mark.parametrize("size", [(32, 64), (64, 64), (96, 32)])
def test_a_style_paints_any_size_and_different_styles_paint_differently(size):
    generator, segmap = style_generator(), tensor(labels(1, *size))
    generator.eval()
    one, other = (generator(segmap, style=tensor(normal(1, 5, seed=s))).numpy() for s in (1, 2))
    assert one.shape == (1, 3, *size)
    assert np.abs(one - other).max() > 1e-3


def test_coarse_features_of_another_size_are_resized_bilinearly():
    generator, z = style_generator(latent_size=(2, 3)), normal(1, 5)
    coarse = (z @ generator.fc.weight.numpy() + generator.fc.bias.numpy()).reshape(1, 4, 2, 3)
    seen = []
    generator.head_0.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    generator(tensor(labels(1, 96, 64)), style=tensor(z))
    assert_same(seen[0], reference.resize_bilinear(coarse, 3, 2), rtol=1e-6)


@pytest.mark.parametrize("size", [(40, 64), (64, 33)])
def test_a_size_that_is_no_multiple_is_refused_with_what_to_do(size):
    with pytest.raises(LabelMapError, match="must be multiples of 32; pad or resize"):
        small_generator()(tensor(np.zeros((1, CLASSES, *size))))


def fading_generator(fade: float) -> SPADEGenerator:
    generator = small_generator(upsampling="most", ngf=2, noise=True, fades_in=True)
    generator.eval()
    generator.fade = fade
    return generator


@pytest.mark.parametrize("fade", [0.0, 0.25, 1.0])
def test_a_block_that_fades_in_is_mixed_with_the_coarser_picture_enlarged(fade):
    segmap, noise = labels(2, 64, 128), normal(2, 8, 128, 256)
    large = tensor(enlarged(segmap))
    generator = fading_generator(fade)
    before = twin(generator, image="conv_img_before", upsampling="more")
    after = twin(generator, image="conv_img", upsampling="most")
    old = enlarged(before(tensor(segmap), tensor(noise[:, :7, ::2, ::2])).numpy())
    new = after(large, tensor(noise)).numpy()
    assert_differs(old, new)
    actual = generator(large, tensor(noise))
    assert_same(actual, fade * new + (1 - fade) * old)
    if fade in (0, 1):
        assert np.array_equal(actual.numpy(), new if fade else old)


@pytest.mark.parametrize("fade", [0.25, 1.0])
def test_while_a_block_fades_in_both_ways_learn_and_then_the_old_one_is_not_computed(fade):
    generator = fading_generator(fade)
    computed = []
    generator.conv_img_before.register_forward_pre_hook(lambda *_: computed.append(True))
    segmap, noise = tensor(labels(1, 128, 128)), tensor(normal(1, 8, 128, 128))
    if fade < 1:
        moved = [
            *(generator.conv_img.weight, generator.conv_img_before.weight),
            *(generator.up_4.conv_1.weight, generator.up_3.conv_1.weight),
        ]
        assert_gradients(
            lambda: weighted_sum(generator(segmap, noise)), moved, places=3, step=1e-6, rtol=1e-4
        )
        assert computed
        return
    weighted_sum(generator(segmap, noise)).backward()
    assert not computed
    assert generator.conv_img_before.weight.grad is None
    assert np.abs(generator.conv_img.weight.grad.numpy()).max() > 0


def test_a_generator_does_not_fade_by_itself():
    assert small_generator().fade == 1
    assert small_generator(upsampling="most", ngf=2, fades_in=True).fade == 1
    assert not hasattr(small_generator(upsampling="most", ngf=2), "conv_img_before")


def test_more_without_fine_blocks_has_no_block_to_fade_in():
    with pytest.raises(ConfigError, match="'most' or of fine_blocks can fade in, got 'more'"):
        small_generator(upsampling="more", fades_in=True)


@pytest.mark.parametrize("smooth", [0, 2, 5])
def test_the_coarsest_doublings_are_smooth_and_the_others_are_not(monkeypatch, smooth):
    sides = {"upsample_nearest": [], "upsample_bilinear": []}
    for name in sides:
        plain = getattr(generators, name)

        def watched(x, plain=plain, seen=sides[name]):
            seen.append(x.shape[2])
            return plain(x)

        monkeypatch.setattr(generators, name, watched)
    generator = small_generator(smooth_doublings=smooth)
    generator(tensor(labels(1, 64, 64)))
    assert sides["upsample_bilinear"] + sides["upsample_nearest"] == [2, 4, 8, 16, 32]
    assert len(sides["upsample_bilinear"]) == smooth
