"""Inception-v3 against stored activations of another implementation, and piece by piece."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ModelError
from spade_paddle.features.inception import (
    AVERAGE,
    MAXIMUM,
    SHRINK,
    Branches,
    InceptionV3,
    Step,
)
from spade_paddle.features.network import fold_batch_norm
from tests.features.inception import (
    BRANCH_MEANS,
    DEVIATION,
    FEATURES,
    inception_file,
    layers,
    picture,
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return InceptionV3(weights=inception_file(tmp_path_factory.mktemp("inception")))


def features_of(network, *pictures):
    with paddle.no_grad():
        return network(paddle.to_tensor(np.stack(pictures))).numpy()


def test_activations_are_those_of_torchvisions_network_with_the_poolings_of_fid(network):
    features = features_of(network, picture())[0]
    assert features.shape == (2048,)
    for index, value in FEATURES.items():
        assert features[index] == pytest.approx(value, abs=3e-5), index
    for (start, end), mean in BRANCH_MEANS.items():
        assert features[start:end].mean() == pytest.approx(mean, rel=1e-5)
    assert features.std() == pytest.approx(DEVIATION, rel=1e-5)


def test_names_and_shapes_are_those_of_the_weights_file(network):
    own = {name: value.shape for name, value in network.state_dict().items()}
    found = {
        name[: -len(".weight")].removeprefix("stem."): tuple(shape)
        for name, shape in own.items()
        if name.endswith(".weight")
    }
    assert found == layers()
    assert len(own) == 2 * len(found)  # and their biases, which are batch norm's


def test_maps_of_299_pixels_are_those_of_the_paper(network, monkeypatch):
    sizes = []
    with paddle.no_grad():
        x = network.stem(paddle.zeros([1, 3, 299, 299]))
        sizes.append(tuple(x.shape[1:]))
        for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a"):
            x = getattr(network, name)(x)
            sizes.append(tuple(x.shape[1:]))
    assert sizes == [(192, 35, 35), (256, 35, 35), (288, 35, 35), (288, 35, 35), (768, 17, 17)]


def test_pictures_of_a_batch_do_not_mix(network):
    both = features_of(network, picture()[::-1].copy(), picture())
    assert both[1] == pytest.approx(features_of(network, picture())[0], rel=1e-4, abs=1e-5)
    assert np.abs(both[0] - both[1]).max() > 0.1


def pooled(values, kind):
    x = paddle.to_tensor(np.float32(values)[None, None])
    return Branches(1, [(kind,)])(x).numpy()[0, 0].tolist()


def test_poolings():
    values = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    # of the corner the mean of 1, 2, 4 and 5: padding is not counted
    assert pooled(values, AVERAGE) == [[3, 3.5, 4], [4.5, 5, 5.5], [6, 6.5, 7]]
    assert pooled(values, MAXIMUM) == [[5, 6, 6], [8, 9, 9], [8, 9, 9]]
    assert pooled(np.arange(25).reshape(5, 5), SHRINK) == [[12, 14], [22, 24]]


def test_branches_stand_one_after_the_other_and_steps_of_a_fork_see_the_same():
    fork = (Step("left", 1), Step("right", 2))
    block = Branches(1, [(Step("first", 1), fork), (MAXIMUM, Step("second", 1))])
    assert block.width == 4
    values = {"first": [2], "left": [3], "right": [5, -7], "second": [11]}
    for name, weights in values.items():
        layer = getattr(block, name)
        layer.weight.set_value(np.float32(weights).reshape(-1, 1, 1, 1))
        layer.bias.set_value(np.zeros(len(weights), np.float32))
    output = block(paddle.ones([1, 1, 2, 2])).numpy()[0, :, 0, 0]
    assert output.tolist() == [6, 10, 0, 11]  # ReLU after every convolution


def test_batch_norm_is_folded_with_its_epsilon():
    arrays = {
        "a.weight": np.full((1, 1, 1, 2), [3.0, 4.0]),
        "b.weight": np.array([2.0]),
        "b.bias": np.array([0.25]),
        "b.running_mean": np.array([3.0]),
        "b.running_var": np.array([0.0]),
    }
    found = fold_batch_norm(arrays, convolution="a", norm="b", where="file")
    scale = 2 / np.sqrt(1e-3)
    assert found["weight"][0, 0, 0] == pytest.approx([3 * scale, 4 * scale], rel=1e-6)
    assert found["bias"] == pytest.approx([0.25 - 3 * scale], rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fc.bias": np.zeros(1000)}, r"2015 .* 1008 outputs \(fc.bias\), got 1000"),
        ({"fc.bias": None}, "got 0"),
        ({"Mixed_6e.branch_pool.bn.running_var": None}, r"expected Mixed_6e\.\S*running_var, got"),
        ({"Mixed_7c.branch1x1.conv.weight": None}, r"Mixed_7c\.branch1x1\.weight: expected"),
        ({"AuxLogits.conv0.conv.weight": np.ones((1, 1, 1, 1))}, r"expected AuxLogits\.conv0\.bn"),
    ],
    ids=["ImageNet's", "no classifier", "half a layer", "a layer less", "one more"],
)
def test_other_weights_are_refused(tmp_path, changes, message):
    with pytest.raises(ModelError, match=message) as error:
        InceptionV3(weights=inception_file(tmp_path, **changes))
    assert error.value.code == "weights_do_not_fit"


def test_missing_file_says_which_it_is(tmp_path):
    with pytest.raises(ModelError, match=r"no such weights file; .*FID.*docs/evaluation\.md"):
        InceptionV3(weights=tmp_path / "none.pth")
