"""How many channels of each group remain at a threshold, and which."""

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
from spade_paddle.compression.scores import Scores, thresholded_groups
from spade_paddle.config import Config, GeneratorConfig
from spade_paddle.networks.widths import COARSE

MIN_CHANNELS = 4
"""The minimum that every group of a plain generator keeps, if it has as many."""
COARSE_DIVISOR = 4
"""At least 1 / COARSE_DIVISOR of the coarse channels is kept (public CAT: 16 * 16 of 16 * 64)."""

Kept = dict[str, tuple[int, ...]]
"""The kept channels of each group, in ascending order."""


def counts_at(threshold: float, scores: Scores, config: Config) -> Sizes:
    """Count the channels of each group that are kept at a threshold.

    In a plain generator, channels with a score above the threshold are kept, and at least the best
    MIN_CHANNELS of each group. With branches (CAT, Jin et al. 2021, and its public pruning code),
    those above the threshold, possibly none of a branch; ``coarse`` is rounded down (see
    coarse_count), and the outputs of the other blocks shrink by the same ratio as ``coarse``.

    If two groups with a learned shortcut between them came to the same size, the shortcut would
    become the identity, so one of them is changed, by as few channels as possible (ours).
    """
    options, widths = config.generator, widths_of(config)
    sizes = group_sizes(options, widths)
    counts = {group: int((scores[group] > threshold).sum()) for group in thresholded_groups(config)}
    along = chain(block_groups(options, widths))
    if options.block == "inception":
        counts[COARSE] = coarse_count(counts[COARSE], sizes[COARSE], options)
        for group in along[1:]:
            counts[group] = max(round(sizes[group] * counts[COARSE] / sizes[COARSE]), 1)
    else:
        counts = {
            group: max(count, min(MIN_CHANNELS, sizes[group])) for group, count in counts.items()
        }
    different = _neighbors_apart(
        [counts[group] for group in along], limits=[sizes[group] for group in along]
    )
    return counts | dict(zip(along, different))


def coarse_count(above: int, size: int, options: GeneratorConfig) -> int:
    """Count the coarse channels that are kept of ``size``, of which ``above`` exceed the threshold.

    Rounded down to a multiple of 16, or of 32 with ``most``, so that all later widths, each half of
    the one before, are integers; at least a quarter. Not rounded if nothing is pruned, or if
    ``size`` is smaller than one step.
    """
    step = 32 if options.upsampling == "most" else 16
    if size >= step and above < size:
        above -= above % step
    return max(above, -(-size // COARSE_DIVISOR))


def best(scores: np.ndarray, count: int) -> tuple[int, ...]:
    """Return the channels with the highest scores, in ascending order; ties: the first."""
    return tuple(sorted(np.argsort(-scores, kind="stable")[:count].tolist()))


def best_channels(scores: Scores, counts: Mapping[str, int]) -> Kept:
    """Return the best channels of every group."""
    return {group: best(scores[group], count) for group, count in counts.items()}


def _neighbors_apart(wanted: Sequence[int], *, limits: Sequence[int]) -> list[int]:
    """Return numbers close to the wanted ones such that no two neighbors are equal.

    Earlier numbers take precedence; of two equally close ones, the smaller is tried first. A
    solution between 1 and the limits exists because neighboring limits differ.
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
