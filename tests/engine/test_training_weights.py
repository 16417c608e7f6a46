"""training.pdparams: what float16 keeps, and files that are no good."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.training_weights import TrainingWeights
from spade_paddle.errors import ModelError
from spade_paddle.weights import HALF_ERROR, halved
from tests.engine.small_runs import STYLE, build, numbers, tiny


def test_known_numbers_in_half_precision():
    value = np.array([[1.0, 1.0 + 2.0**-12, -0.5], [0.0, 3.0, 60000.0]], np.float32)
    half = halved(value)
    assert half.dtype == np.float16
    assert half.tolist() == [[1.0, 1.0, -0.5], [0.0, 3.0, 60000.0]]
    assert halved(np.zeros((2, 3), np.float32)).dtype == np.float16


@pytest.mark.parametrize(
    "value",
    [
        np.ones(4, np.float32),  # running statistics, vectors of spectral norm
        np.full((2, 2), 65520.0, np.float32),  # rounds to infinity
        np.array([[1.0, 1.0e9]], np.float32),
        np.full((2, 2), 1.3e-8, np.float32),  # rounds to nothing
        np.full((2, 2), 1.0e-30, np.float32),  # so does its square, in float32
        np.ones((2, 2), np.int64),
    ],
    ids=str,
)
def test_what_float16_would_spoil_stays_as_it_is(value):
    assert halved(value) is value


@pytest.mark.parametrize("scale", [1e-8, 1e-5, 1e-3, 1.0, 1e4, 1e6])
def test_half_precision_changes_a_tensor_by_rounding_only(scale):
    value = np.random.default_rng(0).normal(0, scale, (8, 8, 3, 3)).astype(np.float32)
    error = np.linalg.norm(halved(value).astype(np.float64) - value)
    assert error <= HALF_ERROR * np.linalg.norm(value.astype(np.float64))


@pytest.mark.parametrize("half", [True, False])
def test_a_file_gives_back_every_tensor_of_every_network(tmp_path, half):
    networks = build(tiny(STYLE), seed=1)
    networks["generator"].up_3.conv_0.bias.set_value(np.full([2], 1e9, np.float32))
    states = {part: network.state_dict() for part, network in networks.items()}
    path = tmp_path / "training.pdparams"
    TrainingWeights(states, images_seen=26000, half=half).write(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    read = TrainingWeights.read(path)
    assert read.images_seen == 26000
    assert read.states.keys() == states.keys() == {"generator", "encoder", "discriminator"}
    rounded = 0
    for part in states:
        expected = numbers(networks, part)
        assert read.states[part].keys() == expected.keys()
        assert any(name.endswith("weight_u") for name in expected)
        for name, value in expected.items():
            got = read.states[part][name].numpy()
            assert got.dtype == value.dtype
            assert got.shape == value.shape
            assert np.linalg.norm(got - value) <= half * HALF_ERROR * np.linalg.norm(value) * 1.01
            rounded += not np.array_equal(got, value)
    assert (rounded > 0) == half


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_is_named_in_writing_and_in_reading(tmp_path, value):
    states = {"generator": {"fc.weight": paddle.full([2, 3], value), "fc.bias": paddle.zeros([3])}}
    path = tmp_path / "training.pdparams"
    with pytest.raises(ModelError, match=r"generator of the run: fc\.weight must be finite, but 6"):
        TrainingWeights(states).write(path)
    assert not list(tmp_path.iterdir())
    paddle.save(states, str(path))
    with pytest.raises(ModelError, match=r"pdparams: generator: fc.weight .* copy the model"):
        TrainingWeights.read(path)


@pytest.mark.parametrize("content", [b"", b"no weights", [1, 2], {"generator": 3}])
def test_a_file_that_is_none_of_ours_is_called_damaged(tmp_path, content):
    path = tmp_path / "training.pdparams"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        paddle.save(content, str(path))
    with pytest.raises(ModelError) as error:
        TrainingWeights.read(path)
    assert error.value.code == "weights_damaged"


def test_a_file_without_a_count_of_images_is_read(tmp_path):
    path = tmp_path / "training.pdparams"
    paddle.save({"generator": {"a": paddle.ones([2])}}, str(path))
    read = TrainingWeights.read(path)
    assert read.images_seen is None
    assert list(read.states) == ["generator"]


def test_those_of_a_run_are_of_its_newest_checkpoint(tmp_path):
    run = RunFolder(tmp_path)
    for images in (2, 4):
        weights = {"a": paddle.full([2], images)}
        run.save({"generator": weights, "average": weights, "images_seen": images})
    read = TrainingWeights.of_run(run)
    assert read.images_seen == 4
    assert list(read.states) == ["generator"]  # averages do not train
    assert read.states["generator"]["a"].numpy().tolist() == [4, 4]


def test_a_run_without_a_checkpoint_has_none_and_nothing_to_paint_with(tmp_path):
    run = RunFolder(tmp_path)
    with pytest.raises(ModelError, match="no checkpoint here, and a snapshot holds only averaged"):
        TrainingWeights.of_run(run)
    with pytest.raises(ModelError, match=r"no checkpoint here; give the --run folder"):
        run.averages()
