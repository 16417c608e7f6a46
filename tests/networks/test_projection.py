"""Random projections of frozen features."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ModelError
from spade_paddle.networks.projection import FrozenProjection, RandomConvolution
from tests import reference
from tests.networks.features import ThreeLevels, enlarged, maps_of
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, tensor

pytestmark = pytest.mark.usefixtures("float64")


def projection_of(network=None, *, layers=("fine", "middle", "coarse"), seed=1) -> FrozenProjection:
    return FrozenProjection(
        network=ThreeLevels() if network is None else network,
        layers=layers,
        widths=[4, 5, 6][: len(layers)],
        seed=seed,
    )


def by_formula(projection, picture, *, measured_on=None, enlarge=True) -> list[np.ndarray]:
    """The levels, coarsest last; ``measured_on``: photos whose statistics standardize."""
    maps = maps_of(projection.network, picture)
    state = {name: value.numpy() for name, value in projection.state_dict().items()}
    if measured_on is not None:
        photos = [maps_of(projection.network, photo) for photo in measured_on]
        for level in range(3):
            # the pixels of all photos, [C, pixels]
            flat = [x[level].transpose(1, 0, 2, 3).reshape(x[level].shape[1], -1) for x in photos]
            pixels = np.concatenate(flat, axis=1)
            least = 0.1 * pixels.std()
            deviation = np.maximum(pixels.std(axis=1), least).reshape(1, -1, 1, 1)
            maps[level] = (maps[level] - pixels.mean(axis=1).reshape(1, -1, 1, 1)) / deviation
    levels = [reference.conv2d(x, state[f"across_{i}.weight"]) for i, x in enumerate(maps)]
    for i in (1, 0):
        mixed = reference.conv2d(levels[i + 1], state[f"down_{i}.weight"], padding=1)
        height, width = levels[i].shape[2:]
        resize = enlarged if enlarge else reference.resize_nearest
        levels[i] = (levels[i] + resize(mixed, height, width)) / np.sqrt(2)
    return levels


@pytest.mark.parametrize("size", [(16, 24), (33, 19)])
def test_levels_agree_with_the_formula(size):
    projection, picture = projection_of(), normal(2, 3, *size)
    levels = projection(tensor(picture))
    assert [level.shape[1] for level in levels] == [4, 5, 6]
    for got, expected in zip(levels, by_formula(projection, picture)):
        assert_same(got, expected, rtol=1e-5)  # Paddle's resizing counts places in float32
    assert_differs(levels[0], by_formula(projection, picture, enlarge=False)[0])


def test_features_are_standardized_by_the_photos():
    projection, picture = projection_of(), normal(2, 3, 16, 16, seed=4)
    photos = [normal(1, 3, 16, 24, seed=1), normal(2, 3, 12, 16, seed=2)]
    before = by_formula(projection, picture)
    assert not projection.measured
    projection.measure(tensor(photo) for photo in photos)
    assert projection.measured
    assert projection.photos.item() == 3
    levels = projection(tensor(picture))
    for got, expected in zip(levels, by_formula(projection, picture, measured_on=photos)):
        assert_same(got, expected)
    assert_differs(levels[2], before[2])


def test_a_channel_that_is_always_the_same_is_not_blown_up():
    network = ThreeLevels()
    network.coarse.weight[0] = 0.0
    network.coarse.bias[0] = 7.0
    projection = projection_of(network)
    projection.measure([tensor(normal(2, 3, 16, 16))])
    deviations = projection.across_2.deviation.numpy()
    values = maps_of(network, normal(2, 3, 16, 16))[2]
    assert deviations[0] == pytest.approx(0.1 * values.std())
    assert projection.across_2.mean.numpy()[0] == pytest.approx(7.0)
    assert all(np.isfinite(level.numpy()).all() for level in projection(tensor(values[:, :3])))


def test_mixes_are_normal_and_keep_the_spread():
    mix = RandomConvolution(64, 128, kernel=3, generator=np.random.default_rng(0))
    weight = mix.weight.numpy()
    assert weight.shape == (128, 64, 3, 3)
    assert weight.std() == pytest.approx((64 * 9) ** -0.5, rel=0.01)
    assert np.abs(weight).max() > 4 * weight.std()  # not uniform
    out = mix(tensor(normal(1, 64, 12, 12)))[:, :, 1:-1, 1:-1]
    assert float(out.std()) == pytest.approx(1.0, rel=0.05)


def test_the_seed_alone_makes_the_mixes():
    states = []
    for paddle_seed, seed in ((1, 1), (2, 1), (1, 2)):
        paddle.seed(paddle_seed)
        states.append(projection_of(seed=seed).across_0.weight.numpy())
    assert np.array_equal(states[0], states[1])
    assert not np.array_equal(states[0], states[2])


def test_nothing_in_it_learns_and_the_network_is_in_no_checkpoint():
    projection = projection_of()
    assert projection.parameters() == []
    names = set(projection.state_dict())
    assert {
        "across_2.weight",
        "down_1.weight",
        "across_0.mean",
        "across_2.deviation",
        "photos",
    } < names
    assert not any("fine" in name for name in names)
    # whoever switches the parameters of a network on and off does not reach it
    projection.train()
    assert all(weight.stop_gradient for weight in projection.network.parameters())


def test_gradient_of_the_picture_is_the_slope():
    projection = projection_of()
    projection.measure([tensor(normal(2, 3, 16, 16, seed=8))])
    picture = tensor(normal(1, 3, 12, 10), differentiable=True)
    assert_gradients(
        lambda: sum((level**2).sum() for level in projection(picture)), [picture], places=30
    )
    assert all(weight.grad is None for weight in projection.network.parameters())


def test_a_checkpoint_brings_mixes_and_statistics():
    one, other = projection_of(seed=1), projection_of(seed=2)
    one.measure([tensor(normal(2, 3, 16, 16, seed=8))])
    picture = tensor(normal(1, 3, 16, 16))
    other.set_state_dict(one.state_dict())
    other.check_network()
    assert other.measured
    for got, expected in zip(other(picture), one(picture)):
        assert np.array_equal(got.numpy(), expected.numpy())


def test_a_checkpoint_of_other_features_is_refused():
    one, other = projection_of(), projection_of(ThreeLevels(seed=4))
    other.check_network()
    other.set_state_dict(one.state_dict())
    with pytest.raises(
        ModelError, match="trained with other weights of ThreeLevels: expected"
    ) as error:
        other.check_network()
    assert error.value.code == "projected_weights_differ"


def test_layers_are_taken_in_the_order_of_computation_and_must_exist():
    assert projection_of(layers=("coarse", "fine")).layers == ("fine", "coarse")
    with pytest.raises(ModelError, match="ThreeLevels does not have the layers finest"):
        projection_of(layers=("finest", "fine"))
