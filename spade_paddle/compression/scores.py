"""What each channel of a generator is worth.

A generator of branches is scored as in CAT (Jin et al. 2021, one-step pruning): by the scale of the
norm after a branch's first convolution, which tells how strongly the channel is passed on. Plain
blocks have no such norms; there, and for what leaves a block, the criterion is ours: what a channel
contributes to the convolutions that take it in.

Legend: C channels of a group, L classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spade_paddle.compression.channels import tensor_axes
from spade_paddle.compression.groups import block_groups, group_sizes, widths_of
from spade_paddle.config import Config
from spade_paddle.layers.spectral import without_spectral_norm
from spade_paddle.networks.widths import COARSE

Scores = dict[str, np.ndarray]
"""For every group, float64 [C], each at least 0."""


def channel_scores(state: Mapping[str, Any], config: Config, *, num_labels: int) -> Scores:
    """The score of every channel, by group.

    Of a group that judged_groups has, the scores may be held against one threshold; of the others
    they give the order alone.

    Args:
        state: of the generator of the configuration; spectral norm is divided out.
        config: its configuration.
        num_labels: of its label set.
    """
    weights = {
        name: np.asarray(value, dtype=np.float64)
        for name, value in without_spectral_norm(state).items()
    }
    scores = contributions(weights, config, num_labels=num_labels)
    if config.generator.block == "inception":
        return scores | norm_scales(weights, config)
    return {group: _relative(values) for group, values in scores.items()}


def judged_groups(config: Config) -> list[str]:
    """The groups whose channels one threshold chooses: all of a plain generator; with branches
    these and ``coarse``, whose ratio what leaves the other blocks follows."""
    options, widths = config.generator, widths_of(config)
    if options.block == "plain":
        return list(group_sizes(options, widths))
    blocks = block_groups(options, widths)
    return [COARSE, *(group for block in blocks for group in (*block.own, *block.hidden))]


def norm_scales(weights: Mapping[str, np.ndarray], config: Config) -> Scores:
    """CAT's criterion: ``|scale|`` of fc_norm, and of norm_0 of every branch.

    Not of norm_1, and not of what SPADE modulates, which has none.
    """
    options, widths = config.generator, widths_of(config)
    sizes, scores = group_sizes(options, widths), {}
    for group in judged_groups(config):
        prefix, _, branch = group.rpartition(".")
        name = f"{prefix}.branches.{branch}.norm_0.weight" if prefix else "fc_norm.weight"
        # there is no SPADE, and no norm in it, in a block that has lost all its branches
        scores[group] = np.abs(weights[name]) if name in weights else np.zeros(sizes[group])
    return scores


def contributions(weights: Mapping[str, np.ndarray], config: Config, *, num_labels: int) -> Scores:
    """Our criterion: what a channel contributes to all that takes it in.

    ``score[c]^2 = sum of (size[c] * ||W[:, c]||)^2`` over the convolutions that have the channel
    among their inputs, W their weights. ``size`` is that of what the channel brings there:
    channel_sizes of the norm, or the convolution, before.
    """
    sizes = group_sizes(config.generator, widths_of(config))
    squares = {group: np.zeros(size) for group, size in sizes.items()}
    table = tensor_axes(config, num_labels=num_labels, widths=widths_of(config))
    for name, tensor in table.items():
        if len(tensor.axes) != 4 or tensor.axes[1].group is None:
            continue
        into = tensor.axes[1]
        columns = np.square(weights[name]).sum(axis=(0, 2, 3))[: into.channels]  # less the edges
        squares[into.group] += columns * np.square(channel_sizes(weights, tensor.after))
    return {group: np.sqrt(values) for group, values in squares.items()}


def channel_sizes(weights: Mapping[str, np.ndarray], layer: str | None) -> np.ndarray | float:
    """How large the channels are that a layer gives, [C]; 1 where its weights do not tell.

    After a batch norm, or CLADE's, a channel has variance 1 before scale and shift, so that its
    size is ``sqrt(scale^2 + shift^2)``; of a table its root mean square over the classes. After the
    first convolution of SPADE it is the norm of the row that makes the channel, bias included.
    SPADE multiplies by ``1 + gamma``: 1.
    """
    if layer is None or f"{layer}.weight" not in weights:
        return 1.0
    weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
    if weight.ndim == 4:
        return np.sqrt(np.square(weight).sum(axis=(1, 2, 3)) + np.square(bias))
    squares = np.square(weight) + np.square(bias)  # [C] or [L, C]
    return np.sqrt(squares.reshape(-1, squares.shape[-1]).mean(axis=0))


def _relative(values: np.ndarray) -> np.ndarray:
    """In units of their root mean square, so that one threshold can serve every group."""
    scale = np.sqrt(np.mean(np.square(values)))
    return values / scale if scale > 0 else values
