from __future__ import annotations

import math

import numpy as np
import paddle
import pytest

from spade_paddle.losses.distillation import (
    channel_distance,
    gram_loss,
    gram_matrix,
    kernel_alignment,
    ssim,
    total_variation,
)
from tests import reference_distillation as reference
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, tensor

pytestmark = pytest.mark.usefixtures("float64")


def rotation(size: int) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(normal(size, size, seed=5))[0]


def pictures(*shape: int, seed: int) -> np.ndarray:
    """Faint ones: with deviations of 0.05 the constants of SSIM count."""
    return 0.1 + 0.05 * normal(*shape, seed=seed)


# --- kernel alignment ----------------------------------------------------------------------------


def test_kernel_alignment_of_three_pictures_by_hand():
    # rows 1, 0 / 0, 1 / 1, 1: K = 1 0 1 / 0 1 1 / 1 1 2, |K|^2 = 1 + 1 + 1 + 1 + 1 + 1 + 4 = 10
    # rows 1 / 1 / 0: K' = 1 1 0 / 1 1 0 / 0 0 0, |K'|^2 = 4; <K, K'> = 1 + 0 + 0 + 1 = 2
    ours = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).reshape(3, 2, 1, 1)
    theirs = np.array([[1.0], [1.0], [0.0]]).reshape(3, 1, 1, 1)
    alignment = kernel_alignment(tensor(ours), tensor(theirs))
    assert_same(alignment, 2 / math.sqrt(10 * 4))


@pytest.mark.parametrize("channels", [3, 5])
def test_kernel_alignment_agrees_with_the_paper_whatever_the_channels(channels):
    ours, theirs = 0.3 + normal(4, 3, 2, 5, seed=1), normal(4, channels, 2, 5, seed=2)
    alignment = kernel_alignment(tensor(ours), tensor(theirs))
    assert alignment.shape == []
    assert_same(alignment, reference.kernel_alignment(ours, theirs))


def test_kernel_alignment_is_normalized_and_not_centered():
    ours, theirs = 0.3 + normal(4, 3, 2, 5, seed=1), 1 + normal(4, 3, 2, 5, seed=2)
    alignment = kernel_alignment(tensor(ours), tensor(theirs))
    for wrong in ({"normalized": False}, {"centered": True}):
        assert_differs(alignment, reference.kernel_alignment(ours, theirs, **wrong))


def test_kernel_alignment_of_equal_features_is_one_and_of_strange_ones_less():
    ours = normal(4, 3, 2, 2)
    assert_same(kernel_alignment(tensor(ours), tensor(ours)), 1.0)
    assert 0 < kernel_alignment(tensor(ours), tensor(normal(4, 3, 2, 2, seed=1))).item() < 0.9


def test_rotated_channels_and_another_scale_leave_the_alignment_as_it_is():
    ours, theirs = normal(4, 3, 2, 2, seed=1), normal(4, 5, 2, 2, seed=2)
    before = kernel_alignment(tensor(ours), tensor(theirs)).numpy()
    rotated = np.einsum("dc,nchw->ndhw", rotation(3), ours)
    assert_same(kernel_alignment(tensor(rotated), tensor(theirs)), before)
    assert_same(kernel_alignment(tensor(-7 * ours), tensor(0.1 * theirs)), before)
    shuffled = kernel_alignment(tensor(ours[[1, 0, 2, 3]]), tensor(theirs))
    assert_differs(shuffled, before)  # which picture is which does matter


def test_a_single_picture_is_always_aligned_and_has_no_gradient():
    ours = tensor(normal(1, 3, 2, 2), differentiable=True)
    alignment = kernel_alignment(ours, tensor(normal(1, 5, 2, 2, seed=1)))
    assert_same(alignment, 1.0)
    alignment.backward()
    assert np.abs(ours.grad.numpy()).max() < 1e-12


def test_gradient_of_the_alignment_is_its_slope():
    ours = tensor(normal(3, 2, 2, 2, seed=1), differentiable=True)
    theirs = tensor(normal(3, 3, 2, 2, seed=2), differentiable=True)
    assert_gradients(lambda: kernel_alignment(ours, theirs), [ours, theirs])


