"""The scores of one row of the table: a model's pictures, or the real photos."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spade_paddle.data.labels import LabelSet
from spade_paddle.metrics.bootstrap import Estimate
from spade_paddle.metrics.segmentation import Agreement


@dataclass(frozen=True)
class SceneScores:
    """Scores of one picture against the photo and the label map of its scene.

    Args:
        scene: stem of its files.
        perceptual: distance of deep features to the photo, 0..2 (judge/feature_extractor.py); None
            for a photo.
        color: distance to the photo's mean color, 0..441; None for a photo.
        confusion: confusion matrix of the label map and the annotator's output on the picture,
            int64 [K, K + 1]; None without an annotator.
    """

    scene: str
    perceptual: float | None = None
    color: float | None = None
    confusion: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-serializable, without fields that are None."""
        values = {"scene": self.scene, "perceptual": self.perceptual, "color": self.color}
        if self.confusion is not None:
            agreement = Agreement.of(self.confusion)
            values["mean_iou"] = number(agreement.mean_iou)
            values["pixel_accuracy"] = number(agreement.pixel_accuracy)
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class ScoreRow:
    """All scores of one set of pictures.

    Args:
        title: name in the tables.
        model: name of the model; None for the real photos.
        style: its style, if any.
        scenes: scores of the single pictures.
        estimates: scores of the set by name, with bootstrap replicates: ``frechet_4``,
            ``frechet_10``, ``grid_energy`` and those of ``scene_estimates``; with Inception ``fid``
            and ``kid``, with stored statistics ``fid_statistics``. For the photos, distances are
            the floors, and are missing if there are no other photos.
        diversity: mean perceptual distance between pictures of one scene with different seeds,
            0..2; None for photos and for folders of pictures.
    """

    title: str
    model: str | None
    style: str | None
    scenes: list[SceneScores]
    estimates: Mapping[str, Estimate]
    diversity: float | None = None

    @property
    def agreement(self) -> Agreement | None:
        """Agreement of the annotator's output with the label maps, counts summed over pictures."""
        counts = [scene.confusion for scene in self.scenes if scene.confusion is not None]
        return Agreement.of(np.sum(counts, axis=0)) if counts else None

    def to_dict(self, label_set: LabelSet) -> dict[str, Any]:
        """JSON-serializable, with every scene."""
        values: dict[str, Any] = {"title": self.title, "model": self.model, "style": self.style}
        values.update({name: numbers(estimate) for name, estimate in self.estimates.items()})
        values["diversity"] = self.diversity
        agreement = self.agreement
        if agreement is not None:
            names = [label.name_en for label in label_set.labels]
            values["iou"] = {name: number(iou) for name, iou in zip(names, agreement.iou)}
        return {**values, "scenes": [scene.to_dict() for scene in self.scenes]}


def scene_estimates(scenes: Sequence[SceneScores], draws: np.ndarray) -> dict[str, Estimate]:
    """Average ``perceptual``, ``color``, ``mean_iou`` and ``pixel_accuracy``, as far as measured.

    Args:
        scenes: S scenes.
        draws: bootstrap weights [R, S] (metrics/bootstrap.py).
    """
    estimates = {}
    for name in ("perceptual", "color"):
        values = [getattr(scene, name) for scene in scenes]
        if None not in values:
            estimates[name] = Estimate(float(np.mean(values)), draws @ values / len(values))
    counts = [scene.confusion for scene in scenes if scene.confusion is not None]
    if counts:
        whole = Agreement.of(np.sum(counts, axis=0))
        drawn = [Agreement.of(pooled) for pooled in np.tensordot(draws, np.stack(counts), axes=1)]
        for name in ("mean_iou", "pixel_accuracy"):
            replicates = np.array([getattr(each, name) for each in drawn])
            estimates[name] = Estimate(getattr(whole, name), replicates)
    return estimates


def numbers(estimate: Estimate) -> dict[str, float | None]:
    """Value and interval, JSON-serializable."""
    low, high = estimate.interval
    return {"value": number(estimate.value), "low": number(low), "high": number(high)}


def number(value: float) -> float | None:
    """Replace nan, which JSON does not have, by None."""
    return float(value) if math.isfinite(value) else None
