"""What the extractor sees: positions, distances, and which weights it refuses."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ModelError
from spade_paddle.judge.feature_extractor import FeatureExtractor, PictureFeatures, feature_distance
from tests.evaluation.conftest import extractor, weights
from tests.features.efficientnet import efficientnet_file, random_arrays, reference_maps
from tests.inference.conftest import photo

__all__ = ["extractor", "weights"]


def test_every_position_is_a_sample():
    features = PictureFeatures({"block4": np.arange(12).reshape(2, 2, 3)})  # channel 0 holds 0..5
    samples = [[0, 6], [1, 7], [2, 8], [3, 9], [4, 10], [5, 11]]
    assert features.samples("block4").tolist() == samples
    moments = features.moments("block4")
    assert (moments.count, moments.mean.tolist()) == (6, [2.5, 8.5])


def test_picture_of_256_pixels_has_1024_and_256_positions(extractor):
    features = extractor.extract(photo(height=256, width=256))
    assert features.samples("block4").shape == (1024, 40)
    assert features.samples("block10").shape == (256, 112)


def test_pixels_of_a_photo_are_seen_as_the_network_was_trained(extractor):
    picture = photo(1, 64, 64)
    expected = reference_maps(picture.transpose(2, 0, 1) / 127.5 - 1, random_arrays())
    for layer, values in extractor.extract(picture).maps.items():
        assert values == pytest.approx(expected[layer], rel=1e-3, abs=1e-3)


def test_distance_is_one_minus_the_cosine_at_every_place():
    def features(*vectors):  # of two channels, a row of places
        return PictureFeatures({"block4": np.float32(vectors).T[:, None]})

    right, up, left = (3, 0), (0, 2), (-1, 0)
    assert feature_distance(features(right), features(right)) == 0
    assert feature_distance(features(right), features((7, 0))) == 0  # the length does not count
    assert feature_distance(features(right), features(up)) == 1
    assert feature_distance(features(right), features(left)) == 2
    assert feature_distance(features(right, right), features(left, right)) == 1
    both = PictureFeatures({"a": np.float32([[[1]]]), "b": np.float32([[[1]]])})
    other = PictureFeatures({"a": np.float32([[[1]]]), "b": np.float32([[[-1]]])})
    assert feature_distance(both, other) == 1  # layers count alike


def test_weights_that_are_missing_or_no_numbers_are_told(tmp_path):
    with pytest.raises(ModelError, match=r"none\.npz: there is no such .*--features") as error:
        FeatureExtractor(tmp_path / "none.npz")
    assert error.value.code == "weights_missing"
    broken = efficientnet_file(tmp_path, **{"block3.project.bias": np.full(40, np.nan)})
    with pytest.raises(ModelError, match="not finite"):
        FeatureExtractor(broken)


def test_what_training_looks_through_does_not_judge(tmp_path):
    state = paddle.vision.models.squeezenet1_1().state_dict()
    path = tmp_path / "squeezenet1_1.npz"
    np.savez(path, **{name: value.numpy() for name, value in state.items()})
    with pytest.raises(
        ModelError, match=r"squeezenet1_1\.npz: .*weights of EfficientNet-"
    ) as error:
        FeatureExtractor(path)
    assert error.value.code == "judge_weights"
