from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError
from spade_paddle.losses.perceptual import (
    SqueezeNetFeatures,
    VGG19Features,
    perceptual_loss,
    weighted_l1,
)
from tests import reference
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, tensor

RATES = (0.25, 1.0, 0.5)


class TwoFeatures:
    """A feature network one can follow by hand: the picture itself and its square."""

    rates = (0.5, 2.0)

    def __call__(self, picture: paddle.Tensor) -> list[paddle.Tensor]:
        return [picture, picture**2]


def features(seed: int) -> list[np.ndarray]:
    return [
        normal(2, 3, 4, 4, seed=seed),
        normal(2, 5, 2, 2, seed=seed),
        normal(2, 7, 1, 1, seed=seed),
    ]


# --- the loss ------------------------------------------------------------------------------------


def test_weighted_l1_by_hand(float64):
    # mean |1 - 3|, |2 - 2| = 1 and mean |0 - 4| = 4: 0.5 * 1 + 0.25 * 4 = 1.5
    fake, real = [tensor([1.0, 2.0]), tensor([0.0])], [tensor([3.0, 2.0]), tensor([4.0])]
    assert weighted_l1(fake, real, (0.5, 0.25)).item() == 1.5


def test_perceptual_loss_by_hand(float64):
    # pictures 3 and 1: 0.5 * |3 - 1| + 2 * |9 - 1| = 17
    assert perceptual_loss(TwoFeatures(), tensor([3.0]), tensor([1.0])).item() == 17.0


def test_the_real_picture_leaves_no_graph_behind(float64):
    class Watching(TwoFeatures):
        recorded: ClassVar[list] = []

        def __call__(self, picture: paddle.Tensor) -> list[paddle.Tensor]:
            self.recorded.append(paddle.is_grad_enabled())
            return super().__call__(picture)

    perceptual_loss(Watching(), tensor([3.0]), tensor([1.0]))
    assert sorted(Watching.recorded) == [False, True]  # half of the memory is saved


def test_weighted_l1_agrees_with_the_article(float64):
    fake, real = features(1), features(2)
    loss = weighted_l1([tensor(f) for f in fake], [tensor(r) for r in real], RATES)
    assert_same(loss, reference.weighted_l1(fake, real, RATES))
    assert_differs(loss, reference.weighted_l1(fake, real, RATES[::-1]))  # not the deepest least


def test_perceptual_loss_of_a_picture_with_itself_is_zero_and_both_ways_the_same(float64):
    network, one, other = TwoFeatures(), tensor(normal(2, 3)), tensor(normal(2, 3, seed=1))
    assert perceptual_loss(network, one, one).item() == 0.0
    assert_same(perceptual_loss(network, one, other), perceptual_loss(network, other, one).numpy())


def test_gradient_of_perceptual_loss_is_its_slope(float64):
    fake = tensor(normal(2, 3, 4), differentiable=True)
    real = tensor(normal(2, 3, 4, seed=1))
    assert_gradients(lambda: perceptual_loss(TwoFeatures(), fake, real), [fake], places=24)


def test_perceptual_loss_pulls_only_the_fake(float64):
    fake, real = (tensor(normal(2, 3, seed=seed), differentiable=True) for seed in (1, 2))
    perceptual_loss(TwoFeatures(), fake, real).backward()
    assert fake.grad is not None
    assert real.grad is None
    real_feature = tensor([1.0], differentiable=True)
    weighted_l1([fake.sum()], [real_feature.sum()], (1.0,)).backward()
    assert real_feature.grad is None


# --- VGG19 ---------------------------------------------------------------------------------------


def vgg19_layers() -> nn.Layer:
    """The convolutional part with random weights, the same each time."""
    paddle.seed(7)
    return paddle.vision.models.vgg19(num_classes=0).features


@pytest.fixture(scope="module")
def vgg19(tmp_path_factory) -> VGG19Features:
    """Saved and loaded once: with its classifier the file has 144 million numbers."""
    path = tmp_path_factory.mktemp("vgg19") / "vgg19.pdparams"
    state = {f"features.{name}": value for name, value in vgg19_layers().state_dict().items()}
    for index, before, after in ((0, 25088, 4096), (3, 4096, 4096), (6, 4096, 1000)):
        state[f"classifier.{index}.weight"] = paddle.zeros([before, after])
        state[f"classifier.{index}.bias"] = paddle.zeros([after])
    paddle.save(state, str(path))
    del state
    paddle.seed(8)  # whoever forgets to load gets other weights
    loaded = VGG19Features(weights=path)
    path.unlink()
    return loaded