# --- structural similarity -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 6, 7), (1, 2, 13, 12)])
def test_ssim_agrees_with_the_paper(shape):
    ours, theirs = pictures(*shape, seed=1), pictures(*shape, seed=2)
    similarity = ssim(tensor(ours), tensor(theirs))
    assert similarity.shape == []
    assert_same(similarity, reference.ssim(ours, theirs), rtol=1e-8)  # Paddle 2.6 rounds more


def test_ssim_has_its_constants_and_zeros_beyond_the_border():
    ours, theirs = pictures(1, 2, 8, 7, seed=1), pictures(1, 2, 8, 7, seed=2)
    similarity = ssim(tensor(ours), tensor(theirs))
    for wrong in ({"constants": False}, {"reflected": True}):
        assert_differs(similarity, reference.ssim(ours, theirs, **wrong))


def test_ssim_of_equal_pictures_is_one_and_of_strange_ones_near_zero():
    ours = normal(2, 3, 6, 7)
    assert_same(ssim(tensor(ours), tensor(ours)), 1.0)
    assert abs(ssim(tensor(ours), tensor(normal(2, 3, 6, 7, seed=1))).item()) < 0.3


def gauss() -> list[float]:
    """A row of the window, exp(-k^2 / (2 * 1.5^2)) for k = -5..5, with a sum of 1."""
    row = [math.exp(-(k**2) / 4.5) for k in range(-5, 6)]
    return [value / sum(row) for value in row]


def test_ssim_of_two_single_pixels_by_hand():
    # the middle of the window weighs w = 0.0707622..., beside the pixels there are zeros; of 1 and
    # 0.5 the means are w and 0.5 w, the variances w - w^2 and a quarter of it, the covariance half
    mass = gauss()[5] ** 2
    assert mass == pytest.approx(0.0707622, abs=1e-6)
    spread = mass - mass**2
    light = (mass**2 + 1e-4) / (1.25 * mass**2 + 1e-4)
    structure = (spread + 9e-4) / (1.25 * spread + 9e-4)
    similarity = ssim(tensor([[[[1.0]]]]), tensor([[[[0.5]]]]))
    assert_same(similarity, light * structure)


def test_ssim_of_a_constant_shift_by_hand():
    # around a pixel with the mass w of the window inside the picture, a constant a has the mean
    # a w and the variance a^2 (w - w^2); in the middle w = 1, and only the means tell 0.3 from 0.5
    side, ours, theirs = 13, 0.3, 0.5
    inside = [sum(gauss()[max(5 - i, 0) : 5 + side - i]) for i in range(side)]
    expected = 0.0
    for mass in (row * column for row in inside for column in inside):
        spread = mass - mass**2
        light = (0.3 * mass**2 + 1e-4) / (0.34 * mass**2 + 1e-4)
        expected += light * (0.3 * spread + 9e-4) / (0.34 * spread + 9e-4) / side**2
    assert inside[6] == pytest.approx(1)
    values = (tensor(np.full((1, 1, side, side), value)) for value in (ours, theirs))
    assert_same(ssim(*values), expected)


def test_ssim_is_symmetric_and_the_same_for_every_channel():
    ours, theirs = pictures(1, 2, 6, 6, seed=1), pictures(1, 2, 6, 6, seed=2)
    both = ssim(tensor(ours), tensor(theirs)).item()
    assert_same(ssim(tensor(theirs), tensor(ours)), both)
    apart = [ssim(tensor(ours[:, c : c + 1]), tensor(theirs[:, c : c + 1])).item() for c in (0, 1)]
    assert_same(both, sum(apart) / 2)


def test_ssim_of_single_precision_after_double_is_the_same_up_to_rounding():
    ours, theirs = pictures(1, 2, 6, 6, seed=1), pictures(1, 2, 6, 6, seed=2)
    single = ssim(*(paddle.to_tensor(x.astype("float32")) for x in (ours, theirs)))
    assert single.dtype == paddle.float32
    assert_same(single, ssim(tensor(ours), tensor(theirs)).numpy(), rtol=1e-4)


def test_gradient_of_ssim_is_its_slope():
    ours = tensor(pictures(1, 2, 6, 7, seed=1), differentiable=True)
    theirs = tensor(pictures(1, 2, 6, 7, seed=2), differentiable=True)
    assert_gradients(lambda: ssim(ours, theirs), [ours, theirs])


