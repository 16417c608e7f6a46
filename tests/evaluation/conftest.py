"""Tiny models and scenes to evaluate, and weights for the extractor."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.judge.feature_extractor import FeatureExtractor
from spade_paddle.judge.inception import InceptionExtractor
from tests.features.efficientnet import efficientnet_file
from tests.features.inception import inception_file
from tests.inference.conftest import make_exported
from tests.synthetic import write_synthetic_dataset

__all__ = ["make_exported"]


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of random EfficientNet-Lite0 weights."""
    return efficientnet_file(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def extractor(weights):
    return FeatureExtractor(weights)


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory):
    """A file of random Inception-v3 weights."""
    return inception_file(tmp_path_factory.mktemp("inception"))


@pytest.fixture(scope="session")
def inception(inception_weights):
    return InceptionExtractor(inception_weights)


@pytest.fixture(scope="session")
def data(tmp_path_factory, landscape):
    """A data set of 5 and 4 scenes, 64 x 96 pixels; 0000 and 0001 of the latter are to report."""
    folder = tmp_path_factory.mktemp("evaluation") / "data"
    return write_synthetic_dataset(folder, label_set=landscape, train=5, val=4)


class Copyist:
    """Stands in for a Contender: paints the photo itself, a little off."""

    style = None

    def __init__(self, *, name="copyist", off=(0, 0, 0)):
        self.model = self.title = name
        self.off = np.array(off)
        self.seeds = []

    def paint(self, scene, *, seed):
        self.seeds.append(seed)
        return np.clip(scene.photo.astype(int) + self.off, 0, 255).astype(np.uint8)
