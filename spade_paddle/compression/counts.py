"""How many channels of each group a threshold leaves, and which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spade_paddle.compression.groups import (
    Sizes,
    block_groups,
    chain,
    group_sizes,
    widths_of,
)
from spade_paddle.compression.scores import Scores, judged_groups
from spade_paddle.config import Config, GeneratorConfig
from spade_paddle.networks.widths import COARSE

LEAST = 4
"""Channels that every group of a plain generator keeps, if it has them."""
LEAST_COARSE_SHARE = 4
"""One in so many coarse channels is kept (the public CAT: 16 * 16 of 16 * 64)."""

Kept = dict[str, tuple[int, ...]]
"""The channels of each group that are kept, in ascending order."""


def counts_at(threshold: float, scores: Scores, config: Config) -> Sizes:
    """So many channels of each group are kept at a threshold.

    In a plain generator: those whose score is above it, and the best LEAST anyhow. With branches
    (CAT, Jin et al. 2021, and its public pruning): those above it, of a branch maybe none;
    ``coarse`` is rounded down to whole steps and keeps a share; what leaves the other blocks
    shrinks in the ratio in which ``coarse`` does.

    A learned shortcut between two groups that come to the same size would become the identity, so
    there the latter keeps one channel less (ours).
    """
    options, widths = config.generator, widths_of(config)
    sizes = group_sizes(options, widths)
    counts = {group: int((scores[group] > threshold).sum()) for group in judged_groups(config)}
    along = chain(block_groups(options, widths))
    if options.block == "inception":
        counts[COARSE] = coarse_count(counts[COARSE], sizes[COARSE], options)
        for group in along[1:]:
            counts[group] = max(round(sizes[group] * counts[COARSE] / sizes[COARSE]), 1)
    else:
        counts = {group: max(count, min(LEAST, sizes[group])) for group, count in counts.items()}
    different = _neighbors_apart(
        [counts[group] for group in along], limits=[sizes[group] for group in along]
    )
    return counts | dict(zip(along, different))


def coarse_count(above: int, size: int, options: GeneratorConfig) -> int:
    """The coarse channels that are kept of ``size``, where so many are above the threshold.

    Whole steps of 16, or of 32 with ``most``, so that every width after it halves without a rest;
    at least a quarter. Features narrower than one step are not rounded, nor are those of which
    nothing is dropped.
    """
    step = 32 if options.upsampling == "most" else 16
    if size >= step and above < size:
        above -= above % step
    return max(above, -(-size // LEAST_COARSE_SHARE))


def best(scores: np.ndarray, count: int) -> tuple[int, ...]:
    """The channels of the highest scores, in ascending order; of equal ones the first."""
    return tuple(sorted(np.argsort(-scores, kind="stable")[:count].tolist()))


def best_channels(scores: Scores, counts: Mapping[str, int]) -> Kept:
    """The best channels of every group."""
    return {group: best(scores[group], count) for group, count in counts.items()}


def _neighbors_apart(wanted: Sequence[int], *, limits: Sequence[int]) -> list[int]:
    """The nearest numbers, the first ones first, of which no two neighbors are the same.

    A smaller number goes before a larger one. That at least 1 and at most the limits can be kept
    is sure where the limits themselves differ from neighbor to neighbor, as they do here.
    """

    def settle(before: int, index: int) -> list[int] | None:
        if index == len(wanted):
            return []
        near = sorted(range(1, limits[index] + 1), key=lambda n: (abs(n - wanted[index]), n))
        for number in near:
            if number != before:
                rest = settle(number, index + 1)
                if rest is not None:
                    return [number, *rest]
        return None

    return settle(0, 0)
