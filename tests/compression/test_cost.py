from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spade_paddle.compression.channels import Axis, tensor_axes
from spade_paddle.compression.clipping import student_config
from spade_paddle.compression.cost import bytes_cost, macs_cost
from spade_paddle.compression.counts import counts_at
from spade_paddle.compression.groups import block_groups, group_sizes, resized, widths_of
from spade_paddle.errors import CompressionError
from spade_paddle.networks.cost import count_macs
from spade_paddle.networks.widths import BlockWidths
from tests.compression.teachers import KINDS, NUM_LABELS, built, inputs, teacher
from tests.numeric import normal


@pytest.mark.parametrize("pruned", [False, True], ids=["as it is", "pruned"])
@pytest.mark.parametrize("kind", KINDS)
def test_costs_are_those_of_the_built_network(kind, pruned):
    config, network_config = KINDS[kind], KINDS[kind]
    widths = widths_of(config)
    if pruned:
        widths = randomly_pruned(config)
        network_config = student_config(config, widths)
        assert widths_of(network_config) == widths
    network, side = built(network_config), config.generator.multiple
    network.fade = 1.0  # as it is used in the end
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    table = tensor_axes(config, num_labels=NUM_LABELS, widths=widths)
    assert {name: tensor.shape for name, tensor in table.items()} == shapes
    numbers = sum(int(np.prod(shape)) for shape in shapes.values())
    assert bytes_cost(config, num_labels=NUM_LABELS).of(widths) == 4 * numbers
    arguments, keywords = inputs(config, side=side)
    macs = macs_cost(config, num_labels=NUM_LABELS, height=side, width=side)
    assert macs.of(widths) == count_macs(network, *arguments, **keywords)


def randomly_pruned(config):
    """Some of the channels of every group, by random scores; a branch loses all of its."""
    widths = widths_of(config)
    sizes = group_sizes(config.generator, widths)
    scores = {group: np.abs(normal(size, seed=size)) for group, size in sizes.items()}
    counts = counts_at(0.7, scores, config)
    if config.generator.block == "inception":
        counts |= dict.fromkeys(block_groups(config.generator, widths)[1].own, 0)
        counts["up_0.plain_3"] = 0
    return resized(config.generator, widths, counts)


def test_macs_of_one_channel_by_hand():
    # one more hidden channel in up_3.norm_1, on 32 x 64 pixels, all 1x1: three labels and don't
    # care into it, then gamma and beta of 2 channels
    config = teacher()
    cost = macs_cost(config, num_labels=NUM_LABELS, height=32, width=64)
    widths = widths_of(config)
    assert widths.blocks[-1] == BlockWidths(2, 2, (12, 12, 12))
    wider = replace(widths, blocks=(*widths.blocks[:-1], BlockWidths(2, 2, (12, 13, 12))))
    assert cost.of(wider) - cost.of(widths) == 32 * 64 * (4 + 2 + 2)
    # and so many numbers, with its bias
    size = bytes_cost(config, num_labels=NUM_LABELS)
    assert size.of(wider) - size.of(widths) == 4 * (4 + 1 + 2 + 2)


def test_a_picture_that_cannot_be_painted_has_no_cost():
    with pytest.raises(CompressionError, match="must be multiples of 32") as error:
        macs_cost(teacher(), num_labels=NUM_LABELS, height=32, width=33)
    assert error.value.code == "picture_size"


@pytest.mark.parametrize(
    ("axis", "places"),
    [
        pytest.param(Axis(3, "a"), [0, 2], id="channels"),
        pytest.param(Axis(3, "a", extra=1), [0, 2, 3], id="with an edge channel"),
        pytest.param(Axis(3, "a", repeats=2), [0, 2, 3, 5], id="gamma, then beta"),
        pytest.param(
            Axis(3, "a", per_channel=2), [0, 1, 4, 5], id="places of a style, channel by channel"
        ),
    ],
)
def test_places_of_the_first_and_last_of_three_channels(axis, places):
    assert axis.indices([0, 2]).tolist() == places
    assert axis.indices(range(3)).tolist() == list(range(axis.size))
