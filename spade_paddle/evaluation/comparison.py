"""Compares models on the same scenes, with confidence intervals of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from spade_paddle.evaluation.scores import ScoreRow, numbers
from spade_paddle.metrics.bootstrap import Estimate


@dataclass(frozen=True)
class Comparison:
    """A row and its baseline; both have the same scenes in the same order."""

    row: ScoreRow
    baseline: ScoreRow

    @cached_property
    def differences(self) -> dict[str, Estimate]:
        """Scores of the row minus those of the baseline, on the same bootstrap samples.

        The difficulty of a scene cancels in the differences, so they can distinguish models whose
        own intervals overlap.
        """
        others = self.baseline.estimates
        return {name: one.minus(others[name]) for name, one in self.row.estimates.items()}

    @property
    def nearer(self) -> int:
        """Number of scenes whose picture is nearer to the photo (perceptual distance)."""
        pairs = zip(self.row.scenes, self.baseline.scenes)
        return sum(scene.perceptual < other.perceptual for scene, other in pairs)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serializable."""
        return {
            "title": self.row.title,
            "baseline": self.baseline.title,
            **{name: numbers(estimate) for name, estimate in self.differences.items()},
            "nearer": self.nearer,
        }


def compare_to_first(rows: Sequence[ScoreRow]) -> list[Comparison]:
    """Compare the rows of all other models with those of the first one.

    The baseline of a row is the first model's row with the same style, or else its first row.
    """
    firsts = [row for row in rows if row.model == rows[0].model]
    of_style = {row.style: row for row in firsts}
    others = [row for row in rows if row.model != rows[0].model]
    return [Comparison(row, of_style.get(row.style, firsts[0])) for row in others]
