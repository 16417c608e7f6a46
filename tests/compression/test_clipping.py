from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spade_paddle.compression.clipping import prune_to_budget, student_config
from spade_paddle.compression.cost import Cost, bytes_cost, macs_cost
from spade_paddle.compression.counts import counts_at
from spade_paddle.compression.groups import group_sizes, resized, widths_of
from spade_paddle.compression.scores import channel_scores, thresholded_groups
from spade_paddle.errors import CompressionError
from tests.compression.teachers import KINDS, NUM_LABELS, built, random_state, teacher


def costs_of(config):
    side = 2 * config.generator.multiple
    return [
        macs_cost(config, num_labels=NUM_LABELS, height=side, width=side),
        bytes_cost(config, num_labels=NUM_LABELS),
    ]


def least(cost, state, config):
    """The cost of what is left above every threshold."""
    scores = channel_scores(state, config, num_labels=NUM_LABELS)
    counts = counts_at(np.inf, scores, config)
    return cost.of(resized(config.generator, widths_of(config), counts))


BISECTED = {
    "spade": teacher(ngf=12, nhidden=40),
    "clade, edges": teacher(norm="clade", edges=True, ngf=12),
    "branches, spade": teacher("inception", ngf=12, nhidden=40),
    "branches, clade": teacher("inception", "clade", ngf=12),
}


@pytest.mark.parametrize("which", [0, 1], ids=["MACs", "bytes"])
@pytest.mark.parametrize("kind", BISECTED)
def test_twenty_budgets_are_kept_and_nothing_larger_would_do(kind, which):
    config, state = BISECTED[kind], random_state(BISECTED[kind])
    cost, teacher_cost = costs_of(config)[which], costs_of(config)[which].of(widths_of(config))
    scores = channel_scores(state, config, num_labels=NUM_LABELS)
    thresholds = np.unique(np.concatenate([scores[group] for group in thresholded_groups(config)]))
    shares = np.random.default_rng(0).uniform(0, 1, 20)
    smallest = least(cost, state, config)
    fine = 0
    for budget in smallest + shares * (teacher_cost - smallest):
        found = prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost)
        assert found.cost == cost.of(found.widths) <= budget
        place = int(np.searchsorted(thresholds, found.threshold))
        assert thresholds[place] == found.threshold
        sizes = counts_at(thresholds[place - 1], scores, config)
        next_larger = cost.of(resized(config.generator, widths_of(config), sizes))
        assert next_larger > budget
        if dearest_channel(found, config, cost) < 0.02 * budget:
            fine += 1
            assert found.cost >= 0.98 * budget
    assert fine >= (12 if config.generator.block == "plain" else 0)


def dearest_channel(found, config, cost) -> float:
    """The most that one channel less of a group saves; coarse channels of branches go in steps."""
    if config.generator.block == "inception":
        return np.inf
    sizes, widths = group_sizes(config.generator, found.widths), widths_of(config)
    smaller = [sizes | {group: size - 1} for group, size in sizes.items()]
    return max(found.cost - cost.of(resized(config.generator, widths, each)) for each in smaller)


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_has_the_kept_channels_and_its_configuration_builds_it(kind):
    config, state = KINDS[kind], random_state(KINDS[kind])
    cost = costs_of(config)[1]
    budget = (least(cost, state, config) + cost.of(widths_of(config))) / 2
    found = prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost)
    student = student_config(config, found.widths)
    sizes = group_sizes(config.generator, found.widths)
    assert {group: len(channels) for group, channels in found.kept.items()} == sizes
    assert all(list(channels) == sorted(set(channels)) for channels in found.kept.values())
    assert widths_of(student) == found.widths
    assert dataclasses.replace(student.generator, widths=None) == config.generator
    numbers = sum(value.size for value in built(student).state_dict().values())
    assert 4 * numbers == found.cost <= budget


def test_judged_channels_above_the_threshold_are_those_that_are_kept():
    config = KINDS["branches, spade"]
    state = random_state(config)
    cost = costs_of(config)[0]
    budget = 0.5 * cost.of(widths_of(config))
    found = prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost)
    for group in thresholded_groups(config):
        if group == "coarse":
            continue
        prefix, _, branch = group.rpartition(".")
        scale = np.abs(state[f"{prefix}.branches.{branch}.norm_0.weight"])
        assert found.kept[group] == tuple(np.flatnonzero(scale > found.threshold)), group
    assert len(found.kept["coarse"]) == 16


@pytest.mark.parametrize("which", [0, 1], ids=["MACs", "bytes"])
@pytest.mark.parametrize("kind", ["spade", "branches, clade, edges"])
def test_budgets_that_cannot_be_are_refused_with_the_number_that_can(kind, which):
    config, state = KINDS[kind], random_state(KINDS[kind])
    cost = costs_of(config)[which]
    smallest, largest = least(cost, state, config), cost.of(widths_of(config))

    def refused(budget) -> CompressionError:
        with pytest.raises(CompressionError) as error:
            prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost)
        return error.value

    assert refused(smallest - 1).code == "budget_too_small"
    assert f"at least {smallest:,} {cost.unit}" in str(refused(smallest - 1))
    assert refused(largest).code == "budget_too_large"
    assert f"less than {largest:,} {cost.unit}" in str(refused(largest))
    for budget in (0, -1, float("nan")):
        assert refused(budget).code == "budget_not_positive"
    for budget in (smallest, largest - 1):
        assert (
            prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost).cost <= budget
        )


def test_a_measured_cost_that_wavers_is_asked_ten_times_at_most():
    config = BISECTED["spade"]
    state, macs = random_state(config), costs_of(config)[0]
    random, asked = np.random.default_rng(0), []

    def latency(widths):
        asked.append(1e-6 * macs.of(widths) * random.uniform(0.97, 1.03))
        return asked[-1]

    cost = Cost(latency, "ms", evaluations=10)
    budget = 0.5e-6 * macs.of(widths_of(config))
    found = prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost)
    assert len(asked) <= 10
    assert found.cost in asked
    assert 0.85 * budget < found.cost <= budget
