from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.compression.counts import _neighbors_apart, best, coarse_count, counts_at
from spade_paddle.compression.groups import block_groups, chain, group_sizes, widths_of
from spade_paddle.compression.scores import thresholded_groups
from tests.compression.teachers import KINDS, teacher


@pytest.mark.parametrize(
    ("above", "size", "kept"),
    [
        pytest.param(1024, 1024, 1024, id="nothing is dropped"),
        pytest.param(40, 40, 40, id="nothing of an odd width is dropped"),
        pytest.param(39, 40, 32, id="something of an odd width is dropped"),
        pytest.param(1023, 1024, 1008, id="down to a multiple of 16"),
        pytest.param(768, 1024, 768, id="which it is"),
        pytest.param(300, 1024, 288, id="the public bound does not bite yet"),
        pytest.param(271, 1024, 256, id="rounded to a quarter"),
        pytest.param(3, 1024, 256, id="at least a quarter"),
        pytest.param(15, 16, 4, id="one step wide"),
        pytest.param(11, 12, 11, id="narrower than a step: not rounded"),
        pytest.param(0, 12, 3, id="narrower than a step: a quarter"),
        pytest.param(0, 1, 1, id="never none"),
    ],
)
def test_coarse_channels_come_in_steps_of_16(above, size, kept):
    assert coarse_count(above, size, teacher("inception").generator) == kept


def test_coarse_channels_come_in_steps_of_32_with_most():
    options = teacher("inception", upsampling="most").generator
    assert [coarse_count(above, 128, options) for above in (128, 127, 96, 95, 10)] == [
        *(128, 96, 96, 64, 32)
    ]


def scores_above_half(config, above):
    """Scores of 1 for the first so many channels of each judged group, and else 0."""
    sizes = group_sizes(config.generator, widths_of(config))
    return {
        group: (np.arange(sizes[group]) < above.get(group, sizes[group])).astype("float64")
        for group in thresholded_groups(config)
    }


def test_what_leaves_later_blocks_shrinks_in_the_ratio_of_the_coarse_channels():
    config = teacher("inception", ngf=4)  # 64, 32, 16, 8, 4
    counts = counts_at(0.5, scores_above_half(config, {"coarse": 50}), config)
    assert [counts[group] for group in ("coarse", "up_0", "up_1", "up_2", "up_3")] == [
        *(48, 24, 12, 6, 3)
    ]
    counts = counts_at(0.5, scores_above_half(config, {"coarse": 0}), config)
    assert [counts[group] for group in ("coarse", "up_0", "up_1", "up_2", "up_3")] == [
        *(16, 8, 4, 2, 1)
    ]


def test_branches_may_go_and_so_may_all_of_a_block():
    config = teacher("inception", ngf=4)
    gone = {f"up_0.{kind}_{kernel}": 0 for kind in ("plain", "depthwise") for kernel in (1, 3, 5)}
    counts = counts_at(0.5, scores_above_half(config, gone | {"up_1.norm.plain_5": 1}), config)
    assert all(counts[group] == 0 for group in gone)
    assert counts["up_1.norm.plain_5"] == 1
    assert counts["up_1.norm.plain_3"] == 2  # 12 // 6: nothing was dropped


def test_a_plain_group_keeps_four_channels_or_all_that_it_has():
    config = KINDS["spade"]
    counts = counts_at(
        0.5, scores_above_half(config, dict.fromkeys(thresholded_groups(config), 0)), config
    )
    inner = {group: count for group, count in counts.items() if "." in group}
    assert inner.pop("up_3.middle") == 2
    assert set(inner.values()) == {4}
    # coarse 32, up_0 16, up_1 8, up_2 4, up_3 2 would all be 4 but the last
    assert [counts[group] for group in ("coarse", "up_0", "up_1", "up_2", "up_3")] == [
        4,
        3,
        4,
        3,
        2,
    ]


@pytest.mark.parametrize(
    ("wanted", "limits", "found"),
    [
        ([16, 8, 4], [64, 32, 16], [16, 8, 4]),
        ([8, 8, 4], [64, 32, 16], [8, 7, 4]),
        ([8, 8, 7], [64, 32, 16], [8, 7, 6]),
        ([1, 1], [4, 2], [1, 2]),
        ([1, 1], [2, 1], [2, 1]),  # only the first can be another
        ([2, 1, 1, 1], [8, 4, 2, 1], [2, 1, 2, 1]),
        ([4, 2, 2, 1], [8, 4, 2, 1], [4, 1, 2, 1]),
    ],
)
def test_no_two_neighbors_become_the_same(wanted, limits, found):
    assert _neighbors_apart(wanted, limits=limits) == found


@pytest.mark.parametrize("kind", KINDS)
def test_shortcuts_stay_of_their_kind_at_every_threshold(kind):
    config = KINDS[kind]
    along = chain(block_groups(config.generator, widths_of(config)))
    random = np.random.default_rng(0)
    sizes = group_sizes(config.generator, widths_of(config))
    for _ in range(20):
        above = {group: random.integers(0, size + 1) for group, size in sizes.items()}
        counts = counts_at(0.5, scores_above_half(config, above), config)
        assert all(counts[one] != counts[other] for one, other in zip(along, along[1:]))
        assert all(0 <= count <= sizes[group] for group, count in counts.items())
        assert min(counts[group] for group in along) >= 1


def test_the_best_channels_in_their_own_order_and_of_equal_ones_the_first():
    assert best(np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 4) == (0, 1, 2, 4)
    assert best(np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 2) == (2, 4)
    assert best(np.zeros(0), 0) == ()
