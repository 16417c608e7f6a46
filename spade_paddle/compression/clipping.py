"""Prunes a generator to a budget, by one threshold on the scores of all channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spade_paddle.compression.cost import Cost
from spade_paddle.compression.counts import Kept, best_channels, counts_at
from spade_paddle.compression.groups import resized, widths_of
from spade_paddle.compression.scores import channel_scores, thresholded_groups
from spade_paddle.config import Config
from spade_paddle.errors import CompressionError
from spade_paddle.networks.widths import GeneratorWidths


@dataclass(frozen=True)
class Pruning:
    """Result of pruning a generator.

    Attributes:
        widths: widths of the student.
        kept: the teacher's channels that it keeps.
        threshold: in thresholded_groups, only channels with a higher score are kept, except for
            the minimum per group.
        cost: cost of the student, in the unit of the budget.
    """

    widths: GeneratorWidths
    kept: Kept
    threshold: float
    cost: float


def prune_to_budget(
    budget: float, state: Mapping[str, Any], config: Config, *, num_labels: int, cost: Cost
) -> Pruning:
    """Find the largest generator within the budget.

    Bisects over the sorted distinct scores: a higher threshold keeps fewer channels (CAT, Jin et
    al. 2021; its public code bisects an interval of real thresholds, which need not terminate).

    Args:
        budget: maximum cost of the student.
        state: state dict of the teacher, with or without spectral norm.
        config: configuration of the teacher.
        num_labels: number of labels in the teacher's label set.
        cost: macs_cost, bytes_cost or your own, such as a measured latency.

    Raises:
        CompressionError: the budget is not positive, is below the smallest reachable cost, or is
            not below the cost of the teacher.
    """
    if not budget > 0:
        raise CompressionError(
            f"budget: expected more than 0 {cost.unit}, got {budget}", code="budget_not_positive"
        )
    teacher = widths_of(config)
    scores = channel_scores(state, config, num_labels=num_labels)
    thresholds = np.unique(np.concatenate([scores[group] for group in thresholded_groups(config)]))
    costs: dict[GeneratorWidths, float] = {}

    def cost_of(widths: GeneratorWidths) -> float:
        if widths not in costs:
            costs[widths] = cost.of(widths)
        return costs[widths]

    def student(index: int) -> GeneratorWidths:
        counts = counts_at(thresholds[index], scores, config)
        return resized(config.generator, teacher, counts)

    above, within = -1, len(thresholds) - 1
    _check_reachable(budget, least=cost_of(student(within)), most=cost_of(teacher), unit=cost.unit)
    while within - above > 1 and (cost.evaluations is None or len(costs) < cost.evaluations):
        middle = (above + within) // 2
        if cost_of(student(middle)) <= budget:
            within = middle
        else:
            above = middle
    threshold = float(thresholds[within])
    kept = best_channels(scores, counts_at(threshold, scores, config))
    return Pruning(student(within), kept, threshold, cost_of(student(within)))


def student_config(config: Config, widths: GeneratorWidths) -> Config:
    """Return the teacher's configuration with the student's widths."""
    lists = widths.to_lists(config.generator)
    return replace(config, generator=replace(config.generator, widths=lists))


def _check_reachable(budget: float, *, least: float, most: float, unit: str) -> None:
    if budget < least:
        raise CompressionError(
            f"budget: expected at least {_formatted(least)} {unit}, the smallest cost that this "
            f"generator can be pruned to, got {_formatted(budget)} {unit}",
            code="budget_too_small",
            least=least,
        )
    if budget >= most:
        raise CompressionError(
            f"budget: expected less than {_formatted(most)} {unit}, the cost of the unpruned "
            f"generator, got {_formatted(budget)} {unit}",
            code="budget_too_large",
            most=most,
        )


def _formatted(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
