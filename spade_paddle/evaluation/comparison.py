"""Two models on the same scenes: which paints more of them better, and is it more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spade_paddle.evaluation.scores import Row


@dataclass(frozen=True)
class Comparison:
    """Perceptual distances of one row minus those of another, scene by scene.

    The difficulty of a scene drops out of the differences, so they tell models apart that the two
    means do not.

    Args:
        title: the row.
        baseline: title of the other.
        differences: of the scenes, in order; below 0 the row is better.
    """

    title: str
    baseline: str
    differences: list[float]

    @classmethod
    def of(cls, row: Row, baseline: Row) -> Comparison:
        """Both rows are of the same scenes, at least 2, in the same order."""
        pairs = zip(row.scenes, baseline.scenes)
        differences = [scene.perceptual - other.perceptual for scene, other in pairs]
        return cls(row.title, baseline.title, differences)

    @property
    def mean(self) -> float:
        """Mean difference."""
        return float(np.mean(self.differences))

    @property
    def standard_error(self) -> float:
        """Of the mean: ``s / sqrt(n)``, with the n - 1 deviation s."""
        return float(np.std(self.differences, ddof=1) / len(self.differences) ** 0.5)

    @property
    def better(self) -> int:
        """In how many scenes the row is nearer to the photo."""
        return sum(difference < 0 for difference in self.differences)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        numbers = {"mean": self.mean, "standard_error": self.standard_error, "better": self.better}
        return {**asdict(self), **numbers}


def compare_to_first(rows: Sequence[Row]) -> list[Comparison]:
    """The rows of all other models against the first one's.

    Like is compared with like, average style with average style; a row whose kind the first model
    has not, with its first row.
    """
    firsts = [row for row in rows if row.model == rows[0].model]
    of_style = {row.style: row for row in firsts}
    others = [row for row in rows if row.model != rows[0].model]
    return [Comparison.of(row, of_style.get(row.style, firsts[0])) for row in others]
