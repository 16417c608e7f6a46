"""How well label maps agree: confusion matrix, intersection over union, pixel accuracy.

The formulas of the PASCAL VOC segmentation challenge (Everingham et al., IJCV 2015): counts are
summed over all pictures first, divided afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spade_paddle.data.labels import DONT_CARE


def confusion(truth: np.ndarray, predicted: np.ndarray, *, num_labels: int) -> np.ndarray:
    """``int64`` [K, K + 1]: how many pixels of true label i were given label j; last column:
    given none (255).

    Pixels whose true label is "don't care" count nowhere; pixels that were given none count as
    wrong, or an annotator could win by silence.

    Args:
        truth: ``uint8`` [H, W], 0..K-1 or 255.
        predicted: the same size.
        num_labels: K.
    """
    known = truth != DONT_CARE
    given = predicted[known].astype(np.int64)
    given[given == DONT_CARE] = num_labels
    cells = truth[known].astype(np.int64) * (num_labels + 1) + given
    counts = np.bincount(cells, minlength=num_labels * (num_labels + 1))
    return counts.reshape(num_labels, num_labels + 1)


@dataclass(frozen=True)
class Agreement:
    """Scores out of a confusion matrix; ``nan`` for a label that nowhere is or was given."""

    iou: np.ndarray  # [K], 0..1
    recall: np.ndarray  # [K], share of the label's pixels that were found
    share: np.ndarray  # [K], of all pixels
    mean_iou: float
    pixel_accuracy: float

    @classmethod
    def of(cls, counts: np.ndarray) -> Agreement:
        """The scores of a confusion matrix [K, K + 1]; labels that are absent from the truth do not
        enter the mean."""
        num_labels = counts.shape[0]
        hits = np.diag(counts).astype(np.float64)
        truths = counts.sum(axis=1)
        givens = counts[:, :num_labels].sum(axis=0)
        total = max(int(truths.sum()), 1)
        with np.errstate(invalid="ignore"):
            iou = hits / (truths + givens - hits)
            recall = hits / truths
        present = truths > 0
        return cls(
            iou=iou,
            recall=recall,
            share=truths / total,
            mean_iou=float(iou[present].mean()) if present.any() else float("nan"),
            pixel_accuracy=float(hits.sum() / total),
        )
