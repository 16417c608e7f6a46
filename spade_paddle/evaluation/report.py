"""The result of an evaluation as tables for people and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from spade_paddle.data.labels import LabelSet
from spade_paddle.evaluation.comparison import Comparison, compare_to_first
from spade_paddle.evaluation.scores import ScoreRow
from spade_paddle.judge.feature_extractor import LAYERS
from spade_paddle.metrics.bootstrap import Estimate

_SETS = """\
Frechet distance of EfficientNet-Lite0 features at every position (block 4: textures, block 10:
object parts), from the pictures to the photos; the first row is the floor, from the photos to as
many photos of the other split. It is not FID. Grid: share of energy that repeats every 8 pixels;
more than in the photos means a visible grid. Brackets: 95 % bootstrap intervals."""
_INCEPTION = """\
FID: Frechet distance of Inception-v3 features, one vector per picture (Heusel et al. 2017). With
fewer than a few thousand pictures it is biased far upward: compare it only at equal numbers of
pictures, and with the floor in the first row. KID (Binkowski et al. 2018) is unbiased."""
_SCENES = """\
Perceptual (0 to 2) and color (0 to 441): distance from each picture to its photo. Own style: the
model was given the photo. Diversity: perceptual distance between pictures of one label map with
different seeds."""
_AGREEMENT = """\
Mean IoU and accuracy: agreement of an annotator's output on the pictures with their label maps. Its
values on the photos are a reference, which painted pictures may exceed if they are easier."""
_DIFFERENCES = """\
Differences to the first model on the same bootstrap samples. Smaller is better, except for mean
IoU. A difference is significant if its interval does not contain 0."""
_DIGITS = {"perceptual": 3, "color": 1, "mean_iou": 3, "pixel_accuracy": 3}  # others have 2
_UNITS = {"grid_energy": 0.01, "kid": 0.001}
_HEADS = {
    **{name: f"Frechet, {layer}" for name, layer in LAYERS.items()},
    "grid_energy": "grid, %",
    "fid": "FID",
    "fid_statistics": "FID to statistics",
    "kid": "KID x 1000",
    "perceptual": "perceptual",
    "color": "color",
    "diversity": "diversity",
    "mean_iou": "mean IoU",
    "pixel_accuracy": "accuracy",
}


@dataclass(frozen=True)
class EvaluationReport:
    """The result of an evaluation.

    Args:
        protocol: how it was measured, JSON-serializable. Its ``common`` line is shown under every
            table, and the ``measures`` (evaluation/protocol.py) of the table's scores.
        rows: the real photos, then the models; the first model is the baseline.
        label_set: labels of the scenes.
    """

    protocol: dict[str, Any]
    rows: Sequence[ScoreRow]
    label_set: LabelSet

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Comparisons of all other models with the first one."""
        return compare_to_first(self.rows[1:])

    def to_dict(self) -> dict[str, Any]:
        """JSON-serializable, with the scores of every scene."""
        return {
            "protocol": self.protocol,
            "rows": [self._with_multiples(row) for row in self.rows],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
        }

    def text(self) -> str:
        """Markdown tables for a model card, each with its protocol."""
        estimates = self.rows[0].estimates
        if len(self.rows) > 1:
            estimates = {**estimates, **self.rows[1].estimates}
        agreement = [name for name in ("mean_iou", "pixel_accuracy") if name in estimates]
        sets = ["pictures"]
        for name in LAYERS:
            sets += [_HEADS[name], "x floor"]
        scenes = ["perceptual", "color", "diversity", *agreement]
        parts = [
            _table([*sets, _HEADS["grid_energy"]], [self._set_cells(row) for row in self.rows]),
            "\n".join([_SETS, *self._protocol([*LAYERS, "grid_energy"])]),
        ]
        inception = [name for name in ("fid", "fid_statistics", "kid") if name in estimates]
        if inception:
            lines = [[row.title, *self._cells(row.estimates, inception)] for row in self.rows]
            parts.append(_table(["pictures", *(_HEADS[name] for name in inception)], lines))
            parts.append("\n".join([_INCEPTION, *self._protocol(inception)]))
        parts.append(
            _table(
                ["pictures", *(_HEADS[name] for name in scenes)],
                [self._scene_cells(row, agreement) for row in self.rows],
            )
        )
        parts.append(
            "\n".join([_SCENES, *([_AGREEMENT] if agreement else []), *self._protocol(scenes)])
        )
        if self.comparisons:
            names = [*LAYERS, "grid_energy", *inception, "perceptual", *agreement[:1]]
            heads = [
                f"{LAYERS[name]}, x floor" if name in LAYERS else _HEADS[name] for name in names
            ]
            lines = [self._comparison_cells(each, names) for each in self.comparisons]
            parts.append(_table(["pictures", "compared with", *heads, "nearer in"], lines))
            parts.append("\n".join([_DIFFERENCES, *self._protocol([])]))
        return "\n\n".join(parts)

    def _protocol(self, names: Sequence[str]) -> list[str]:
        """Lines to print under a table with these scores."""
        measures = self.protocol.get("measures", {})
        lines = [f"- {_HEADS[name]}: {measures[name]}" for name in names if name in measures]
        return [f"Protocol: {self.protocol['common']}", *lines] if "common" in self.protocol else []

    def _floor(self, name: str) -> float | None:
        """The floor of a distance; None if it was not measured or is 0."""
        estimate = self.rows[0].estimates.get(name)
        return None if estimate is None or not estimate.value else estimate.value

    def _with_multiples(self, row: ScoreRow) -> dict[str, Any]:
        values = row.to_dict(self.label_set)
        for name in LAYERS:
            floor = self._floor(name)
            if floor is not None:
                values[name]["over_floor"] = row.estimates[name].value / floor
        return values

    def _set_cells(self, row: ScoreRow) -> list[str]:
        cells = [row.title]
        for name in LAYERS:
            estimate = row.estimates.get(name)
            cells.append("-" if estimate is None else f"{estimate.value:.2f}")
            cells.append(self._cell(row.estimates, name))
        return [*cells, self._cell(row.estimates, "grid_energy")]

    def _scene_cells(self, row: ScoreRow, agreement: Sequence[str]) -> list[str]:
        cells = [row.title, *self._cells(row.estimates, ["perceptual", "color", *agreement])]
        cells.insert(3, "-" if row.diversity is None else f"{row.diversity:.3f}")
        return cells

    def _comparison_cells(self, each: Comparison, names: Sequence[str]) -> list[str]:
        cells = self._cells(each.differences, names, sign="+")
        nearer = f"{each.nearer} of {len(each.row.scenes)}"
        return [each.row.title, each.baseline.title, *cells, nearer]

    def _cells(
        self, estimates: Mapping[str, Estimate], names: Sequence[str], *, sign: str = ""
    ) -> list[str]:
        return [self._cell(estimates, name, sign=sign) for name in names]

    def _cell(self, estimates: Mapping[str, Estimate], name: str, *, sign: str = "") -> str:
        """Format ``1.52 [1.31, 1.75]``: Frechet distances in multiples of the floor, the grid in
        percent; ``-`` if there is no value."""
        unit = self._floor(name) if name in LAYERS else _UNITS.get(name, 1.0)
        estimate = estimates.get(name)
        if estimate is None or unit is None or not math.isfinite(estimate.value):
            return "-"
        estimate = estimate.divided_by(unit)
        low, high = estimate.interval
        kind = f"{sign}.{_DIGITS.get(name, 2)}f"
        return f"{estimate.value:{kind}} [{low:{kind}}, {high:{kind}}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns; numbers are right-aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, widths))
        return f"| {first.strip():<{widths[0]}} | {' | '.join(rest)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)])
