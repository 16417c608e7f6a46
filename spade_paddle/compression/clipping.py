"""Clipping a generator to a budget: the largest one, by one threshold, that is not above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spade_paddle.compression.cost import Cost
from spade_paddle.compression.counts import Kept, best_channels, counts_at
from spade_paddle.compression.groups import resized, widths_of
from spade_paddle.compression.scores import channel_scores, judged_groups
from spade_paddle.config import Config
from spade_paddle.errors import CompressionError
from spade_paddle.networks.widths import GeneratorWidths


@dataclass(frozen=True)
class Clipping:
    """What is left of a generator.

    Attributes:
        widths: of the student.
        kept: the teacher's channels that it has.
        threshold: no judged channel with a score up to this is kept, but for the least that must.
        cost: of the student, in the unit of the budget.
    """

    widths: GeneratorWidths
    kept: Kept
    threshold: float
    cost: float


def clip_to(
    budget: float, state: Mapping[str, Any], config: Config, *, num_labels: int, cost: Cost
) -> Clipping:
    """The largest generator that costs at most the budget.

    Bisection over the scores that there are: a higher threshold leaves fewer channels (CAT, Jin et
    al. 2021; its public code halves an interval of thresholds instead, and need not end).

    Args:
        budget: what the student may cost.
        state: the teacher's, with or without spectral norm.
        config: the teacher's.
        num_labels: of the teacher's label set.
        cost: of macs_cost or bytes_cost, or one's own, such as a measured latency.

    Raises:
        CompressionError: the budget is not positive, below all that can be reached, or not below
            what the teacher costs.
    """
    if not budget > 0:
        raise CompressionError(
            f"budget: expected more than 0 {cost.unit}, got {budget}", code="budget_not_positive"
        )
    teacher = widths_of(config)
    scores = channel_scores(state, config, num_labels=num_labels)
    thresholds = np.unique(np.concatenate([scores[group] for group in judged_groups(config)]))
    asked: dict[GeneratorWidths, float] = {}

    def ask(widths: GeneratorWidths) -> float:
        if widths not in asked:
            asked[widths] = cost.of(widths)
        return asked[widths]

    def student(index: int) -> GeneratorWidths:
        counts = counts_at(thresholds[index], scores, config)
        return resized(config.generator, teacher, counts)

    above, within = -1, len(thresholds) - 1
    _check_reachable(budget, least=ask(student(within)), most=ask(teacher), unit=cost.unit)
    while within - above > 1 and (cost.evaluations is None or len(asked) < cost.evaluations):
        middle = (above + within) // 2
        if ask(student(middle)) <= budget:
            within = middle
        else:
            above = middle
    threshold = float(thresholds[within])
    kept = best_channels(scores, counts_at(threshold, scores, config))
    return Clipping(student(within), kept, threshold, ask(student(within)))


def student_config(config: Config, widths: GeneratorWidths) -> Config:
    """The teacher's configuration with the student's widths."""
    lists = widths.to_lists(config.generator)
    return replace(config, generator=replace(config.generator, widths=lists))


def _check_reachable(budget: float, *, least: float, most: float, unit: str) -> None:
    if budget < least:
        raise CompressionError(
            f"budget: expected at least {_told(least)} {unit}, which is the smallest that this "
            f"generator can be clipped to, got {_told(budget)} {unit}",
            code="budget_too_small",
            least=least,
        )
    if budget >= most:
        raise CompressionError(
            f"budget: expected less than {_told(most)} {unit}, which is what the generator costs "
            f"as it is, got {_told(budget)} {unit}",
            code="budget_too_large",
            most=most,
        )


def _told(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
