from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.errors import ModelError
from spade_paddle.features.vgg19 import VGG19
from spade_paddle.losses.perceptual import VGG19_RATES
from tests import reference
from tests.numeric import assert_differs, assert_same, normal

LAYERS = tuple(VGG19_RATES)


def vgg19_layers() -> nn.Layer:
    """The convolutional part with random weights that float16 holds, the same each time."""
    paddle.seed(7)
    layers = paddle.vision.models.vgg19(num_classes=0).features
    for parameter in layers.parameters():
        parameter.set_value(parameter.astype("float16").astype("float32"))
    return layers


def vgg19_file(folder: Path, **others: paddle.Tensor) -> Path:
    """40 MB: the convolutional part in float16, and what else is given."""
    state = {
        f"features.{name}": value.astype("float16")
        for name, value in vgg19_layers().state_dict().items()
    }
    path = folder / "vgg19.pdparams"
    paddle.save({**state, **others}, str(path))
    return path


@pytest.fixture(scope="module")
def vgg19(tmp_path_factory) -> VGG19:
    path = vgg19_file(tmp_path_factory.mktemp("vgg19"))
    paddle.seed(8)  # whoever forgets to load gets other weights
    loaded = VGG19(weights=path)
    path.unlink()
    return loaded


def test_a_files_classifier_is_left_out_and_nothing_else(tmp_path, vgg19):
    # as in Paddle's file, but for its 124 million numbers
    path = vgg19_file(tmp_path, **{"classifier.0.weight": paddle.zeros([2, 3])})
    loaded = VGG19(weights=path)
    assert not any("classifier" in name for name in loaded.state_dict())
    assert_same(loaded.features[28].weight, vgg19.features[28].weight.numpy())
    path = vgg19_file(tmp_path, **{"features.1.weight": paddle.zeros([2, 3])})
    with pytest.raises(ModelError, match=r"features\.1\.weight: expected nothing, got \(2, 3\)"):
        VGG19(weights=path)
    path.unlink()


def test_paddles_own_weights_are_asked_for_without_the_classifier(monkeypatch):
    asked = []
    network = paddle.vision.models.vgg19(num_classes=0)
    monkeypatch.setattr(
        paddle.vision.models, "vgg19", lambda **options: asked.append(options) or network
    )
    VGG19()
    assert asked == [{"pretrained": True, "num_classes": 0}]


def test_vgg19_gives_the_five_maps_of_the_article(vgg19):
    # 224 pixels, halved by a pooling between two maps
    maps = vgg19(paddle.rand([1, 3, 40, 60]), LAYERS)
    assert [m.shape[1:] for m in maps.values()] == [
        [64, 224, 224],
        [128, 112, 112],
        [256, 56, 56],
        [512, 28, 28],
        [512, 14, 14],
    ]


@pytest.fixture
def vgg19_at_32(vgg19, monkeypatch) -> VGG19:
    monkeypatch.setattr(vgg19, "resize", 32)
    return vgg19


def test_vgg19_taps_are_the_first_relu_of_every_block(vgg19_at_32):
    picture = paddle.rand([1, 3, 32, 32]) * 2 - 1
    taps, x, first = [], picture, True
    for layer in vgg19_layers():
        x = layer(x)
        if isinstance(layer, nn.MaxPool2D):
            first = True
        elif isinstance(layer, nn.ReLU) and first:
            taps.append(x.numpy())
            first = False
    maps = list(vgg19_at_32(picture, LAYERS).values())
    assert len(taps) == len(maps) == 5
    for got, expected in zip(maps, taps):
        assert_same(got, expected, rtol=1e-5)
        assert got.numpy().min() == 0  # after the ReLU: nothing negative, something cut off


def test_vgg19_sees_the_picture_as_it_is_without_imagenet_mean(vgg19_at_32):
    picture = 2 * np.random.default_rng(0).random((1, 3, 32, 32)) - 1
    convolution = vgg19_at_32.features[0]
    weight, bias = convolution.weight.numpy(), convolution.bias.numpy()
    first = vgg19_at_32(paddle.to_tensor(picture, dtype="float32"), ("relu1_1",))["relu1_1"]
    expected = reference.relu(reference.conv2d(picture, weight, bias, padding=1))
    assert_same(first, expected, rtol=1e-5)
    normalized = ((picture + 1) / 2 - 0.45) / 0.225
    wrong = reference.relu(reference.conv2d(normalized, weight, bias, padding=1))
    assert_differs(first, wrong)


def test_vgg19_resizes_by_nearest_neighbor(vgg19_at_32):
    picture = normal(1, 3, 40, 24)
    resized = reference.resize_nearest(picture, 32, 32)
    got, expected = (
        vgg19_at_32(paddle.to_tensor(p, dtype="float32"), LAYERS) for p in (picture, resized)
    )
    for one, other in zip(got.values(), expected.values()):
        assert_same(one, other.numpy())


def test_vgg19_takes_pictures_as_large_as_they_are_when_told_so(vgg19, monkeypatch):
    # the public SPADE's way; the article's resize to 32 would give other maps
    monkeypatch.setattr(vgg19, "resize", None)
    maps = vgg19(paddle.rand([1, 3, 48, 64]), LAYERS)
    assert [m.shape[2:] for m in maps.values()] == [[48, 64], [24, 32], [12, 16], [6, 8], [3, 4]]


def test_vgg19_learns_nothing_but_lets_the_gradient_through(vgg19_at_32):
    fake = paddle.rand([1, 3, 32, 32])
    fake.stop_gradient = False
    vgg19_at_32(fake, ("relu5_1",))["relu5_1"].sum().backward()
    assert np.abs(fake.grad.numpy()).max() > 0
    assert all(parameter.stop_gradient for parameter in vgg19_at_32.parameters())
    assert all(parameter.grad is None for parameter in vgg19_at_32.parameters())
