"""Tiny models and scenes to evaluate, and weights for the eye."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.data.synthetic import write_synthetic_dataset
from spade_paddle.evaluation.features import PictureFeatures
from tests.features.weights import squeezenet_file
from tests.inference.conftest import make_exported

__all__ = ["make_exported"]


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of random SqueezeNet weights."""
    return squeezenet_file(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def eye(weights):
    return PictureFeatures(weights)


@pytest.fixture(scope="session")
def data(tmp_path_factory, landscape):
    """A data set of 5 and 4 scenes, 64 x 96 pixels."""
    folder = tmp_path_factory.mktemp("evaluation") / "data"
    return write_synthetic_dataset(folder, label_set=landscape, train=5, val=4)


class Copyist:
    """Stands in for a Contender: paints the photo itself, a little off."""

    model, style, title = "copyist", None, "copyist"

    def __init__(self, *, off=(0, 0, 0)):
        self.off = np.array(off)
        self.seeds = []

    def paint(self, scene, *, seed):
        self.seeds.append(seed)
        return np.clip(scene.photo.astype(int) + self.off, 0, 255).astype(np.uint8)
