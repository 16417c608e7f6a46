"""The result of an evaluation as tables for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spade_paddle.data.labels import LabelSet
from spade_paddle.evaluation.comparison import Comparison
from spade_paddle.evaluation.scores import Row, number

_COLUMNS = ("pictures", "patch Frechet", "kernel x1000", "perceptual", "colour")
_SEEN = ("mean IoU", "accuracy")
_LEGEND = """\
Of the first four numbers the smaller is the better. Frechet and kernel: from the set of pictures to
the set of photos; on the first line, from the photos to as many photos of the other part.
Perceptual and colour (0..255): from each picture to its photo, on average. Own style: the model was
shown the photo. The features are those of the usual perceptual loss, so the numbers made of them
flatter whoever trained with it."""
_LEGEND_SEEN = """\
Mean IoU and accuracy: whether an annotator sees in the pictures what their label maps say. The
photos' line is no ceiling: it can be easier to see that in a painted picture than in a photo."""


@dataclass(frozen=True)
class Report:
    """All that was found.

    Args:
        protocol: how it was measured, JSON-serialisable.
        rows: the real photos first.
        comparisons: of all models to the first.
        label_set: of the scenes.
    """

    protocol: dict[str, Any]
    rows: Sequence[Row]
    comparisons: Sequence[Comparison]
    label_set: LabelSet

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, with the scores of every scene."""
        return {
            "protocol": self.protocol,
            "rows": [row.to_dict(self.label_set) for row in self.rows],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
        }

    def text(self) -> str:
        """Markdown tables, ready for a model card."""
        scenes = len(self.rows[0].scenes)
        seen = self.rows[0].agreement is not None
        parts = [
            _table(_COLUMNS + (_SEEN if seen else ()), [_cells(row) for row in self.rows]),
            "\n".join([f"{scenes} scenes.", _LEGEND, *([_LEGEND_SEEN] if seen else [])]),
        ]
        if self.comparisons:
            head = ("pictures", "compared with", "difference", "standard error", "nearer in")
            lines = [_comparison_cells(comparison) for comparison in self.comparisons]
            parts += ["Perceptual distance scene by scene; below 0 is better:", _table(head, lines)]
        return "\n\n".join(parts)


def _cells(row: Row) -> list[str]:
    kernel = None if row.kernel is None else row.kernel * 1000
    values = [(row.frechet, 1), (kernel, 1), (row.perceptual, 4), (row.colour, 1)]
    agreement = row.agreement
    if agreement is not None:
        values += [(number(agreement.mean_iou), 3), (agreement.pixel_accuracy, 3)]
    return [row.title, *("-" if value is None else f"{value:.{n}f}" for value, n in values)]


def _comparison_cells(comparison: Comparison) -> list[str]:
    return [
        comparison.title,
        comparison.baseline,
        f"{comparison.mean:+.4f}",
        f"{comparison.standard_error:.4f}",
        f"{comparison.better} of {len(comparison.differences)}",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown whose columns also stand in line as plain text; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, widths))
        return f"| {first.strip():<{widths[0]}} | {' | '.join(rest)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])
