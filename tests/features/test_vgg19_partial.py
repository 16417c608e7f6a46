from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.config import LossConfig
from spade_paddle.engine.feature_networks import build_perceptual_loss
from spade_paddle.errors import ModelError
from spade_paddle.features.vgg19_partial import MEAN, PartialVGG19
from tests import reference
from tests.numeric import assert_differs, assert_same

WIDTHS = {"1_1": 4, "1_2": 3, "2_1": 5, "2_2": 4, "3_1": 6}


def arrays() -> dict[str, np.ndarray]:
    rng, before, made = np.random.default_rng(0), 3, {}
    for name, width in WIDTHS.items():
        made[f"conv{name}.weight"] = rng.normal(size=(width, before, 3, 3)).astype("float32")
        made[f"conv{name}.bias"] = rng.normal(size=width).astype("float32")
        before = width
    return made


@pytest.fixture
def weights(tmp_path):
    np.savez(tmp_path / "partial.npz", **arrays())
    return tmp_path / "partial.npz"


def picture() -> np.ndarray:
    return 2 * np.random.default_rng(1).random((2, 3, 12, 16)) - 1


def by_hand(values: np.ndarray) -> dict[str, np.ndarray]:
    x, maps, made = values, {}, arrays()
    for name in WIDTHS:
        if name.endswith("_1") and name != "1_1":
            count, channels, height, width = x.shape
            x = x.reshape(count, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))
        x = reference.conv2d(x, made[f"conv{name}.weight"], made[f"conv{name}.bias"], padding=1)
        x = reference.relu(x)
        maps[f"relu{name}"] = x
    return maps


def test_maps_are_the_convolutions_of_blue_green_red_without_the_mean(weights):
    network = PartialVGG19(weights=weights)
    assert network.channels == {f"relu{name}": width for name, width in WIDTHS.items()}
    mean = np.reshape(MEAN, (1, 3, 1, 1))
    expected = by_hand((picture() * 127.5 + 127.5)[:, ::-1] - mean)
    got = network(paddle.to_tensor(picture(), dtype="float32"), tuple(network.channels))
    for name, values in expected.items():
        assert_same(got[name], values, rtol=1e-4)
    wrong = by_hand(picture() * 127.5 + 127.5 - mean[:, ::-1])  # red, green, blue
    assert_differs(got["relu1_1"], wrong["relu1_1"])


def test_it_learns_nothing_but_lets_the_gradient_through(weights):
    network = PartialVGG19(weights=weights)
    fake = paddle.to_tensor(picture(), dtype="float32", stop_gradient=False)
    network(fake, ("relu3_1",))["relu3_1"].sum().backward()
    assert np.abs(fake.grad.numpy()).max() > 0
    assert all(parameter.stop_gradient for parameter in network.parameters())


def test_the_perceptual_loss_divides_its_layers_by_the_photos_mean(weights):
    options = LossConfig(perceptual_network="vgg19", perceptual_weights=str(weights))
    loss = build_perceptual_loss(options)
    assert (loss.scaling, list(loss.rates)) == ("mean", ["relu1_1", "relu2_1", "relu3_1"])
    layers = LossConfig(
        perceptual_network="vgg19",
        perceptual_weights=str(weights),
        perceptual_layers="relu1_2 relu2_2",
    )
    assert build_perceptual_loss(layers).rates == {"relu1_2": 1.0, "relu2_2": 1.0}


def test_a_layer_beyond_the_file_is_named(weights):
    options = LossConfig(
        perceptual_network="vgg19", perceptual_weights=str(weights), perceptual_layers="relu3_2"
    )
    with pytest.raises(ModelError, match="not have the layers relu3_2; choose from relu1_1"):
        build_perceptual_loss(options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv1_1.weight": None}, "expected VGG19's first convolutions"),
        ({"conv2_1.bias": None}, r"do not fit PartialVGG19: .*conv2_1\.bias"),
        ({"conv2_1.weight": None}, r"do not fit PartialVGG19: .*conv2_1\.bias"),
    ],
    ids=["nothing of it", "no bias", "a gap"],
)
def test_files_that_do_not_fit_are_told(tmp_path, change, message):
    held = {name: array for name, array in {**arrays(), **change}.items() if array is not None}
    np.savez(tmp_path / "odd.npz", **held)
    with pytest.raises(ModelError, match=message):
        PartialVGG19(weights=tmp_path / "odd.npz")
