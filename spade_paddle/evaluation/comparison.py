"""Two models on the same scenes: which paints better, and is it more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spade_paddle.evaluation.scores import Row, numbers
from spade_paddle.metrics.bootstrap import Estimate


@dataclass(frozen=True)
class Comparison:
    """Scores of one row minus those of another, on the same resampled scenes.

    The difficulty of a scene drops out of the differences, so they tell models apart whose own
    intervals overlap.

    Args:
        title: the row.
        baseline: title of the other.
        differences: by the name of the score.
        nearer: in how many scenes the row is nearer to the photo (perceptual distance).
        scenes: of so many.
    """

    title: str
    baseline: str
    differences: Mapping[str, Estimate]
    nearer: int
    scenes: int

    @classmethod
    def of(cls, row: Row, baseline: Row) -> Comparison:
        """Both rows are of the same scenes, in the same order."""
        pairs = zip(row.scenes, baseline.scenes)
        return cls(
            row.title,
            baseline.title,
            {
                name: estimate.minus(baseline.estimates[name])
                for name, estimate in row.estimates.items()
            },
            sum(scene.perceptual < other.perceptual for scene, other in pairs),
            len(row.scenes),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {
            "title": self.title,
            "baseline": self.baseline,
            **{name: numbers(estimate) for name, estimate in self.differences.items()},
            "nearer": self.nearer,
        }


def compare_to_first(rows: Sequence[Row]) -> list[Comparison]:
    """The rows of all other models against the first one's.

    Like is compared with like, average style with average style; a row whose kind the first model
    has not, with its first row.
    """
    firsts = [row for row in rows if row.model == rows[0].model]
    of_style = {row.style: row for row in firsts}
    others = [row for row in rows if row.model != rows[0].model]
    return [Comparison.of(row, of_style.get(row.style, firsts[0])) for row in others]