# --- Gram matrices -------------------------------------------------------------------------------


def test_gram_matrix_of_constant_maps_by_hand():
    # channels 1 and 3 of 2 x 4 pixels: the sums 8, 24 and 72 over C H W = 16
    features = np.ones((1, 2, 2, 4))
    features[:, 1] = 3
    assert_same(gram_matrix(tensor(features)), [[[0.5, 1.5], [1.5, 4.5]]])


def test_gram_matrix_agrees_with_the_paper_and_is_divided():
    features = normal(2, 3, 4, 5)
    assert_same(gram_matrix(tensor(features)), reference.gram_matrix(features))
    wrong = reference.gram_matrix(features, divided=False)
    assert_differs(gram_matrix(tensor(features)), wrong)


def layers(*, seed: int) -> list[np.ndarray]:
    shapes = ((2, 3, 4, 5), (2, 4, 2, 2))
    return [normal(*shape, seed=10 * seed + index) for index, shape in enumerate(shapes)]


def test_gram_loss_is_the_sum_over_layers_of_mean_differences():
    ours, theirs = layers(seed=1), layers(seed=2)
    loss = gram_loss([tensor(x) for x in ours], [tensor(x) for x in theirs])
    assert_same(loss, reference.gram_loss(ours, theirs))
    assert_differs(loss, reference.gram_loss(ours, theirs, divided=False))
    assert_differs(loss, reference.gram_loss(ours, theirs) / 2)  # nor is it their mean


def test_gram_loss_does_not_see_where_in_the_picture_something_is():
    ours, theirs = normal(2, 3, 4, 5), normal(2, 3, 4, 5, seed=1)
    before = gram_loss([tensor(ours)], [tensor(theirs)]).numpy()
    assert_same(gram_loss([tensor(ours[:, :, ::-1].copy())], [tensor(theirs)]), before)


def test_gradient_of_the_gram_loss_is_its_slope():
    ours = [tensor(x, differentiable=True) for x in layers(seed=1)]
    theirs = [tensor(x, differentiable=True) for x in layers(seed=2)]
    assert_gradients(lambda: gram_loss(ours, theirs), ours + theirs)


# --- total variation and channels ----------------------------------------------------------------


@pytest.mark.parametrize("size", [(2, 2), (3, 5)])
def test_total_variation_of_a_ramp_is_the_sum_of_its_slopes_at_every_size(size):
    rows, columns = np.indices(size)
    ramp = np.broadcast_to(0.25 * columns - 2.0 * rows, (2, 3, *size))
    assert_same(total_variation(tensor(ramp)), 0.25 + 2.0)


def test_total_variation_agrees_with_its_definition_and_is_a_mean():
    values = normal(2, 3, 4, 5)
    assert_same(total_variation(tensor(values)), reference.total_variation(values))
    assert_differs(total_variation(tensor(values)), reference.total_variation(values, summed=True))


def test_gradient_of_the_total_variation_is_its_slope():
    values = tensor(normal(2, 1, 3, 4), differentiable=True)
    assert_gradients(lambda: total_variation(values), [values])


def test_channel_distance_by_hand():
    # means 1 and 2 against 4 and 2: (9 + 0) / 2
    ours, theirs = np.ones((1, 2, 2, 2)), np.full((1, 2, 2, 2), 2.0)
    ours[:, 1], theirs[:, 0] = [[1.0, 3.0], [0.0, 4.0]], 4.0
    assert_same(channel_distance(tensor(ours), tensor(theirs)), 4.5)


def test_channel_distance_agrees_with_its_definition_whatever_the_sizes():
    ours, theirs = normal(2, 3, 4, 5, seed=1), normal(2, 3, 2, 3, seed=2)
    distance = channel_distance(tensor(ours), tensor(theirs))
    assert_same(distance, reference.channel_distance(ours, theirs))


def test_gradient_of_the_channel_distance_is_its_slope():
    ours, theirs = (tensor(normal(2, 2, 3, 3, seed=s), differentiable=True) for s in (1, 2))
    assert_gradients(lambda: channel_distance(ours, theirs), [ours, theirs])
