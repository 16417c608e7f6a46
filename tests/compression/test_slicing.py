from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spade_paddle.compression.channels import tensor_axes
from spade_paddle.compression.clipping import prune_to_budget, student_config
from spade_paddle.compression.cost import bytes_cost
from spade_paddle.compression.counts import best_channels, counts_at
from spade_paddle.compression.groups import block_groups, chain, group_sizes, resized, widths_of
from spade_paddle.compression.scores import channel_scores
from spade_paddle.compression.slicing import kept_by_widths, pruned_state
from spade_paddle.errors import ConfigError
from spade_paddle.weights import load_state
from tests import reference
from tests.compression.teachers import (
    KINDS,
    NUM_LABELS,
    built,
    inputs,
    picture,
    random_state,
    teacher,
    tensors,
)
from tests.numeric import assert_differs, assert_same


def all_kept(config):
    sizes = group_sizes(config.generator, widths_of(config))
    return {group: tuple(range(size)) for group, size in sizes.items()}


def prune_halfway(config, state):
    cost, scores = (
        bytes_cost(config, num_labels=NUM_LABELS),
        channel_scores(state, config, num_labels=NUM_LABELS),
    )
    widths = widths_of(config)
    smallest = resized(config.generator, widths, counts_at(np.inf, scores, config))
    budget = (cost.of(smallest) + cost.of(widths)) / 2
    return prune_to_budget(budget, state, config, num_labels=NUM_LABELS, cost=cost)


