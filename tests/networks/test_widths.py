"""Every channel count as values, the lists that a configuration has of them, and extra blocks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spade_paddle.config import UPSAMPLINGS, Config
from spade_paddle.errors import ConfigError
from spade_paddle.layers import SPADEResnetBlock
from spade_paddle.layers.inception import BRANCHES
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.widths import (
    BlockWidths,
    GeneratorWidths,
    InceptionWidths,
    block_names,
    block_plan,
)
from tests import reference
from tests.networks.generators import by_the_article, labels, make_spade, small_generator
from tests.numeric import assert_differs, assert_same, normal, tensor

NAMES = ["head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3"]


def config_of(*overrides: str) -> Config:
    """A preset that fits every block and upsampling, at 128 pixels."""
    return Config.preset("landscape_cpu", "generator.spectral_norm=false", *overrides)


def with_lists(lists: dict[str, list[int]], *overrides: str) -> Config:
    return config_of(f"generator.widths={json.dumps(lists)}", *overrides)


def shape_of(widths: GeneratorWidths) -> list[tuple[int, int]]:
    return [(block.out, block.middle) for block in widths.blocks]


# --- by the width of the last block --------------------------------------------------------------


def test_widths_of_the_article_are_halved_from_up_0_on():
    widths = GeneratorWidths.of(24)
    assert widths.coarse == 384
    assert shape_of(widths) == [
        *[(384, 384)] * 3,
        *[(192, 192), (96, 96), (48, 48), (24, 24)],
    ]
    assert {block.hidden for block in widths.blocks} == {(128, 128, 128)}


def test_blocks_after_up_3_go_on_halving_and_none_is_empty():
    widths = GeneratorWidths.of(4, upsampling="most", fine_blocks=2, max_width=10)
    assert [block.out for block in widths.blocks] == [10, 10, 10, 10, 10, 8, 4, 2, 1, 1]
    assert [block.middle for block in widths.blocks] == [10, 10, 10, 10, 10, 8, 4, 2, 1, 1]


def test_a_style_may_make_more_or_fewer_coarse_features():
    widths = GeneratorWidths.of(2, latent_channels=7, max_width=20, hidden=5)
    assert widths.coarse == 7
    assert widths.blocks[0] == BlockWidths(20, 7, (5, 5, 5))
    assert GeneratorWidths.of(2, max_width=20).coarse == 20


def test_extra_blocks_are_as_wide_as_the_one_before():
    widths = GeneratorWidths.of(2, extra_blocks=2, fine_blocks=1)
    outs = [width for width in (32, 32, 32, 16, 8, 4, 2, 1) for _ in range(3)]
    assert [block.out for block in widths.blocks] == outs
    assert [block.middle for block in widths.blocks] == outs
    # what comes into the first of three may be wider, what comes into the others is not
    latent = GeneratorWidths.of(2, extra_blocks=1, latent_channels=5)
    assert [block.middle for block in latent.blocks[:3]] == [5, 32, 32]


def test_branches_share_the_channels_by_six_and_have_at_least_one():
    widths = GeneratorWidths.of(6, inception=True, hidden=128, max_width=40, latent_channels=13)
    assert widths.coarse == 13
    assert [block.out for block in widths.blocks] == [40, 40, 40, 40, 24, 12, 6]
    sixths = [2, 6, 6, 6, 4, 2, 1]  # of 13 in, then 40, 40, 40, 24, 12, 6
    assert [block.branches for block in widths.blocks] == [(each,) * 6 for each in sixths]
    assert {block.hidden for block in widths.blocks} == {(21,) * 6}
    narrow = GeneratorWidths.of(1, inception=True, hidden=4, max_width=3)
    assert narrow.blocks[-1] == InceptionWidths(1, (1,) * 6, (1,) * 6)


@pytest.mark.parametrize("fine_blocks", [0, 2])
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_as_many_blocks_double_as_the_multiple_needs(upsampling, fine_blocks):
    plan = block_plan(upsampling, fine_blocks=fine_blocks)
    assert sum(doubles for _, doubles in plan) == UPSAMPLINGS[upsampling] + fine_blocks
    deeper = block_plan(upsampling, fine_blocks=fine_blocks, extra_blocks=2)
    assert [each for each in deeper if "extra" not in each[0]] == plan
    assert not any(doubles for name, doubles in deeper if "extra" in name)
    assert len(deeper) == 3 * len(plan)


def test_names_of_blocks_are_in_the_order_in_which_they_run():
    assert block_names(config_of().generator) == NAMES
    options = ("generator.upsampling=most", "generator.extra_blocks=1")
    names = block_names(config_of(*options).generator)
    assert names[:4] == ["head_0", "head_0_extra_0", "G_middle_0", "G_middle_0_extra_0"]
    assert names[-2:] == ["up_4", "up_4_extra_0"]
    assert block_names(config_of("generator.fine_blocks=2").generator)[-1] == "up_fine_1"


def test_a_configuration_has_latent_channels_only_with_a_style():
    options = config_of("generator.latent_channels=9", "generator.max_width=20").generator
    assert GeneratorWidths.of_options(options, has_style=True).coarse == 9
    assert GeneratorWidths.of_options(options, has_style=False).coarse == 20


# --- as lists ------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["clade", "clade_icpe", "spade"])
@pytest.mark.parametrize("block", ["plain", "inception"])
@pytest.mark.parametrize(
    "shape",
    [
        (),
        ("generator.upsampling=most",),
        ("generator.fine_blocks=2", "generator.latent_channels=11"),
        ("generator.extra_blocks=1", "generator.nhidden=20"),
    ],
)
def test_widths_written_into_a_configuration_are_read_back(norm, block, shape):
    kept = (f"generator.norm={norm}", f"generator.block={block}", *shape)
    options = config_of(*kept).generator
    widths = GeneratorWidths.of_options(options, has_style=True)
    lists = widths.to_lists(options)
    assert list(lists) == ["coarse", *block_names(options)]
    other = ("generator.ngf=3", "generator.max_width=5", "generator.latent_channels=2")
    read = with_lists(lists, *kept, *other).generator  # which do not count any more
    assert read.widths == lists
    assert GeneratorWidths.of_options(read, has_style=True) == widths
    assert GeneratorWidths.of_options(read, has_style=False) == widths
    assert GeneratorWidths.from_lists(read).to_lists(read) == lists


def uneven(count: int) -> dict[str, list[int]]:
    """A row of ``count`` numbers for each block, all of them different."""
    rows = {name: range(10 * k + 1, 10 * k + 1 + count) for k, name in enumerate(NAMES, start=1)}
    return {"coarse": [3], **{name: list(row) for name, row in rows.items()}}


@pytest.mark.parametrize(
    "block, norm, first",
    [
        ("plain", "spade", BlockWidths(11, 12, (13, 14, 15))),
        ("plain", "clade", BlockWidths(11, 12, (128, 128, 128))),
        ("inception", "spade", InceptionWidths(11, tuple(range(12, 18)), tuple(range(18, 24)))),
        ("inception", "clade", InceptionWidths(11, tuple(range(12, 18)), (21,) * 6)),
    ],
)
def test_each_number_of_a_list_has_its_place(block, norm, first):
    count = {"plain": 2, "inception": 7}[block]
    count += {"plain": 3, "inception": 6}[block] * (norm == "spade")
    kept = (f"generator.norm={norm}", f"generator.block={block}")
    lists = uneven(count)
    options = with_lists(lists, *kept).generator
    widths = GeneratorWidths.of_options(options, has_style=True)
    assert (widths.coarse, widths.blocks[0]) == (3, first)
    assert [each.out for each in widths.blocks] == [10 * k + 1 for k in range(1, 8)]
    assert widths.to_lists(options) == lists


def changed(name: str, row: list[int], *, count: int) -> dict[str, list[int]]:
    return {**uneven(count), name: row}


@pytest.mark.parametrize(
    "lists, message",
    [
        ({"coarse": [3]}, "expected the entries coarse, head_0, G_middle_0, .*, up_3, got .'coars"),
        ({**uneven(2), "up_4": [2, 2]}, r"expected the entries .*, up_3, got .*'up_4'\]"),
        (dict(reversed(uneven(2).items())), r"expected the entries .*, got \['up_3', 'up_2', "),
        (changed("up_1", [4], count=2), r"expected 2 numbers, .* for up_1, got .4"),
        (changed("up_1", [4, 5, 6], count=2), r"expected 2 numbers, .* for up_1, got .4, 5, 6"),
        (
            changed("up_1", [0, 5], count=2),
            r"expected . numbers, the first above 0, for up_1, got .0, 5",
        ),
        (changed("coarse", [3, 3], count=2), r"expected 1 numbers, .* for coarse, got .3, 3"),
        (
            changed("coarse", [0], count=2),
            r"expected . numbers, the first above 0, for coarse, got .0",
        ),
        (changed("coarse", [], count=2), r"expected 1 numbers, .* for coarse, got ."),
        (changed("up_1", [], count=2), r"expected 2 numbers, .* for up_1, got ."),
        (changed("up_2", [5, 0], count=2), r"expected numbers above 0 for up_2, got .5, 0"),
    ],
)
def test_lists_that_do_not_fit_are_refused_with_what_was_expected(lists, message):
    options = with_lists(lists).generator
    with pytest.raises(ConfigError, match=f"^generator.widths: {message}") as error:
        GeneratorWidths.of_options(options, has_style=True)
    assert error.value.code == "config_value"
    assert "as tools/compress.py wrote it" in str(error.value)


@pytest.mark.parametrize(
    "overrides, count",
    [
        (("generator.norm=spade",), 5),
        (("generator.block=inception",), 7),
        (("generator.block=inception", "generator.norm=spade"), 13),
    ],
)
def test_another_block_or_norm_needs_lists_of_another_length(overrides, count):
    message = f"expected {count} numbers, the first above 0, for head_0"
    with pytest.raises(ConfigError, match=message):
        build_generator(with_lists(uneven(2), *overrides), num_labels=3)
    with pytest.raises(ConfigError, match=rf"expected {count} numbers, .* got \(0, 1"):
        row = [0] + [1] * (count - 1)
        lists = changed("head_0", row, count=count)
        build_generator(with_lists(lists, *overrides), num_labels=3)


def test_lists_of_other_blocks_do_not_fit_other_doublings():
    for override in ("upsampling=most", "fine_blocks=1", "extra_blocks=1"):
        options = with_lists(uneven(2), f"generator.{override}").generator
        with pytest.raises(ConfigError, match="expected the entries coarse, head_0, "):
            GeneratorWidths.of_options(options, has_style=True)


# --- what is built of them -----------------------------------------------------------------------


def test_a_generator_of_lists_has_exactly_these_channels():
    rows = [[5, 2, 3, 4, 5], [4, 6, 1, 2, 3], [4, 1, 2, 2, 2], [3, 5, 4, 1, 2]]
    rows += [[7, 2, 1, 1, 1], [2, 3, 5, 2, 1], [1, 4, 2, 3, 4]]
    lists = {"coarse": [6], **dict(zip(NAMES, rows))}
    network = build_generator(with_lists(lists, "generator.norm=spade"), num_labels=3)
    assert network.fc.weight.shape == [16, 6 * 4 * 4]  # a style of 16, 4 x 4 coarse pixels
    into = 6
    for name, (out, middle, *hidden) in zip(NAMES, rows):
        block = getattr(network, name)
        assert isinstance(block, SPADEResnetBlock)
        assert block.conv_0.weight.shape == [middle, into, 3, 3]
        assert block.conv_1.weight.shape == [out, middle, 3, 3]
        norms = [block.norm_0, block.norm_1] + ([block.norm_s] if into != out else [])
        assert [norm.mlp_gamma.weight.shape[1] for norm in norms] == hidden[: len(norms)]
        into = out
    assert network.conv_img.weight.shape == [3, 1, 3, 3]


@pytest.mark.parametrize("norm", ["spade", "clade"])
def test_an_inception_generator_of_lists_has_exactly_these_branches(norm):
    inner = [[1, 2, 0, 3, 0, 1], [0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 4]]
    inner += [[1, 1, 1, 1, 1, 1], [0, 3, 0, 0, 0, 0], [0, 0, 2, 0, 1, 0]]
    hidden = [*inner[2:], inner[1], inner[0]]
    outs = [5, 5, 4, 3, 7, 2, 1]
    spade = norm == "spade"
    rows = [[out, *own, *(more if spade else [])] for out, own, more in zip(outs, inner, hidden)]
    lists = {"coarse": [5], **dict(zip(NAMES, rows))}
    config = with_lists(lists, f"generator.norm={norm}", "generator.block=inception")
    network = build_generator(config, num_labels=3)
    into = 5
    for name, out, own, more in zip(NAMES, outs, inner, hidden):
        block = getattr(network, name)
        found = [(block.branches, own)]
        found += [(block.norm.branches, more)] if spade and any(own) else []
        for branches, widths in found:
            present = dict(branches.named_children())
            assert list(present) == [kind for kind, m in zip(BRANCHES, widths) if m]
            for kind, m in zip(BRANCHES, widths):
                assert not m or present[kind].conv_1.weight.shape[1] == m
        assert (block.norm is None) == (not any(own))
        assert block.learned_shortcut == (into != out)
        if into != out:
            assert block.conv_s.weight.shape == [out, into, 1, 1]
        into = out


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "options, side",
    [
        ({"extra_blocks": 1}, 32),
        ({"extra_blocks": 2, "make_norm": make_spade, "simam": False}, 32),
        ({"extra_blocks": 1, "fine_blocks": 1}, 64),
        ({"extra_blocks": 1, "upsampling": "more"}, 64),
    ],
)
def test_extra_blocks_paint_step_by_step_after_each_block(options, side):
    generator, segmap = small_generator(**options), labels(2, side, side)
    layer = reference.spade if "make_norm" in options else reference.clade
    extra = options["extra_blocks"]
    expected = by_the_article(generator, segmap, layer=layer, extra_blocks=extra)
    assert_same(generator(tensor(segmap)), expected, rtol=1e-8)
    assert_differs(expected, by_the_article(generator, segmap, layer=layer))


@pytest.mark.usefixtures("float64")
def test_extra_blocks_take_the_noise_map_of_the_block_before():
    generator = small_generator(noise=True, extra_blocks=1, fine_blocks=1)
    strides = generator.noise_strides
    assert strides == [64, 32, 32, 16, 8, 4, 2, 1]
    generator.eval()
    segmap, noise = tensor(labels(1, 64, 64)), normal(1, len(strides), 64, 64)
    own = [tensor(noise[:, i : i + 1, ::s, ::s]) for i, s in enumerate(strides)]
    picture = generator(segmap, own).numpy()
    assert_same(generator(segmap, tensor(noise)), picture)
    taken = {}
    for name in ("up_3", "up_3_extra_0"):
        block = getattr(generator, name)
        block.register_forward_pre_hook(
            lambda layer, inputs, name=name: taken.update({name: inputs[2].numpy()})
        )
    generator(segmap, own)
    assert np.array_equal(taken["up_3"], own[-2].numpy())
    assert np.array_equal(taken["up_3_extra_0"], own[-2].numpy())
