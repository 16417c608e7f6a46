"""From class probabilities to labels, with a network of known answers."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.data.label_sets import find_label_set, find_remap
from spade_paddle.data.remap import Remap


class FixedScores:
    """Stands in for a SegmentationNetwork: gives the same probabilities for every photo."""

    def __init__(self, scores):
        self.scores_of_photo = np.asarray(scores, np.float32)

    def scores(self, photos, *, scales, flip):
        return [self.scores_of_photo for _ in photos]


def scores_of(ade20k, pixels):
    """[150, 1, len(pixels)] probabilities; each pixel a dictionary by class name."""
    scores = np.zeros((150, 1, len(pixels)), np.float32)
    for column, pixel in enumerate(pixels):
        for name, probability in pixel.items():
            scores[ade20k.id_of(name), 0, column] = probability
    return scores


@pytest.fixture
def ade20k():
    return find_label_set("ade20k")


def test_probabilities_of_classes_that_become_one_label_are_added_first(ade20k, landscape):
    pixel = {"mountain": 0.3, "hill": 0.3, "sky": 0.4}  # the likeliest class alone is sky
    network = FixedScores(scores_of(ade20k, [pixel]))
    annotator = Annotator(network, remap=find_remap(ade20k, landscape))
    annotation = annotator.annotate(np.zeros((1, 1, 3), np.uint8))
    assert annotation.label_map.tolist() == [[landscape.id_of("mountain")]]
    assert annotation.confidence[0, 0] == pytest.approx(0.6)


def test_pixels_below_the_least_confidence_are_dont_care(ade20k, landscape):
    pixels = [{"sky": 0.5, "tree": 0.5}, {"sky": 0.39, "tree": 0.3, "sea": 0.31}]
    network = FixedScores(scores_of(ade20k, pixels))
    remap = find_remap(ade20k, landscape)
    annotator = Annotator(network, remap=remap, min_confidence=0.4)
    label_map = annotator.annotate(np.zeros((1, 2, 3), np.uint8)).label_map
    assert label_map.tolist() == [[landscape.id_of("sky"), 255]]


def test_classes_that_become_dont_care_win_as_a_group_too(landscape):
    table = np.full(256, 255, np.uint8)
    table[1] = 1  # sky stays; all others are "don't care"
    remap = Remap(source=landscape, target=landscape, table=table)
    scores = np.full((13, 1, 1), 0.06, np.float32)
    scores[1] = 0.28
    annotator = Annotator(FixedScores(scores), remap=remap)
    assert annotator.annotate(np.zeros((1, 1, 3), np.uint8)).label_map.tolist() == [[255]]


@pytest.mark.parametrize("reach, rows", [(0.0, 12), (0.2, 10)])
def test_edges_move_to_those_of_the_photo_within_the_reach(landscape, reach, rows):
    scores = np.zeros((13, 20, 20), np.float32)
    scores[1, :12] = scores[3, 12:] = 1
    photo = np.full((20, 20, 3), (120, 90, 60), np.uint8)
    photo[:10] = (130, 170, 220)
    identity = Remap(source=landscape, target=landscape, table=np.arange(256).astype(np.uint8))
    annotator = Annotator(FixedScores(scores), remap=identity, edge_reach=reach)
    label_map = annotator.annotate(photo).label_map
    assert abs((label_map == 1).sum(axis=0) - rows).max() <= 1