@pytest.mark.parametrize("kind", KINDS)
def test_pruning_nothing_paints_the_same_picture_bit_for_bit(kind):
    config, state = KINDS[kind], tensors(random_state(KINDS[kind]))
    pruned = pruned_state(state, all_kept(config), config, num_labels=NUM_LABELS)
    assert pruned.keys() == state.keys()
    for name, value in pruned.items():
        assert (value.numpy() == state[name].numpy()).all(), name
    pictures = []
    for weights in (state, pruned):
        generator = built(config)
        load_state(generator, weights)
        pictures.append(picture(generator, config))
    assert (pictures[0] == pictures[1]).all()
    assert np.isfinite(pictures[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_student_takes_its_weights_and_paints(kind):
    config, state = KINDS[kind], random_state(KINDS[kind])
    found = prune_halfway(config, state)
    student = student_config(config, found.widths)
    generator = built(student)
    load_state(generator, pruned_state(tensors(state), found.kept, config, num_labels=NUM_LABELS))
    assert np.isfinite(picture(generator, student)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_widths_of_a_student_tell_which_channels_it_keeps(kind):
    config, state = KINDS[kind], random_state(KINDS[kind])
    found = prune_halfway(config, state)
    student = student_config(config, found.widths).generator
    assert kept_by_widths(state, config, student, num_labels=NUM_LABELS) == found.kept
    everything = kept_by_widths(state, config, config.generator, num_labels=NUM_LABELS)
    assert everything == all_kept(config)


# Channels that contribute nothing


def without_contributions(config, *, seed=0):
    """A state of which some channels of every group, drawn at random, contribute nothing, and the
    channels that do."""
    state, kept = random_state(config), {}
    random = np.random.default_rng(seed)
    widths = widths_of(config)
    sizes = group_sizes(config.generator, widths)
    along = chain(block_groups(config.generator, widths))
    inception = config.generator.block == "inception"
    for group, size in sizes.items():
        if group in along:  # three of four, so that shortcuts stay what they are
            count = size if size <= 2 else size * 3 // 4
        else:
            count = size if inception else min(size, max(4, size // 2))
        kept[group] = tuple(sorted(random.permutation(size)[:count].tolist()))
    for name, tensor in tensor_axes(config, num_labels=NUM_LABELS, widths=widths).items():
        if len(tensor.axes) == 4 and tensor.axes[1].group is not None:
            axis = tensor.axes[1]
            dropped = np.setdiff1d(np.arange(axis.channels), kept[axis.group])
            state[name][:, dropped] = 0
    return state, kept


def painted(config, state):
    generator = built(config)
    load_state(generator, tensors(state))
    return picture(generator, config)


def painted_pruned(config, state, kept):
    sizes = {group: len(channels) for group, channels in kept.items()}
    student = student_config(config, resized(config.generator, widths_of(config), sizes))
    generator = built(student)
    load_state(generator, pruned_state(tensors(state), kept, config, num_labels=NUM_LABELS))
    return picture(generator, student)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "branches" not in kind])
def test_channels_that_no_convolution_reads_are_pruned_without_effect(kind):
    config = KINDS[kind]
    state, kept = without_contributions(config)
    scores = channel_scores(state, config, num_labels=NUM_LABELS)
    counts = {group: len(channels) for group, channels in kept.items()}
    assert best_channels(scores, counts) == kept
    for group, channels in kept.items():
        dropped = np.setdiff1d(np.arange(len(scores[group])), channels)
        assert (scores[group][dropped] == 0).all(), group
    before = painted(config, state)
    assert np.abs(painted_pruned(config, state, kept) - before).max() < 1e-6
    # and of any other channels something is missed
    worst = {g: tuple(range(len(scores[g])))[-len(kept[g]) :] for g in kept}
    assert np.abs(painted_pruned(config, state, worst) - before).max() > 1e-3


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "branches" in kind])
def test_branch_channels_of_scale_and_shift_zero_are_pruned_without_effect(kind):
    config = KINDS[kind]
    state, kept = without_contributions(config)
    dropped = {}
    for name in [name for name in state if name.endswith("norm_0.weight")]:
        prefix = name.removesuffix("norm_0.weight")
        zeros = np.arange(len(state[name])) % 3 != 1
        dropped[prefix] = zeros
        # what is 0 behind norm_0 must stay 0 behind a depthwise convolution and its norm
        names = ("norm_0.weight", "norm_0.bias", "depthwise.bias", "norm_1.bias", "norm_1._mean")
        for part in names:
            if prefix + part in state:
                state[prefix + part][zeros] = 0
        if zeros.all():  # the bias goes with the branch
            state[prefix + "conv_1.bias"][:] = 0
    for prefix, zeros in dropped.items():
        block, _, branch = prefix.removesuffix(".").rpartition(".branches.")
        kept[f"{block}.{branch}"] = tuple(np.flatnonzero(~zeros).tolist())
    scores = channel_scores(state, config, num_labels=NUM_LABELS)
    for group, channels in kept.items():
        if "." in group:
            assert best_channels(scores, {group: len(channels)})[group] == channels
            assert counts_at(0.0, scores, config)[group] == len(channels)
    before = painted(config, state)
    assert np.abs(painted_pruned(config, state, kept) - before).max() < 1e-6
    assert any(not channels for channels in kept.values())  # some branches are gone


@pytest.mark.usefixtures("float64")
def test_a_block_without_branches_is_its_shortcut():
    config = KINDS["branches, spade"]
    state, kept = random_state(config), all_kept(config)
    for block in ("head_0", "up_0"):  # of an identity, and of a learned shortcut
        for name in [name for name in state if name.startswith(f"{block}.branches.")]:
            if ".conv_1." in name:  # weight and bias
                state[name][:] = 0
            branch = name.split(".")[2]
            kept[f"{block}.{branch}"] = ()
    after = painted_pruned(config, state, kept)
    assert np.abs(after - painted(config, state)).max() < 1e-6


# Training weights


def test_a_state_with_spectral_norm_is_pruned_to_one_that_trains():
    config = teacher(norm="clade", edges=True, spectral_norm=True)
    generator = built(config, spectral_norm=True)
    state = generator.state_dict()
    found = prune_halfway(config, state)
    pruned = pruned_state(state, found.kept, config, num_labels=NUM_LABELS)
    student = student_config(config, found.widths)
    network = built(student, spectral_norm=True)
    load_state(network, pruned)
    assert np.isfinite(picture(network, student)).all()
    kept, into = found.kept["head_0.middle"], [*found.kept["coarse"], 32]  # 32: the edges
    weight = state["head_0.conv_0.weight_orig"].numpy()[list(kept)][:, into]
    assert (pruned["head_0.conv_0.weight_orig"].numpy() == weight).all()
    u, v = (pruned[f"head_0.conv_0.weight_{part}"].numpy() for part in "uv")
    sigma = u @ weight.reshape(len(weight), -1) @ v
    # the first two of random weights lie close together: that takes more iterations
    assert 0.9 < sigma / reference.largest_singular_value(weight) <= 1
    assert np.linalg.norm(u) == pytest.approx(1, rel=1e-5)
    arguments, keywords = inputs(student)
    network.train()
    network(*arguments, **keywords).sum().backward()
    assert all(p.grad is not None for p in network.parameters() if not p.stop_gradient)


def test_pruning_nothing_of_a_state_with_spectral_norm_leaves_the_weights():
    config = teacher(norm="clade", spectral_norm=True)
    state = built(config, spectral_norm=True).state_dict()
    pruned = pruned_state(state, all_kept(config), config, num_labels=NUM_LABELS)
    assert pruned.keys() == state.keys()
    for name, value in pruned.items():
        if not name.endswith(("_u", "_v")):
            assert (value.numpy() == state[name].numpy()).all(), name


# Students that are none


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("norm", "clade", "generator.norm: expected spade, as in the teacher, got clade"),
        ("upsampling", "more", "generator.upsampling: expected normal"),
        ("kernel_size", 3, "generator.kernel_size: expected 1"),
        ("param_free_norm", "instance", "generator.param_free_norm: expected batch"),
        ("noise", True, "generator.noise: expected False"),
        ("ngf", 3, "generator.widths: coarse: expected at most 32 channels, as .* got 48"),
        ("nhidden", 13, "generator.widths: head_0.norm_0: expected at most 12 channels"),
        (
            *("max_width", 4),
            "generator.widths: up_0: expected other output than input channels, as in the teacher, "
            "got as many output as input channels",
        ),
    ],
)
def test_a_student_that_is_no_narrower_version_is_refused(field, value, message):
    config = KINDS["spade"]
    student = replace(config.generator, **{field: value})
    with pytest.raises(ConfigError, match=message) as error:
        kept_by_widths(random_state(config), config, student, num_labels=NUM_LABELS)
    assert error.value.code == "config_value"


def test_a_student_may_have_another_kind_of_batch_norm_and_activation():
    config = KINDS["spade"]
    student = replace(
        config.generator, ngf=1, param_free_norm="sync_batch", activation="leaky_relu", simam=False
    )
    kept = kept_by_widths(random_state(config), config, student, num_labels=NUM_LABELS)
    assert len(kept["coarse"]) == 16


# A wrong way to slice


@pytest.mark.usefixtures("float64")
def test_gamma_and_beta_are_not_sliced_as_one():
    config = KINDS["branches, spade"]
    state, kept = without_contributions(config)
    right = painted_pruned(config, state, kept)
    mixed = dict(state)
    for name in [name for name in state if ".norm.branches." in name and ".conv_1." in name]:
        value = state[name]  # gamma of a channel beside its beta
        mixed[name] = value.reshape(2, -1, *value.shape[1:]).swapaxes(0, 1).reshape(value.shape)
    assert_same(right, painted(config, state), rtol=1e-6)
    assert_differs(right, painted_pruned(config, mixed, kept))
