from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.losses.gan import (
    combined_discriminator_loss,
    combined_generator_loss,
    discriminator_accuracy,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from tests import reference
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, tensor

pytestmark = pytest.mark.usefixtures("float64")

SHAPES = [[(4, 3, 6, 5), (4, 5, 4, 4), (4, 1, 5, 5)], [(4, 3, 3, 3), (4, 5, 2, 2), (4, 1, 3, 3)]]


def prediction(*, seed: int) -> list[list[np.ndarray]]:
    """Two scales of three stages each."""
    return [
        [2 * normal(*shape, seed=10 * seed + index) for index, shape in enumerate(stages)]
        for stages in SHAPES
    ]


def tensors(arrays: list[list[np.ndarray]], *, differentiable: bool = False) -> list:
    return [[tensor(array, differentiable=differentiable) for array in row] for row in arrays]


def logits(*values: float) -> list[list[paddle.Tensor]]:
    """One scale with nothing but logits."""
    return [[tensor(np.reshape(values, (-1, 1, 1, 1)))]]


def test_hinge_loss_of_a_wrong_discriminator_is_six_by_hand():
    # fake 2: max(0, 1 + 2) = 3; real -2: max(0, 1 + 2) = 3
    df, dr = discriminator_loss(logits(2.0), logits(-2.0))
    assert (df.item(), dr.item()) == (3.0, 3.0)
    # fake -3 and 0.5: (0 + 1.5) / 2; real 4 and 0.5: (0 + 0.5) / 2
    df, dr = discriminator_loss(logits(-3.0, 0.5), logits(4.0, 0.5))
    assert (df.item(), dr.item()) == (0.75, 0.25)


def test_hinge_loss_of_the_generator_by_hand():
    assert generator_loss(logits(2.0, -1.0)).item() == -0.5


def test_scales_count_alike_whatever_their_size_by_hand():
    # four logits of 1 in one scale, one of 3 in the other: (1 + 3) / 2 = 2, not 7 / 5
    scales = [[tensor(np.ones((1, 1, 2, 2)))], [tensor(np.full((1, 1, 1, 1), 3.0))]]
    assert generator_loss(scales).item() == -2.0
    df, dr = discriminator_loss(scales, scales)
    assert (df.item(), dr.item()) == (3.0, 0.0)  # (2 + 4) / 2


def test_feature_matching_by_hand():
    # first scale: |1 - 3| = 2 and |0 - 1| = 1; second: |5 - 4| = 1 and 0; (3 + 1) / 2 = 2.
    # The logits, 100 apart, do not count.
    def scale(*stages: float) -> list[paddle.Tensor]:
        return [tensor(np.full((2, 1, 2, 2), value)) for value in stages]

    fake = [scale(1, 0, 100), scale(5, 2, 100)]
    real = [scale(3, 1, 0), scale(4, 2, 0)]
    assert feature_matching_loss(fake, real).item() == 2.0


def test_losses_agree_with_the_article():
    fake, real = prediction(seed=1), prediction(seed=2)
    df, dr = discriminator_loss(tensors(fake), tensors(real))
    expected = reference.hinge_discriminator(fake, real)
    assert_same(df, expected[0])
    assert_same(dr, expected[1])
    assert_same(generator_loss(tensors(fake)), reference.hinge_generator(fake))
    assert_same(
        feature_matching_loss(tensors(fake), tensors(real)),
        reference.feature_matching(fake, real),
    )


def test_hinge_losses_have_the_right_sign():
    fake, real = prediction(seed=1), prediction(seed=2)
    df, dr = discriminator_loss(tensors(fake), tensors(real))
    wrong = reference.hinge_discriminator(fake, real, flipped=True)
    assert_differs(df, wrong[0])
    assert_differs(dr, wrong[1])
    swapped = reference.hinge_discriminator(real, fake)
    assert_differs(df, swapped[0])
    assert_differs(dr, swapped[1])
    assert_differs(generator_loss(tensors(fake)), reference.hinge_generator(fake, flipped=True))


def test_a_perfect_discriminator_has_no_hinge_loss_and_a_wrong_one_more_than_an_undecided_one():
    def total(fake: float, real: float) -> float:
        return sum(discriminator_loss(logits(fake), logits(real))).item()

    assert total(-1.0, 1.0) == total(-5.0, 3.0) == 0.0
    assert total(0.0, 0.0) == 2.0
    assert total(2.0, -2.0) == 6.0


def test_the_generator_loses_less_the_more_real_its_pictures_look():
    losses = [generator_loss(logits(value)).item() for value in (-2.0, 0.0, 2.0)]
    assert losses == sorted(losses, reverse=True)


def test_feature_matching_leaves_the_logits_out():
    fake, real = prediction(seed=1), prediction(seed=2)
    loss = feature_matching_loss(tensors(fake), tensors(real))
    assert_differs(loss, reference.feature_matching(fake, real, with_logits=True))


def test_feature_matching_of_equal_halves_is_zero():
    fake = tensors(prediction(seed=1))
    assert feature_matching_loss(fake, fake).item() == 0.0


def test_gradients_of_the_hinge_losses_are_their_slopes():
    fake = tensors(prediction(seed=1), differentiable=True)
    real = tensors(prediction(seed=2), differentiable=True)
    moved = [stages[-1] for stages in fake]
    assert_gradients(lambda: generator_loss(fake), moved)
    assert_gradients(
        lambda: sum(discriminator_loss(fake, real)), moved + [stages[-1] for stages in real]
    )


def test_gradient_of_feature_matching_is_its_slope():
    fake = tensors(prediction(seed=1), differentiable=True)
    real = tensors(prediction(seed=2))
    moved = [stage for stages in fake for stage in stages[:-1]]
    assert_gradients(lambda: feature_matching_loss(fake, real), moved)


def test_feature_matching_pulls_only_the_fake():
    fake = tensors(prediction(seed=1), differentiable=True)
    real = tensors(prediction(seed=2), differentiable=True)
    feature_matching_loss(fake, real).backward()
    for fake_stages, real_stages in zip(fake, real):
        assert all(stage.grad is not None for stage in fake_stages[:-1])
        assert fake_stages[-1].grad is None
        assert all(stage.grad is None for stage in real_stages)


def test_logits_on_the_right_side_of_the_margin_get_no_gradient():
    fake = [[tensor([[[[-1.5, 0.5]]]], differentiable=True)]]
    df, _ = discriminator_loss(fake, logits(0.0))
    df.backward()
    assert fake[0][0].grad.numpy().ravel().tolist() == [0.0, 0.5]


def test_losses_do_not_depend_on_the_order_of_the_pictures():
    fake, real = prediction(seed=1), prediction(seed=2)
    order = [2, 0, 3, 1]
    shuffled = [[[stage[order] for stage in stages] for stages in side] for side in (fake, real)]
    assert_same(
        feature_matching_loss(*map(tensors, shuffled)),
        feature_matching_loss(tensors(fake), tensors(real)).numpy(),
    )
    for after, before in zip(
        discriminator_loss(*map(tensors, shuffled)),
        discriminator_loss(tensors(fake), tensors(real)),
    ):
        assert_same(after, before.numpy())


def test_least_squares_and_original_losses_by_hand():
    # least squares: fake 2 -> 4, real -1 -> 4, generator (2 - 1)^2 = 1
    df, dr = discriminator_loss(logits(2.0), logits(-1.0), "least_squares")
    assert (df.item(), dr.item()) == (4.0, 4.0)
    assert generator_loss(logits(2.0), "least_squares").item() == 1.0
    # original at logit 0: everybody pays log 2
    df, dr = discriminator_loss(logits(0.0), logits(0.0), "original")
    for loss in (df, dr, generator_loss(logits(0.0), "original")):
        assert loss.item() == pytest.approx(0.6931471805599453, abs=1e-12)


@pytest.mark.parametrize("mode", ["least_squares", "original"])
def test_other_modes_agree_with_their_definitions(mode):
    fake, real = prediction(seed=5), prediction(seed=2)
    df, dr = discriminator_loss(tensors(fake), tensors(real), mode)
    assert_same(df, reference.towards(fake, 0, mode))
    assert_same(dr, reference.towards(real, 1, mode))
    assert_same(generator_loss(tensors(fake), mode), reference.towards(fake, 1, mode))
    assert_differs(df, reference.towards(fake, 1, mode))


@pytest.mark.parametrize("mode", ["least_squares", "original"])
def test_gradients_of_the_other_modes_are_their_slopes(mode):
    fake = tensors(prediction(seed=1), differentiable=True)
    real = tensors(prediction(seed=2), differentiable=True)
    moved = [stages[-1] for stages in fake]
    assert_gradients(lambda: generator_loss(fake, mode), moved)
    assert_gradients(
        lambda: sum(discriminator_loss(fake, real, mode)),
        moved + [stages[-1] for stages in real],
    )


@pytest.mark.parametrize("mode", ["hinge", "least_squares", "original"])
def test_every_mode_pulls_fakes_down_reals_up_and_the_generator_up(mode):
    fake, real = ([[tensor([[[[0.3]]]], differentiable=True)]] for _ in range(2))
    sum(discriminator_loss(fake, real, mode)).backward()
    assert fake[0][0].grad.item() > 0 > real[0][0].grad.item()
    fake[0][0].clear_gradient()
    generator_loss(fake, mode).backward()
    assert fake[0][0].grad.item() < 0


def test_original_loss_of_a_large_logit_is_finite():
    df, dr = discriminator_loss(logits(1000.0), logits(-1000.0), "original")
    assert (df.item(), dr.item()) == (1000.0, 1000.0)


def test_accuracy_is_the_share_of_logits_on_the_right_side():
    def prediction(*logits):  # of two scales
        return [[paddle.to_tensor(values, dtype="float32")] for values in logits]

    fake = prediction([[-1.0, 2.0]], [[-3.0]])  # half right; all right
    real = prediction([[0.2, 0.1]], [[-0.1]])  # all right; none
    assert float(discriminator_accuracy(fake, real)) == pytest.approx((0.5 + 1 + 1 + 0) / 4)
    # the border of least squares lies between 0 and 1
    assert float(discriminator_accuracy(fake, real, "least_squares")) == pytest.approx(1.5 / 4)


def test_kinds_are_averaged_within_themselves_and_weighted_by_hand():
    # patch: two scales, logits 1 and 3; projected: three heads, logits 2, 2 and 5
    fake = {"patch": logits(1.0) + logits(3.0), "projected": logits(2.0) * 2 + logits(5.0)}
    weights = {"patch": 1.0, "projected": 0.5}
    assert combined_generator_loss(fake, weights=weights).item() == -(2 + 0.5 * 3)
    real = {"patch": logits(0.0) + logits(-1.0), "projected": logits(1.0) * 2 + logits(-2.0)}
    df, dr = combined_discriminator_loss(fake, real, weights=weights)
    assert df.item() == (2 + 4) / 2 + 0.5 * (3 + 3 + 6) / 3
    assert dr.item() == (1 + 2) / 2 + 0.5 * (0 + 0 + 3) / 3


@pytest.mark.parametrize("mode", ["hinge", "least_squares", "original"])
def test_one_kind_alone_is_the_loss_of_its_prediction(mode):
    fake, real = tensors(prediction(seed=1)), tensors(prediction(seed=2))
    for kind in ("patch", "projected"):
        weights = {"patch": 1.0, "projected": 1.0}
        got = combined_discriminator_loss({kind: fake}, {kind: real}, weights=weights, mode=mode)
        for half, expected in zip(got, discriminator_loss(fake, real, mode)):
            assert half.item() == expected.item()
        got = combined_generator_loss({kind: fake}, weights=weights, mode=mode)
        assert got.item() == generator_loss(fake, mode).item()
