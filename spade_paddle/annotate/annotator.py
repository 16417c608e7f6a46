"""An annotator: predicts label maps of photos, in any label set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spade_paddle.annotate.annotator_files import (
    DEFAULT_ANNOTATOR,
    AnnotatorFiles,
    choose_annotator,
)
from spade_paddle.annotate.edges import snap_to_edges
from spade_paddle.annotate.segmentation_network import MODEL_LABELS, SegmentationNetwork
from spade_paddle.data.label_sets import find_label_set, find_remap
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.data.remap import Remap
from spade_paddle.errors import ModelError

# label sets by PaddleSeg's data set class, and by number of classes
_SETS_OF_DATASETS = {
    "ADE20K": "ade20k",
    "Cityscapes": "cityscapes_train",
    "CocoStuff": "coco_stuff_171",
}
_SETS_OF_COUNTS = {150: "ade20k", 19: "cityscapes_train", 171: "coco_stuff_171", 182: "coco_stuff"}


@dataclass(frozen=True)
class Annotation:
    """Label map ``uint8`` [H, W] (255 where the confidence is too low), and confidence ``float32``
    [H, W] in 0..1: the probability of the most likely label."""

    label_map: np.ndarray
    confidence: np.ndarray


class Annotator:
    """A segmentation network with a mapping from its classes to a label set.

    Args:
        network: predicts class probabilities.
        remap: from the network's label set to the target label set.
        scales: test-time augmentation: scales of the photos over which predictions are averaged.
        flip: also average over mirror images.
        min_confidence: pixels with a lower confidence become "don't care".
        edge_reach: edges of the label map move to edges of the photo by up to this share of its
            short side (edges.py); 0: they stay.

    Attributes:
        label_set: the target label set.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        *,
        remap: Remap,
        scales: Sequence[float] = (1.0,),
        flip: bool = False,
        min_confidence: float = 0.0,
        edge_reach: float = 0.0,
    ) -> None:
        self._network = network
        self._groups = _groups_of(remap)
        self._scales = tuple(scales)
        self._flip = flip
        self._min_confidence = min_confidence
        self._edge_reach = edge_reach
        self.label_set = remap.target

    @classmethod
    def load(
        cls,
        model: str | Path | AnnotatorFiles = DEFAULT_ANNOTATOR,
        *,
        label_set: LabelSet | None = None,
        model_labels: str | None = None,
        **options: Any,
    ) -> Annotator:
        """Open the included annotator, or one given by name, folder or YAML file.

        Args:
            model: as in ``choose_annotator``.
            label_set: the target label set; None: that of the network.
            model_labels: name or file of the network's label set, if its files do not state it.
            options: ``scales``, ``flip``, ``min_confidence`` and ``edge_reach``, as above.

        Raises:
            ModelError: there is no such annotator, or it cannot be opened.
            ConfigError: its labels cannot be converted to the target label set.
        """
        files = model if isinstance(model, AnnotatorFiles) else choose_annotator(model)
        labels = model_labels or files.labels
        classes = None if labels is None else len(find_label_set(labels))
        network = SegmentationNetwork(files.config, files.weights, exported_classes=classes)
        own = _own_label_set(network, files, model_labels)
        remap = find_remap(own, own if label_set is None else label_set)
        return cls(network, remap=remap, **options)

    def annotate(self, photo: np.ndarray) -> Annotation:
        """Annotate one photo, ``uint8`` [H, W, 3] RGB."""
        return self.annotate_batch([photo])[0]

    def annotate_batch(self, photos: Sequence[np.ndarray]) -> list[Annotation]:
        """Annotate several photos; those of the same size share a forward pass."""
        scores = self._network.scores(photos, scales=self._scales, flip=self._flip)
        return [self._most_likely(photo, score) for photo, score in zip(photos, scores)]

    def _most_likely(self, photo: np.ndarray, scores: np.ndarray) -> Annotation:
        """A photo and its class probabilities [K, H, W] -> the most likely target label.

        Probabilities of classes that map to the same label are added first: a pixel that is half
        "mountain" and half "hill" is certainly a mountain, if both map to it.
        """
        classes, height, width = scores.shape
        sums = self._groups @ scores.reshape(classes, height * width)
        best = sums.argmax(axis=0)
        confidence = np.take_along_axis(sums, best[None], axis=0)[0]
        labels = best.astype(np.uint8).reshape(height, width)
        labels[labels == len(self.label_set)] = DONT_CARE
        if self._edge_reach:
            labels = snap_to_edges(photo, labels, reach=self._edge_reach * min(height, width))
        confidence = confidence.reshape(height, width)
        labels[confidence < self._min_confidence] = DONT_CARE
        return Annotation(label_map=labels, confidence=np.clip(confidence, 0, 1))


def _groups_of(remap: Remap) -> np.ndarray:
    """Return a matrix ``float32`` [labels + 1, classes]: 1 where a class maps to a label; the last
    row is "don't care"."""
    rows = remap.table[: len(remap.source)].astype(np.int64)
    rows[rows == DONT_CARE] = len(remap.target)
    groups = np.zeros((len(remap.target) + 1, len(remap.source)), np.float32)
    groups[rows, np.arange(len(remap.source))] = 1
    return groups


def _own_label_set(
    network: SegmentationNetwork, files: AnnotatorFiles, model_labels: str | None
) -> LabelSet:
    """Find the label set of the network's classes."""
    by_name = _SETS_OF_DATASETS.get(network.dataset, _SETS_OF_COUNTS.get(network.num_classes))
    chosen = model_labels or files.labels or by_name
    if chosen is None:
        raise ModelError(
            f"{files.config}: the label set of its {network.num_classes} classes is unknown; give "
            f"it with {MODEL_LABELS}, or put a labels.json beside the file",
            code="annotator_labels",
        )
    label_set = find_label_set(chosen)
    if len(label_set) != network.num_classes:
        raise ModelError(
            f"{files.config}: the network has {network.num_classes} classes, but the label set "
            f"'{label_set.name}' has {len(label_set)}; give the right one with {MODEL_LABELS}",
            code="annotator_labels",
        )
    return label_set
