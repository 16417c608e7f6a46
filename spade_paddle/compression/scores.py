"""Importance scores of the channels of a generator.

A generator with branches is scored as in CAT (Jin et al. 2021, one-step pruning): by the scale of
the norm after a branch's first convolution. Plain blocks have no such norms; for them, and for the
outputs of all blocks, the criterion is ours: a channel's contribution to the convolutions that read
it.

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
"""float64 [C] for every group, not negative."""


def channel_scores(state: Mapping[str, Any], config: Config, *, num_labels: int) -> Scores:
    """Score every channel, by group.

    Scores of the groups in thresholded_groups are comparable with one threshold; those of other
    groups only rank the channels within the group.

    Args:
        state: state dict of the generator; spectral norm is divided out.
        config: its configuration.
        num_labels: number of labels in its label set.
    """
    weights = {
        name: np.asarray(value, dtype=np.float64)
        for name, value in without_spectral_norm(state).items()
    }
    scores = contributions(weights, config, num_labels=num_labels)
    if config.generator.block == "inception":
        return scores | norm_scales(weights, config)
    return {group: _relative(values) for group, values in scores.items()}


def thresholded_groups(config: Config) -> list[str]:
    """Return the groups to whose scores the threshold applies: all groups of a plain generator;
    with branches, those inside blocks and ``coarse`` (other block outputs shrink with ``coarse``).
    """
    options, widths = config.generator, widths_of(config)
    if options.block == "plain":
        return list(group_sizes(options, widths))
    blocks = block_groups(options, widths)
    return [COARSE, *(group for block in blocks for group in (*block.own, *block.hidden))]


def norm_scales(weights: Mapping[str, np.ndarray], config: Config) -> Scores:
    """CAT's criterion: ``|scale|`` of fc_norm, and of norm_0 of every branch.

    norm_1 is not used, and SPADE's parameter-free norms have no scale.
    """
    options, widths = config.generator, widths_of(config)
    sizes, scores = group_sizes(options, widths), {}
    for group in thresholded_groups(config):
        prefix, _, branch = group.rpartition(".")
        name = f"{prefix}.branches.{branch}.norm_0.weight" if prefix else "fc_norm.weight"
        # a block without branches has no SPADE, so its norms do not exist
        scores[group] = np.abs(weights[name]) if name in weights else np.zeros(sizes[group])
    return scores


def contributions(weights: Mapping[str, np.ndarray], config: Config, *, num_labels: int) -> Scores:
    """Our criterion: a channel's contribution to the convolutions that read it.

    ``score[c]^2 = sum of (magnitude[c] * ||W[:, c]||)^2`` over the convolutions with the channel
    among their inputs, W their weights. ``magnitude`` is that of their input, estimated by
    channel_magnitudes from the preceding norm or convolution.
    """
    sizes = group_sizes(config.generator, widths_of(config))
    squares = {group: np.zeros(size) for group, size in sizes.items()}
    table = tensor_axes(config, num_labels=num_labels, widths=widths_of(config))
    for name, tensor in table.items():
        if len(tensor.axes) != 4 or tensor.axes[1].group is None:
            continue
        into = tensor.axes[1]
        columns = np.square(weights[name]).sum(axis=(0, 2, 3))[: into.channels]  # without edges
        squares[into.group] += columns * np.square(channel_magnitudes(weights, tensor.after))
    return {group: np.sqrt(values) for group, values in squares.items()}


def channel_magnitudes(weights: Mapping[str, np.ndarray], layer: str | None) -> np.ndarray | float:
    """Estimate the magnitudes of a layer's output channels, [C]; 1 if its weights do not tell.

    Batch norm and CLADE: a channel has variance 1 before scale and shift, so its root mean square
    is ``sqrt(scale^2 + shift^2)``, for CLADE also averaged over the classes. First convolution of
    SPADE: the norm of the channel's filter, including its bias. SPADE itself, which multiplies by
    ``1 + gamma``: 1.
    """
    if layer is None or f"{layer}.weight" not in weights:
        return 1.0
    weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
    if weight.ndim == 4:
        return np.sqrt(np.square(weight).sum(axis=(1, 2, 3)) + np.square(bias))
    squares = np.square(weight) + np.square(bias)  # [C] or [L, C]
    return np.sqrt(squares.reshape(-1, squares.shape[-1]).mean(axis=0))


def _relative(values: np.ndarray) -> np.ndarray:
    """Divide by the root mean square, so that one threshold applies to every group."""
    scale = np.sqrt(np.mean(np.square(values)))
    return values / scale if scale > 0 else values
