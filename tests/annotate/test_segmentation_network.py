"""Class probabilities out of a real PaddleSeg network."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.annotate.segmentation_network import SegmentationNetwork
from tests.synthetic import synthetic_scene


@pytest.fixture(scope="module")
def network(studio):
    folder = studio.annotator
    return SegmentationNetwork(folder / "model.yml", str(folder / "model.pdparams"))


@pytest.fixture
def photos(landscape):
    sizes = ((64, 96), (64, 80), (64, 96))
    return [
        synthetic_scene(seed, label_set=landscape, height=height, width=width).photo
        for seed, (height, width) in enumerate(sizes)
    ]


def test_probabilities_of_every_pixel_sum_to_one_at_the_size_of_the_photo(network, photos):
    for photo, scores in zip(photos, network.scores(photos)):
        assert scores.shape == (13, *photo.shape[:2])
        assert scores.min() >= 0
        assert np.allclose(scores.sum(axis=0), 1, atol=1e-5)


def test_photos_give_the_same_alone_and_together(network, photos):
    for photo, together in zip(photos, network.scores(photos)):
        assert np.allclose(network.scores([photo])[0], together, atol=1e-5)


def test_mirror_image_gives_the_mirrored_scores_only_when_both_are_looked_at(network, photos):
    photo, mirrored = photos[0], np.ascontiguousarray(photos[0][:, ::-1])
    once, reverse = network.scores([photo])[0], network.scores([mirrored])[0][:, :, ::-1]
    assert np.abs(once - reverse).max() > 1e-3
    both = [network.scores([picture], flip=True)[0] for picture in (photo, mirrored)]
    assert np.allclose(both[0], both[1][:, :, ::-1], atol=1e-5)


def test_scales_are_averaged_as_scores_before_the_softmax(network, photos):
    one, other = (network.scores(photos[:1], scales=[scale])[0] for scale in (1.0, 1.5))
    both = network.scores(photos[:1], scales=[1.0, 1.5])[0]
    mean = np.sqrt(one * other)  # a mean of scores is a geometric one of probabilities
    assert np.allclose(both, mean / mean.sum(axis=0), atol=1e-4)
    assert np.abs(one - other).max() > 1e-3
