"""How well label maps agree: confusion matrix, intersection over union, pixel accuracy.

The formulas of the PASCAL VOC segmentation challenge (Everingham et al., IJCV 2015): counts are
summed over all pictures first, divided afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spade_paddle.data.labels import DONT_CARE


def confusion(truth: np.ndarray, predicted: np.ndarray, *, num_labels: int) -> np.ndarray:
    """Confusion matrix ``int64`` [K, K + 1]: number of pixels by true label (rows) and predicted
    label (columns, the last for "don't care").

    Pixels whose true label is "don't care" are ignored. Predicted "don't care" counts as an error:
    otherwise leaving out difficult pixels would raise the scores.

    Args:
        truth: ``uint8`` [H, W], 0..K-1 or 255.
        predicted: ``uint8`` [H, W], 0..K-1 or 255.
        num_labels: K.
    """
    known = truth != DONT_CARE
    columns = predicted[known].astype(np.int64)
    columns[columns == DONT_CARE] = num_labels
    cells = truth[known].astype(np.int64) * (num_labels + 1) + columns
    counts = np.bincount(cells, minlength=num_labels * (num_labels + 1))
    return counts.reshape(num_labels, num_labels + 1)


@dataclass(frozen=True)
class Agreement:
    """Scores from a confusion matrix; ``nan`` where they are undefined.

    IoU is undefined for labels that are neither in the truth nor predicted, recall for labels that
    are not in the truth.
    """

    iou: np.ndarray  # [K], 0..1
    recall: np.ndarray  # [K], share of the label's pixels that are predicted as such
    share: np.ndarray  # [K], share of the label among all pixels
    mean_iou: float
    pixel_accuracy: float

    @classmethod
    def of(cls, counts: np.ndarray) -> Agreement:
        """Compute the scores of a confusion matrix [K, K + 1]; ``mean_iou`` is over the labels in
        the truth."""
        num_labels = counts.shape[0]
        hits = np.diag(counts).astype(np.float64)
        truths = counts.sum(axis=1)
        predictions = counts[:, :num_labels].sum(axis=0)
        total = max(int(truths.sum()), 1)
        with np.errstate(invalid="ignore"):
            iou = hits / (truths + predictions - hits)
            recall = hits / truths
        present = truths > 0
        return cls(
            iou=iou,
            recall=recall,
            share=truths / total,
            mean_iou=float(iou[present].mean()) if present.any() else float("nan"),
            pixel_accuracy=float(hits.sum() / total),
        )


def joint_iou(counts: np.ndarray, labels: Sequence[int]) -> float:
    """Intersection over union of several labels taken as one, from a confusion matrix [K, K + 1];
    ``nan`` if none of them occurs."""
    labels = list(labels)
    hits = counts[np.ix_(labels, labels)].sum()
    union = counts[labels].sum() + counts[:, labels].sum() - hits
    return float(hits / union) if union else float("nan")
