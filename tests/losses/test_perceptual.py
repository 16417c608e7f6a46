from __future__ import annotations

from typing import ClassVar

import numpy as np
import paddle
import pytest

from spade_paddle.errors import ModelError
from spade_paddle.features.squeezenet import SqueezeNet
from spade_paddle.losses.perceptual import SQUEEZENET_RATES, VGG19_RATES, PerceptualLoss, shifted
from spade_paddle.losses.unit_length import unit_length
from tests import reference
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, tensor

RATES = {"fine": 0.5, "coarse": 2.0}


class TwoFeatures:
    """A feature network one can follow by hand: the picture itself and its square."""

    def check_layers(self, layers: tuple[str, ...]) -> None:
        assert set(layers) <= {"fine", "coarse"}

    def __call__(self, picture: paddle.Tensor, layers: tuple[str, ...]) -> dict:
        return {"fine": picture, "coarse": paddle.square(picture)}


class Given(TwoFeatures):
    """Gives maps that were made beforehand: the fake's and the real ones by turns."""

    def __init__(self, *maps: list[np.ndarray]):
        self.maps = iter(maps)

    def __call__(self, picture: paddle.Tensor, layers: tuple[str, ...]) -> dict:
        return dict(zip(layers, map(tensor, next(self.maps))))


def by_hand(scaling: str = "none") -> PerceptualLoss:
    return PerceptualLoss(TwoFeatures(), RATES, scaling=scaling)


def maps(seed: int) -> list[np.ndarray]:
    return [normal(2, 3, 4, 4, seed=seed), normal(2, 5, 2, 2, seed=seed)]


def test_by_hand(float64):
    # pictures 3 and 1: 0.5 * |3 - 1| + 2 * |9 - 1| = 17
    assert by_hand()(tensor([3.0]), tensor([1.0])).item() == 17.0


def test_divided_by_the_photos_mean_by_hand(float64):
    # photo (1, 3), fake (3, 3): mean |difference| 1 over mean 2; squares 4 over 5
    loss = by_hand("mean")(tensor([3.0, 3.0]), tensor([1.0, 3.0])).item()
    assert loss == pytest.approx(0.5 * 1 / 2 + 2 * 4 / 5)


def test_it_agrees_with_the_article(float64):
    fake, real = maps(1), maps(2)
    loss = PerceptualLoss(Given(real, fake), RATES)(tensor([0.0]), tensor([0.0]))
    rates = tuple(RATES.values())
    assert_same(loss, reference.weighted_l1(fake, real, rates))
    assert_differs(loss, reference.weighted_l1(fake, real, rates[::-1]))


def test_rates_are_the_articles_for_vgg19():
    assert list(VGG19_RATES.values()) == [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0]
    assert set(SQUEEZENET_RATES.values()) == {1.0}


def test_the_real_picture_leaves_no_graph_behind(float64):
    class Watching(TwoFeatures):
        recorded: ClassVar[list] = []

        def __call__(self, picture: paddle.Tensor, layers: tuple[str, ...]) -> dict:
            self.recorded.append(paddle.is_grad_enabled())
            return super().__call__(picture, layers)

    PerceptualLoss(Watching(), RATES)(tensor([3.0]), tensor([1.0]))
    assert Watching.recorded == [False, True]  # half of the memory is saved


@pytest.mark.parametrize("scaling", ["none", "length", "mean"])
def test_a_picture_is_as_far_from_itself_as_nothing_is(float64, scaling):
    picture = tensor(1 + np.abs(normal(2, 3, 4, 4)))
    assert by_hand(scaling)(picture, picture).item() < 1e-12


@pytest.mark.parametrize("scaling", ["none", "length", "mean"])
def test_the_gradient_is_the_slope(float64, scaling):
    fake = tensor(normal(2, 3, 4, 5), differentiable=True)
    real = tensor(1 + np.abs(normal(2, 3, 4, 5, seed=1)))
    assert_gradients(lambda: by_hand(scaling)(fake, real), [fake], places=24)


@pytest.mark.parametrize("scaling", ["none", "length", "mean"])
def test_it_pulls_only_the_fake(float64, scaling):
    fake, real = (tensor(normal(2, 3, 4, 4, seed=s), differentiable=True) for s in (1, 2))
    by_hand(scaling)(fake, real).backward()
    assert np.abs(fake.grad.numpy()).max() > 0
    assert real.grad is None


def test_a_layer_the_network_does_not_have_is_named():
    with pytest.raises(ModelError, match="not have the layers fire1; choose from conv1, fire2"):
        PerceptualLoss(object.__new__(SqueezeNet), {"conv1": 1.0, "fire1": 1.0})


# --- unit length ---


def unit(values: np.ndarray) -> np.ndarray:
    length = np.sqrt((values**2).sum(axis=1, keepdims=True) + 1e-6)
    return values / length * values.shape[1] ** 0.5


def test_features_have_the_same_length_at_every_pixel(float64):
    values = normal(2, 7, 3, 4) * 100
    got = unit_length(tensor(values)).numpy()
    assert_same(got, unit(values))
    assert_same((got**2).sum(axis=1), np.full((2, 3, 4), 7.0), rtol=1e-6)


def test_the_loss_on_unit_length_agrees_with_numpy(float64):
    fake, real = maps(1), maps(2)
    loss = PerceptualLoss(Given(real, fake), RATES, scaling="length")(tensor([0.0]), tensor([0.0]))
    expected = reference.weighted_l1(
        [unit(f) for f in fake], [unit(r) for r in real], tuple(RATES.values())
    )
    assert_same(loss, expected)
    assert_differs(loss, reference.weighted_l1(fake, real, tuple(RATES.values())))


# --- shift ---


def test_a_shift_pads_both_pictures_by_reflection_above_and_to_the_left(float64):
    picture = normal(1, 2, 5, 6)
    expected = np.pad(picture, ((0, 0), (0, 0), (2, 0), (3, 0)), mode="reflect")
    assert_same(shifted(tensor(picture), (2, 3)), expected)
    assert shifted(tensor(picture), (0, 0)).shape == [1, 2, 5, 6]


class EverySecond:
    """Like a first layer of stride 2: it sees every second pixel only."""

    def check_layers(self, layers):
        pass

    def __call__(self, picture: paddle.Tensor, layers: tuple[str, ...]) -> dict:
        return {"sampled": picture[:, :, ::2, ::2]}


def test_a_grid_that_hides_between_the_sampled_pixels_is_seen_when_both_are_shifted(float64):
    loss = PerceptualLoss(EverySecond(), {"sampled": 1.0})
    photo = tensor(np.zeros((1, 1, 8, 8)))
    grid = np.zeros((1, 1, 8, 8))
    grid[:, :, 1::2, 1::2] = 1
    assert loss(tensor(grid), photo).item() == 0
    assert loss(tensor(grid), photo, shift=(1, 1)).item() > 0.5


@pytest.mark.parametrize("shift", [(0, 3), (2, 0), (7, 7)])
def test_both_pictures_are_shifted_alike(float64, shift):
    picture = tensor(normal(1, 3, 16, 16))
    loss = PerceptualLoss(EverySecond(), {"sampled": 1.0})
    assert loss(picture, picture, shift=shift).item() == 0  # a shift of one of them only: not 0
    assert loss(picture, shifted(picture, shift)[:, :, :16, :16], shift=shift).item() > 0.1
