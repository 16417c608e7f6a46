"""The result of an evaluation as tables for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from spade_paddle.data.labels import LabelSet
from spade_paddle.evaluation.comparison import Comparison, compare_to_first
from spade_paddle.evaluation.scores import Row
from spade_paddle.judge.eye import LAYERS
from spade_paddle.metrics.bootstrap import Estimate

_SETS = """\
Frechet distance of EfficientNet-Lite0 features at every position (block 4: textures, block 10:
parts of things), from the pictures to the photos; the first line is the floor, from the photos to
as many photos of the other part. It is no FID. Grid: energy that repeats every 8 pixels; more than
the photos have is a weave. In brackets: where 95 % of resampled sets of scenes lie."""
_SCENES = """\
Perceptual (0 to 2) and colour (0 to 255): from each picture to its photo; smaller is nearer. Own
style: the model was shown the photo. Diversity: how unlike pictures of one map are with other
seeds."""
_SEEN = """\
Mean IoU and accuracy: whether an annotator sees in the pictures what their label maps say; what it
sees in the photos is the ceiling that can be hoped for, though a painted picture may be easier."""
_DIFFERENCES = """\
Differences to the first model on the same resampled scenes. Smaller is better, but for mean IoU. An
interval that does not hold 0 is more than chance of the scenes."""
_DIGITS = {"perceptual": 3, "colour": 1, "mean_iou": 3, "pixel_accuracy": 3}  # others have 2


@dataclass(frozen=True)
class Report:
    """All that was found.

    Args:
        protocol: how it was measured, JSON-serialisable.
        rows: the real photos first; the models are compared with the first of them.
        label_set: of the scenes.
    """

    protocol: dict[str, Any]
    rows: Sequence[Row]
    label_set: LabelSet

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Of all models with the first."""
        return compare_to_first(self.rows[1:])

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, with the scores of every scene."""
        return {
            "protocol": self.protocol,
            "rows": [self._with_multiples(row) for row in self.rows],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
        }

    def text(self) -> str:
        """Markdown tables, ready for a model card."""
        seen = "mean_iou" in self.rows[0].estimates
        sets = ["pictures"]
        for layer in LAYERS.values():
            sets += [f"Frechet, {layer}", "x floor"]
        scenes = ["pictures", "perceptual", "colour", "diversity"]
        scenes += ["mean IoU", "accuracy"] if seen else []
        parts = [
            f"{len(self.rows[0].scenes)} scenes.",
            _table([*sets, "grid, %"], [self._set_cells(row) for row in self.rows]),
            _SETS,
            _table(scenes, [self._scene_cells(row, seen=seen) for row in self.rows]),
            "\n".join([_SCENES, *([_SEEN] if seen else [])]),
        ]
        if self.comparisons:
            head = ["pictures", "compared with", *(f"{one}, x floor" for one in LAYERS.values())]
            head += ["grid, %", "perceptual", *(["mean IoU"] if seen else []), "nearer in"]
            lines = [self._comparison_cells(each, seen=seen) for each in self.comparisons]
            parts += [_table(head, lines), _DIFFERENCES]
        return "\n\n".join(parts)

    def _floor(self, name: str) -> float | None:
        """The photos' own distance; None where there is none to divide by."""
        estimate = self.rows[0].estimates.get(name)
        return None if estimate is None or not estimate.value else estimate.value

    def _with_multiples(self, row: Row) -> dict[str, Any]:
        values = row.to_dict(self.label_set)
        for name in LAYERS:
            floor = self._floor(name)
            if floor is not None:
                values[name]["over_floor"] = row.estimates[name].value / floor
        return values

    def _set_cells(self, row: Row) -> list[str]:
        cells = [row.title]
        for name in LAYERS:
            estimate = row.estimates.get(name)
            cells.append("-" if estimate is None else f"{estimate.value:.2f}")
            cells.append(self._cell(row.estimates, name))
        return [*cells, self._cell(row.estimates, "grid_energy")]

    def _scene_cells(self, row: Row, *, seen: bool) -> list[str]:
        names = ("perceptual", "colour", *(("mean_iou", "pixel_accuracy") if seen else ()))
        cells = [row.title, *(self._cell(row.estimates, name) for name in names)]
        cells.insert(3, "-" if row.diversity is None else f"{row.diversity:.3f}")
        return cells

    def _comparison_cells(self, each: Comparison, *, seen: bool) -> list[str]:
        names = (*LAYERS, "grid_energy", "perceptual", *(("mean_iou",) if seen else ()))
        return [
            each.row.title,
            each.baseline.title,
            *(self._cell(each.differences, name, sign="+") for name in names),
            f"{each.nearer} of {len(each.row.scenes)}",
        ]

    def _cell(self, estimates: Mapping[str, Estimate], name: str, *, sign: str = "") -> str:
        """``1.52 [1.31, 1.75]``, distances in multiples of the floor, the grid in percent; a dash
        where there is no number."""
        unit = self._floor(name) if name in LAYERS else {"grid_energy": 0.01}.get(name, 1.0)
        estimate = estimates.get(name)
        if estimate is None or unit is None or not math.isfinite(estimate.value):
            return "-"
        estimate = estimate.over(unit)
        low, high = estimate.interval
        kind = f"{sign}.{_DIGITS.get(name, 2)}f"
        return f"{estimate.value:{kind}} [{low:{kind}}, {high:{kind}}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown whose columns also stand in line as plain text; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, widths))
        return f"| {first.strip():<{widths[0]}} | {' | '.join(rest)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])
