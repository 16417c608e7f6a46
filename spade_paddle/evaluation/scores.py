"""The scores of one row of the table: a model's pictures, or the real photos."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from spade_paddle.data.labels import LabelSet
from spade_paddle.metrics.segmentation import Agreement


@dataclass(frozen=True)
class SceneScores:
    """One picture against the photo and the label map of its scene; None where nothing to compare.

    Args:
        scene: stem of its files.
        perceptual: perceptual distance to the photo.
        colour: distance of the mean colours, 0..255 each.
        confusion: int64 [K, K + 1] of the label map and what the annotator sees in the picture.
    """

    scene: str
    perceptual: float | None = None
    colour: float | None = None
    confusion: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """Without what is None."""
        values = {"scene": self.scene, "perceptual": self.perceptual, "colour": self.colour}
        if self.confusion is not None:
            agreement = Agreement.of(self.confusion)
            values["mean_iou"] = number(agreement.mean_iou)
            values["pixel_accuracy"] = number(agreement.pixel_accuracy)
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Row:
    """All scores of one set of pictures.

    Args:
        title: as the table names it.
        model: the model; None for the real photos.
        style: the style it painted with, if any.
        frechet: of the patches; None where there is nothing to compare with.
        kernel: of the averages.
        scenes: the pictures one by one.
    """

    title: str
    model: str | None
    style: str | None
    frechet: float | None
    kernel: float | None
    scenes: list[SceneScores]

    @property
    def perceptual(self) -> float | None:
        """Mean perceptual distance."""
        return _mean([scene.perceptual for scene in self.scenes])

    @property
    def colour(self) -> float | None:
        """Mean colour error, 0..255."""
        return _mean([scene.colour for scene in self.scenes])

    @property
    def agreement(self) -> Agreement | None:
        """How well the annotator sees what should be there; counts of all pictures together."""
        counts = [scene.confusion for scene in self.scenes if scene.confusion is not None]
        return Agreement.of(np.sum(counts, axis=0)) if counts else None

    def to_dict(self, label_set: LabelSet) -> dict[str, Any]:
        """JSON-serialisable, with every scene."""
        values: dict[str, Any] = {
            "title": self.title,
            "model": self.model,
            "style": self.style,
            "patch_frechet": self.frechet,
            "picture_kernel": self.kernel,
            "perceptual": self.perceptual,
            "colour": self.colour,
        }
        agreement = self.agreement
        if agreement is not None:
            values["mean_iou"] = number(agreement.mean_iou)
            values["pixel_accuracy"] = agreement.pixel_accuracy
            names = [label.name_en for label in label_set.labels]
            values["iou"] = {name: number(iou) for name, iou in zip(names, agreement.iou)}
        return {**values, "scenes": [scene.to_dict() for scene in self.scenes]}


def number(value: float) -> float | None:
    """For JSON, which has no nan."""
    return float(value) if math.isfinite(value) else None


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else float(np.mean(values))
