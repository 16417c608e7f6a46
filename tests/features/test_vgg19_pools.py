"""VGG19 as PaddleGAN's photopen sees it: the resized picture and four poolings."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.config import Config
from spade_paddle.engine.feature_networks import build_perceptual_loss
from spade_paddle.features import vgg19 as vgg19_module
from spade_paddle.features.vgg19 import VGG19
from spade_paddle.losses.perceptual import PHOTOPEN_RATES, PerceptualLoss
from tests import reference
from tests.numeric import assert_differs, assert_same, normal


@pytest.fixture(scope="module")
def layers() -> nn.Layer:
    """The convolutional part with random weights."""
    paddle.seed(7)
    return paddle.vision.models.vgg19(num_classes=0)


@pytest.fixture
def without_file(layers, monkeypatch) -> None:
    monkeypatch.setattr(vgg19_module, "vision_model", lambda name, **_: layers)


def pictures(*shape: int, seed: int = 0) -> paddle.Tensor:
    return paddle.to_tensor(normal(*shape, seed=seed).astype("float32"))


def test_its_maps_are_the_resized_picture_and_what_comes_out_of_four_poolings(without_file, layers):
    network, given = VGG19(resize=32), pictures(1, 3, 40, 24)
    maps = network(given, tuple(PHOTOPEN_RATES))
    x = paddle.to_tensor(reference.resize_nearest(given.numpy(), 32, 32), dtype="float32")
    expected = [x]
    for layer in layers.features:
        x = layer(x)
        if isinstance(layer, nn.MaxPool2D):
            expected.append(x)
    assert len(expected) == 6  # photopen computes the fifth and drops it
    for (name, found), right in zip(maps.items(), expected):
        assert_same(found, right.numpy(), rtol=1e-5)
        assert found.shape[1] == VGG19.channels[name]
    assert [found.shape[2] for found in maps.values()] == [32, 16, 8, 4, 2]
    assert_differs(maps["picture"], network(-given, ("picture",))["picture"].numpy())


def test_the_picture_alone_needs_no_layer(without_file, layers):
    given = pictures(1, 3, 32, 32)
    network = VGG19(resize=None)
    network.features = None
    assert_same(network(given, ("picture",))["picture"], given.numpy())


def test_the_preset_weighs_them_as_photopen_does(without_file):
    losses = Config.preset("photopen", "losses.perceptual_resize=32").losses
    loss = build_perceptual_loss(losses)
    assert losses.perceptual == 1.6
    assert loss.rates == {
        **{"picture": 1 / 32, "pool1": 1 / 16, "pool2": 1 / 8},
        **{"pool3": 1 / 4, "pool4": 1.0},
    }
    fake, real = pictures(2, 3, 32, 32), pictures(2, 3, 32, 32, seed=1)
    maps = [loss.network(each, tuple(loss.rates)) for each in (fake, real)]
    expected = sum(
        rate * float((maps[0][name] - maps[1][name]).abs().mean())
        for name, rate in loss.rates.items()
    )
    assert float(loss(fake, real)) == pytest.approx(expected, rel=1e-5)
    usual = build_perceptual_loss(Config.preset("article", "losses.perceptual_resize=32").losses)
    assert abs(float(usual(fake, real)) - expected) > 0.01 * expected


def test_what_stays_of_a_difference_of_two_pictures_reaches_the_fake_one(without_file):
    fake, real = pictures(1, 3, 32, 32), pictures(1, 3, 32, 32, seed=1)
    fake.stop_gradient = False
    PerceptualLoss(VGG19(resize=None), {"picture": 0.5})(fake, real).backward()
    expected = 0.5 * np.sign(fake.numpy() - real.numpy()) / real.size
    assert_same(fake.grad, expected, rtol=1e-6)
