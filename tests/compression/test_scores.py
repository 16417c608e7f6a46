from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.compression.groups import block_groups, group_sizes, widths_of
from spade_paddle.compression.scores import channel_scores, contributions, thresholded_groups
from spade_paddle.layers.spectral import effective_state
from tests.compression.teachers import KINDS, NUM_LABELS, built, random_state, teacher, tensors
from tests.numeric import assert_differs, assert_same, randomize


def root_of_squares(*values):
    return float(np.sqrt(sum(np.square(np.asarray(value, "float64")).sum() for value in values)))


def relative(values):
    return np.array(values) / np.sqrt(np.mean(np.square(values)))


def test_groups_of_a_generator_are_tied_by_identity_shortcuts():
    config = teacher(ngf=1)
    blocks = block_groups(config.generator, widths_of(config))
    assert [(block.name, block.into, block.out) for block in blocks] == [
        ("head_0", "coarse", "coarse"),
        ("G_middle_0", "coarse", "coarse"),
        ("G_middle_1", "coarse", "coarse"),
        ("up_0", "coarse", "up_0"),
        ("up_1", "up_0", "up_1"),
        ("up_2", "up_1", "up_2"),
        ("up_3", "up_2", "up_3"),
    ]
    assert blocks[0].hidden == ("head_0.norm_0", "head_0.norm_1")
    assert blocks[3].hidden == ("up_0.norm_0", "up_0.norm_1", "up_0.norm_s")
    sizes = group_sizes(config.generator, widths_of(config))
    assert (sizes["coarse"], sizes["up_1.middle"], sizes["up_3"]) == (16, 4, 1)


def test_groups_of_features_of_a_style_that_are_of_another_width():
    config = KINDS["branches, spade, style, more"]
    blocks = block_groups(config.generator, widths_of(config))
    assert [block.out for block in blocks[:3]] == ["head_0", "head_0", "head_0"]
    assert blocks[0].own[1] == "head_0.plain_3"
    assert blocks[0].hidden[5] == "head_0.norm.depthwise_5"


def test_scores_of_middle_channels_are_sizes_times_norms():
    config = teacher(norm="clade", edges=True)
    state = random_state(config)
    weight, bias = (state[f"up_0.norm_1.{part}"].astype("float64") for part in ("weight", "bias"))
    expected = []
    for channel in range(weight.shape[1]):
        squares = [w**2 + b**2 for w, b in zip(weight[:, channel], bias[:, channel])]
        size = np.sqrt(sum(squares) / len(squares))
        # conv_1 has one input more, of edges
        expected.append(size * root_of_squares(state["up_0.conv_1.weight"][:, channel]))
    found = channel_scores(state, config, num_labels=NUM_LABELS)["up_0.middle"]
    assert_same(found, relative(expected), rtol=1e-6)


def test_scores_of_hidden_channels_of_spade_are_norms_before_times_norms_behind():
    config, prefix = teacher(kernel_size=3), "up_1.norm_s"
    state = random_state(config)
    expected = []
    for channel in range(12):
        before = root_of_squares(
            state[f"{prefix}.mlp_shared.0.weight"][channel],
            state[f"{prefix}.mlp_shared.0.bias"][channel],
        )
        behind = root_of_squares(
            *(state[f"{prefix}.mlp_{part}.weight"][:, channel] for part in ("gamma", "beta"))
        )
        expected.append(before * behind)
    found = channel_scores(state, config, num_labels=NUM_LABELS)[prefix]
    assert_same(found, relative(expected), rtol=1e-6)


