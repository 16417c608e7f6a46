"""How well an annotator agrees with the validation scenes of a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.metrics.segmentation import Agreement, confusion


def validate(annotator: Annotator, data: Path) -> Agreement:
    """Annotate the photos of ``data``'s validation part and compare with their label maps.

    Raises:
        DataError: there is no validation part, or a file of it is broken.
    """
    num_labels = len(annotator.label_set)
    counts = np.zeros((num_labels, num_labels + 1), np.int64)
    for pair in find_pairs(data, "val"):
        scene = read_scene(pair, annotator.label_set)
        given = annotator.annotate(scene.photo).label_map
        counts += confusion(scene.label_map, given, num_labels=num_labels)
    return Agreement.of(counts)