def test_vgg19_gives_the_five_maps_of_the_article(vgg19):
    # 224 pixels, halved by a pooling between two maps
    maps = vgg19(paddle.rand([1, 3, 40, 60]))
    assert [m.shape[1:] for m in maps] == [
        [64, 224, 224],
        [128, 112, 112],
        [256, 56, 56],
        [512, 28, 28],
        [512, 14, 14],
    ]
    assert vgg19.rates == (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


@pytest.fixture
def vgg19_at_32(vgg19, monkeypatch) -> VGG19Features:
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
    maps = vgg19_at_32(picture)
    assert len(taps) == len(maps) == 5
    for got, expected in zip(maps, taps):
        assert_same(got, expected, rtol=1e-5)
        assert got.numpy().min() == 0  # after the ReLU: nothing negative, something cut off


def test_vgg19_sees_the_picture_as_it_is_without_imagenet_mean(vgg19_at_32):
    picture = 2 * np.random.default_rng(0).random((1, 3, 32, 32)) - 1
    convolution = vgg19_at_32.features[0]
    weight, bias = convolution.weight.numpy(), convolution.bias.numpy()
    first = vgg19_at_32(paddle.to_tensor(picture, dtype="float32"))[0]
    expected = reference.relu(reference.conv2d(picture, weight, bias, padding=1))
    assert_same(first, expected, rtol=1e-5)
    normalised = ((picture + 1) / 2 - 0.45) / 0.225
    wrong = reference.relu(reference.conv2d(normalised, weight, bias, padding=1))
    assert_differs(first, wrong)


def test_vgg19_resizes_by_nearest_neighbour(vgg19_at_32):
    picture = normal(1, 3, 40, 24)
    resized = reference.resize_nearest(picture, 32, 32)
    got, expected = (vgg19_at_32(paddle.to_tensor(p, dtype="float32")) for p in (picture, resized))
    for one, other in zip(got, expected):
        assert_same(one, other.numpy())


def test_vgg19_takes_pictures_as_large_as_they_are_when_told_so(vgg19, monkeypatch):
    # the public SPADE's way; the article's resize to 32 would give other maps
    monkeypatch.setattr(vgg19, "resize", None)
    maps = vgg19(paddle.rand([1, 3, 48, 64]))
    assert [m.shape[2:] for m in maps] == [[48, 64], [24, 32], [12, 16], [6, 8], [3, 4]]


def test_vgg19_learns_nothing_but_lets_the_gradient_through(vgg19_at_32):
    fake = paddle.rand([1, 3, 32, 32])
    fake.stop_gradient = False
    perceptual_loss(vgg19_at_32, fake, paddle.rand([1, 3, 32, 32])).backward()
    assert np.abs(fake.grad.numpy()).max() > 0
    assert all(parameter.stop_gradient for parameter in vgg19_at_32.parameters())
    assert all(parameter.grad is None for parameter in vgg19_at_32.parameters())


# --- SqueezeNet ----------------------------------------------------------------------------------


def squeezenet_arrays() -> dict[str, np.ndarray]:
    paddle.seed(7)
    state = paddle.vision.models.squeezenet1_1().state_dict()
    return {name: value.numpy() for name, value in state.items()}


def squeezenet_file(folder: Path, **changes: np.ndarray | None) -> Path:
    arrays = {**squeezenet_arrays(), **changes}
    path = folder / "squeezenet.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.fixture
def squeezenet(tmp_path) -> SqueezeNetFeatures:
    path = squeezenet_file(tmp_path)
    paddle.seed(8)  # whoever forgets to load gets other weights
    return SqueezeNetFeatures(weights=path)


def test_squeezenet_gives_five_maps(squeezenet):
    maps = squeezenet(paddle.rand([2, 3, 64, 64]) * 2 - 1)
    assert [m.shape[1] for m in maps] == [64, 128, 256, 384, 512]
    sides = [m.shape[2] for m in maps]
    assert sides == sorted(sides, reverse=True)
    assert len(squeezenet.rates) == 5


def test_squeezenet_features_have_the_same_length_at_every_pixel(squeezenet):
    # length 1 over the channels, times sqrt(channels) so that layers count alike
    for feature in squeezenet(paddle.rand([1, 3, 64, 64]) * 2 - 1):
        length = np.sqrt((feature.numpy().astype("float64") ** 2).sum(axis=1))
        assert_same(length, np.full(length.shape, feature.shape[1] ** 0.5), rtol=1e-3)
        assert feature.numpy().min() == 0  # after the ReLU


def test_squeezenet_takes_blue_green_red_of_255_minus_the_mean(squeezenet):
    picture = 2 * np.random.default_rng(0).random((1, 3, 33, 33)) - 1
    red_green_blue = (picture + 1) / 2 * 255
    blue_green_red = red_green_blue[:, ::-1] - np.reshape([104, 117, 123], (1, 3, 1, 1))
    arrays = squeezenet_arrays()
    names = [name for name, array in arrays.items() if array.shape == (64, 3, 3, 3)]
    weight = arrays[names[0]]
    bias = arrays[names[0].replace("weight", "bias")]

    def first_map(values: np.ndarray) -> np.ndarray:
        x = reference.relu(reference.conv2d(values, weight, bias, stride=2, padding=1))
        return x / np.sqrt((x**2).sum(axis=1, keepdims=True) + 1e-6) * 8

    got = squeezenet(paddle.to_tensor(picture, dtype="float32"))[0]
    assert_same(got, first_map(blue_green_red), rtol=1e-5)
    wrong = red_green_blue - np.reshape([123, 117, 104], (1, 3, 1, 1))
    assert_differs(got, first_map(wrong))


def test_squeezenet_maps_are_the_convolution_and_every_second_fire_module(squeezenet):
    paddle.seed(7)
    network = paddle.vision.models.squeezenet1_1()
    picture = paddle.rand([1, 3, 64, 64]) * 2 - 1
    x = picture.flip(axis=[1]) * 127.5 + 127.5
    x = x - paddle.to_tensor([104.0, 117.0, 123.0]).reshape([1, 3, 1, 1])
    maps = [F.relu(network._conv(x))]
    x = network._pool(maps[0])
    for number in range(1, 9):  # of the fire modules; poolings follow the second and the fourth
        x = getattr(network, f"_conv{number}")(x)
        if number % 2 == 0:
            maps.append(x)
        if number in (2, 4):
            x = network._pool(x)
    for got, plain in zip(squeezenet(picture), maps):
        plain = plain.numpy().astype("float64")
        length = np.sqrt((plain**2).sum(axis=1, keepdims=True) + 1e-6)
        assert_same(got, plain / length * plain.shape[1] ** 0.5, rtol=1e-4)


def test_squeezenet_learns_nothing_but_lets_the_gradient_through(squeezenet):
    fake = paddle.rand([1, 3, 32, 32])
    fake.stop_gradient = False
    perceptual_loss(squeezenet, fake, paddle.rand([1, 3, 32, 32])).backward()
    assert np.isfinite(fake.grad.numpy()).all()
    assert np.abs(fake.grad.numpy()).max() > 0
    assert all(parameter.stop_gradient for parameter in squeezenet.parameters())


# --- weights files -------------------------------------------------------------------------------


def test_a_missing_weights_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(
        ModelError, match=r"nowhere\.npz: there is no such weights file.*--set"
    ) as e:
        SqueezeNetFeatures(weights=tmp_path / "nowhere.npz")
    assert e.value.code == "weights_missing"


@pytest.mark.parametrize(
    "changes, name",
    [
        ({"_conv.weight": None}, r"_conv\.weight"),
        ({"_conv.bias": np.zeros(63, dtype="float32")}, r"_conv\.bias"),
        ({"surplus": np.zeros(1, dtype="float32")}, "surplus"),
    ],
    ids=["missing", "of another shape", "left over"],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, changes, name):
    path = squeezenet_file(tmp_path, **changes)
    with pytest.raises(ModelError, match=f"do not fit SqueezeNet: .*{name}") as e:
        SqueezeNetFeatures(weights=path)
    assert e.value.code == "weights_do_not_fit"


@pytest.mark.parametrize("name", ["broken.npz", "broken.pdparams"])
@pytest.mark.parametrize("content", [b"", b"this is no weights file", b"PK\x03\x04"])
def test_a_file_that_holds_no_weights_is_an_error_that_names_it(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=name):
        SqueezeNetFeatures(weights=path)