def test_scores_of_what_leaves_blocks_sum_over_all_that_takes_it_in():
    config = KINDS["clade_icpe, fine blocks, fading"]
    state = random_state(config)

    def through(channel, norm, convolution):
        weight, bias = (state[f"{norm}.{part}"][:, channel] for part in ("weight", "bias"))
        size = np.sqrt(np.mean(weight.astype("float64") ** 2 + bias.astype("float64") ** 2))
        return size * root_of_squares(state[f"{convolution}.weight"][:, channel])

    coarse = [
        root_of_squares(
            *(
                through(channel, f"{block}.norm_0", f"{block}.conv_0")
                for block in ("head_0", "G_middle_0", "G_middle_1", "up_0")
            ),
            through(channel, "up_0.norm_s", "up_0.conv_s"),
        )
        for channel in range(32)
    ]
    before_last = [
        root_of_squares(
            through(channel, "up_fine_0.norm_0", "up_fine_0.conv_0"),
            through(channel, "up_fine_0.norm_s", "up_fine_0.conv_s"),
            state["conv_img_before.weight"][:, channel],
        )
        for channel in range(2)
    ]
    found = channel_scores(state, config, num_labels=NUM_LABELS)
    assert_same(found["coarse"], relative(coarse), rtol=1e-6)
    assert_same(found["up_3"], relative(before_last), rtol=1e-6)
    weights = {name: value.astype("float64") for name, value in state.items()}
    unscaled = contributions(weights, config, num_labels=NUM_LABELS)["up_fine_0"]
    assert_same(unscaled, [root_of_squares(state["conv_img.weight"])], rtol=1e-6)


def test_every_group_of_a_plain_generator_has_scores_of_size_1():
    config = KINDS["clade_icpe, edges"]
    scores = channel_scores(random_state(config), config, num_labels=NUM_LABELS)
    assert list(scores) == thresholded_groups(config)
    for group, values in scores.items():
        assert np.sqrt(np.mean(values**2)) == pytest.approx(1), group
        assert (values >= 0).all(), group


@pytest.mark.usefixtures("float64")
def test_scores_are_of_the_effective_weights():
    config = teacher(norm="clade", spectral_norm=True)
    generator = built(config, spectral_norm=True)
    randomize(generator)
    found, expected = (
        channel_scores(state, config, num_labels=NUM_LABELS)
        for state in (generator.state_dict(), effective_state(generator))
    )
    raw = {name.replace("_orig", ""): value for name, value in generator.state_dict().items()}
    wrong = channel_scores(raw, config, num_labels=NUM_LABELS)
    for group, values in expected.items():
        assert_same(found[group], values)
    assert_differs(found["coarse"], wrong["coarse"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("branches, spade")])
def test_branches_are_judged_by_the_first_norm_in_each_and_nothing_else(kind):
    config = KINDS[kind]
    state = random_state(config)
    scores = channel_scores(state, config, num_labels=NUM_LABELS)
    scales = {"coarse": "fc_norm.weight", "up_0.depthwise_3": "up_0.branches.depthwise_3.norm_0"}
    scales |= {"up_1.norm.depthwise_1": "up_1.norm.branches.depthwise_1.norm_0"}
    for group, norm in scales.items():
        assert_same(scores[group], np.abs(state[f"{norm.removesuffix('.weight')}.weight"]))
    firsts = {
        name for name in state if name.endswith("norm_0.weight") or name.startswith("fc_norm.w")
    }
    assert len(firsts) == len(thresholded_groups(config))
    # whatever else is in the state, norm_1 above all, is not looked at
    others = random_state(config, seed=5) | {name: state[name] for name in firsts}
    again = channel_scores(others, config, num_labels=NUM_LABELS)
    for group in thresholded_groups(config):
        assert_same(again[group], scores[group])


def test_what_leaves_a_block_of_branches_is_ordered_by_all_that_takes_it_in():
    config = KINDS["branches, spade"]
    state = random_state(config)
    size = np.hypot(state["up_1.norm_s.weight"], state["up_1.norm_s.bias"])
    branches = [name for name in state if name.startswith("up_1.branches") and "conv_0.w" in name]
    assert len(branches) == 6
    expected = [
        root_of_squares(
            *(state[name][:, channel] for name in branches),
            size[channel] * state["up_1.conv_s.weight"][:, channel],
        )
        for channel in range(16)
    ]
    found = channel_scores(state, config, num_labels=NUM_LABELS)["up_0"]
    assert_same(found, expected, rtol=1e-6)


def test_scores_are_the_same_of_tensors_and_of_arrays():
    config = KINDS["branches, clade, edges"]
    state = random_state(config)
    of_arrays = channel_scores(state, config, num_labels=NUM_LABELS)
    of_tensors = channel_scores(tensors(state), config, num_labels=NUM_LABELS)
    for group, values in of_arrays.items():
        assert (of_tensors[group] == values).all()
