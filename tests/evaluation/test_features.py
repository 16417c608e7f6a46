"""What the eye sees: positions, averages, distances."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.data.batches import to_network
from spade_paddle.errors import ModelError
from spade_paddle.evaluation.features import Features, FeatureSet, PictureFeatures
from spade_paddle.features.squeezenet import SqueezeNet
from spade_paddle.losses.perceptual import SQUEEZENET_RATES, PerceptualLoss
from spade_paddle.metrics.frechet import frechet_distance
from spade_paddle.metrics.kernel import kernel_distance
from tests.features.weights import squeezenet_file
from tests.inference.conftest import photo


def features_of(last):
    """Features whose last map [C, h, w] is this."""
    first = np.zeros((1, 2, 9, 9), np.float32)
    return Features([paddle.to_tensor(first), paddle.to_tensor(np.float32(last)[None])])


def test_every_position_of_the_last_map_is_a_patch():
    last = np.arange(12).reshape(2, 2, 3)  # channel 0 holds 0..5, channel 1 holds 6..11
    patches = features_of(last).patches()
    assert patches.tolist() == [[0, 6], [1, 7], [2, 8], [3, 9], [4, 10], [5, 11]]


def test_picture_of_256_pixels_has_225_patches_of_512_channels(eye):
    assert eye.of(photo(height=256, width=256)).patches().shape == (225, 512)


def test_frechet_takes_the_patches_of_all_pictures_and_kernel_their_averages():
    rng = np.random.default_rng(0)
    maps = rng.random((2, 5, 3, 4, 4)).astype(np.float32)  # two sets of five pictures
    sets = [FeatureSet(), FeatureSet()]
    for pictures, gathered in zip(maps, sets):
        for last in pictures:
            gathered.add(features_of(last))
    patches = [pictures.transpose(0, 2, 3, 1).reshape(-1, 3) for pictures in maps]
    assert sets[0].frechet_to(sets[1]) == pytest.approx(frechet_distance(*patches), rel=1e-9)
    averages = [pictures.mean(axis=(2, 3)) for pictures in maps]
    assert sets[0].kernel_to(sets[1]) == pytest.approx(kernel_distance(*averages), rel=1e-5)


def test_perceptual_distance_is_the_loss_of_training(eye, weights):
    one, other = photo(1, 64, 64), photo(2, 64, 64)
    pictures = [paddle.to_tensor(to_network(picture[None])) for picture in (one, other)]
    loss = PerceptualLoss(SqueezeNet(weights=weights), SQUEEZENET_RATES, scaling="length")
    expected = float(loss(*pictures))
    assert expected > 0
    distance = eye.perceptual_distance(eye.of(one), eye.of(other))
    assert distance == pytest.approx(expected, rel=1e-5)
    assert eye.perceptual_distance(eye.of(one), eye.of(one)) == 0


def test_weights_that_are_missing_or_no_numbers_are_told(tmp_path):
    with pytest.raises(ModelError, match=r"none\.npz: there is no such .*--features") as error:
        PictureFeatures(tmp_path / "none.npz")
    assert error.value.code == "weights_missing"
    broken = squeezenet_file(tmp_path, **{"_conv.bias": np.full(64, np.nan, np.float32)})
    with pytest.raises(ModelError, match="not finite"):
        PictureFeatures(broken)
