from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from paddle.nn import functional as F

from spade_paddle.errors import ModelError
from spade_paddle.features.squeezenet import SqueezeNet
from tests import reference
from tests.features.weights import squeezenet_arrays, squeezenet_file
from tests.numeric import assert_differs, assert_same


@pytest.fixture
def squeezenet(tmp_path) -> SqueezeNet:
    path = squeezenet_file(tmp_path)
    paddle.seed(8)  # whoever forgets to load gets other weights
    return SqueezeNet(weights=path)


LAYERS = tuple(SqueezeNet.channels)


def picture(side: int = 64) -> paddle.Tensor:
    values = 2 * np.random.default_rng(0).random((1, 3, side, side)) - 1
    return paddle.to_tensor(values, dtype="float32")


def test_maps_have_the_channels_it_promises(squeezenet):
    maps = squeezenet(picture(), LAYERS)
    assert {name: values.shape[1] for name, values in maps.items()} == SqueezeNet.channels
    sides = [values.shape[2] for values in maps.values()]
    assert sides == sorted(sides, reverse=True)


def test_nothing_is_computed_beyond_the_last_layer_that_is_wanted(squeezenet, monkeypatch):
    monkeypatch.setattr(squeezenet.network, "_conv3", None)
    assert list(squeezenet(picture(), ("fire3", "conv1"))) == ["conv1", "fire3"]


def test_it_takes_blue_green_red_of_255_minus_the_mean(squeezenet):
    red_green_blue = (picture(33).numpy() + 1) / 2 * 255
    blue_green_red = red_green_blue[:, ::-1] - np.reshape([104, 117, 123], (1, 3, 1, 1))
    arrays = squeezenet_arrays()

    def first_map(values: np.ndarray) -> np.ndarray:
        weight, bias = arrays["_conv.weight"], arrays["_conv.bias"]
        return reference.relu(reference.conv2d(values, weight, bias, stride=2, padding=1))

    got = squeezenet(picture(33), ("conv1",))["conv1"]
    assert_same(got, first_map(blue_green_red), rtol=1e-4)
    wrong = red_green_blue - np.reshape([123, 117, 104], (1, 3, 1, 1))
    assert_differs(got, first_map(wrong))


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """Where Paddle keeps what it has downloaded; the host of its weights cannot be reached."""
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setattr(paddle.utils.download, "WEIGHTS_HOME", str(weights))
    monkeypatch.setattr(
        paddle.vision.models.squeezenet,
        "model_urls",
        {"squeezenet1_1": ("http://127.0.0.1:9/SqueezeNet.pdparams", None)},
    )
    return weights


def test_paddles_weights_take_red_green_blue_by_mean_and_deviation(kept):
    path = kept / "SqueezeNet.pdparams"
    paddle.save(squeezenet_arrays(), str(path))
    deviations = np.reshape([0.229, 0.224, 0.225], (1, 3, 1, 1))
    means = np.reshape([0.485, 0.456, 0.406], (1, 3, 1, 1))
    standardized = ((picture(33).numpy() + 1) / 2 - means) / deviations
    arrays = squeezenet_arrays()
    weight, bias = arrays["_conv.weight"], arrays["_conv.bias"]
    expected = reference.relu(reference.conv2d(standardized, weight, bias, stride=2, padding=1))
    for given in (None, path):  # downloaded before, and a file of one's own
        network = SqueezeNet(weights=given)
        assert_same(network(picture(33), ("conv1",))["conv1"], expected, rtol=1e-4)


def test_what_cannot_be_downloaded_is_told_with_address_and_place(kept):
    with pytest.raises(ModelError, match=r"http://127.0.0.1:9/SqueezeNet.pdparams") as error:
        SqueezeNet(weights=None)
    assert error.value.code == "weights_download"
    assert str(kept) in str(error.value)
    assert "losses.perceptual_network=none" in str(error.value)


def test_maps_are_the_convolution_and_the_fire_modules(squeezenet):
    paddle.seed(7)
    network = paddle.vision.models.squeezenet1_1()
    x = picture().flip(axis=[1]) * 127.5 + 127.5
    x = x - paddle.to_tensor([104.0, 117.0, 123.0]).reshape([1, 3, 1, 1])
    expected = [F.relu(network._conv(x))]
    x = network._pool(expected[0])
    for number in range(1, 9):  # poolings follow the second and the fourth
        x = getattr(network, f"_conv{number}")(x)
        expected.append(x)
        if number in (2, 4):
            x = network._pool(x)
    for got, plain in zip(squeezenet(picture(), LAYERS).values(), expected):
        assert_same(got, plain.numpy(), rtol=1e-4)


def test_it_learns_nothing_but_lets_the_gradient_through(squeezenet):
    fake = picture()
    fake.stop_gradient = False
    squeezenet(fake, ("fire9",))["fire9"].sum().backward()
    assert np.abs(fake.grad.numpy()).max() > 0
    assert all(parameter.stop_gradient for parameter in squeezenet.parameters())


def test_a_missing_weights_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(
        ModelError, match=r"nowhere\.npz: there is no such weights file.*--set"
    ) as e:
        SqueezeNet(weights=tmp_path / "nowhere.npz")
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
        SqueezeNet(weights=path)
    assert e.value.code == "weights_do_not_fit"


@pytest.mark.parametrize("name", ["broken.npz", "broken.pdparams"])
@pytest.mark.parametrize("content", [b"", b"this is no weights file", b"PK\x03\x04"])
def test_a_file_that_holds_no_weights_is_an_error_that_names_it(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=name):
        SqueezeNet(weights=path)
