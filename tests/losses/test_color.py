"""The color losses: mean colors of labels, whatever is where within a label."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.losses.color import (
    HALF_LIFE,
    LEAST_AREA,
    ColorBalance,
    chroma_loss,
    color_loss,
)
from tests.numeric import assert_gradients, assert_same, normal, tensor

pytestmark = pytest.mark.usefixtures("float64")


def one_hot(label_map, num_labels=3):
    return np.eye(num_labels)[label_map].transpose(0, 3, 1, 2)


def reference_loss(fake, photo, label_map):
    """The definition, label by label."""
    losses = []
    for one, other, labels in zip(fake, photo, label_map):
        loss = 0.0
        for label in np.unique(labels):
            inside = labels == label
            means = [picture[:, inside].mean(axis=1) for picture in (one, other)]
            loss += inside.mean() * np.abs(means[0] - means[1]).mean()
        losses.append(loss)
    return np.mean(losses)


def test_loss_of_four_pixels_by_hand():
    label_map = np.array([[[0, 0], [0, 1]]])
    photo = np.zeros((1, 3, 2, 2))
    fake = photo.copy()
    fake[0, 0] = [[0.5, -0.2], [0.0, 0.4]]  # red: 0.1 too much on label 0, 0.4 on label 1
    loss = color_loss(tensor(fake), tensor(photo), tensor(one_hot(label_map)))
    assert loss.item() == pytest.approx((0.75 * 0.1 + 0.25 * 0.4) / 3)


def test_loss_agrees_with_its_definition():
    fake, photo = normal(2, 3, 5, 4, seed=1), normal(2, 3, 5, 4, seed=2)
    label_map = np.random.default_rng(3).integers(0, 3, (2, 5, 4))
    loss = color_loss(tensor(fake), tensor(photo), tensor(one_hot(label_map)))
    assert_same(loss, reference_loss(fake, photo, label_map), rtol=1e-6)


def test_pixels_may_change_places_within_a_label():
    photo = normal(1, 3, 4, 4, seed=1)
    label_map = np.repeat([[0], [0], [1], [1]], 4, axis=1)[None]
    moved = photo[:, :, [1, 0, 3, 2]][:, :, :, ::-1].copy()
    same = color_loss(tensor(moved), tensor(photo), tensor(one_hot(label_map)))
    assert same.item() == pytest.approx(0, abs=1e-6)
    across = photo[:, :, ::-1].copy()
    other = color_loss(tensor(across), tensor(photo), tensor(one_hot(label_map)))
    assert other.item() > 0.01


def test_gradient_is_the_slope():
    fake = tensor(normal(1, 3, 3, 3, seed=1), differentiable=True)
    photo = tensor(normal(1, 3, 3, 3, seed=2))
    segmap = tensor(one_hot(np.array([[[0, 0, 1], [1, 1, 1], [0, 0, 0]]])))
    assert_gradients(lambda: color_loss(fake, photo, segmap), [fake])


def reference_chroma(fake, photo):
    """The definition, cell by cell."""
    values = []
    for one, other in zip(fake, photo):
        for row in range(0, one.shape[1] - 15, 16):
            for column in range(0, one.shape[2] - 15, 16):
                cell = np.s_[:, row : row + 16, column : column + 16]
                red, green, blue = (one - other)[cell].mean(axis=(1, 2))
                luma = 0.299 * red + 0.587 * green + 0.114 * blue
                values.append([abs(each - luma) for each in (red, green, blue)])
    return np.mean(values)


@pytest.mark.parametrize("height, width", [(32, 48), (40, 16)])
def test_chroma_agrees_with_its_definition(height, width):
    fake, photo = normal(2, 3, height, width, seed=1), normal(2, 3, height, width, seed=2)
    loss = chroma_loss(tensor(fake), tensor(photo))
    assert_same(loss, reference_chroma(fake, photo), rtol=1e-6)


def test_chroma_sees_neither_brightness_nor_places_within_a_cell():
    photo = normal(1, 3, 32, 32, seed=1)
    brighter = photo + normal(1, 1, 32, 32, seed=2)
    assert chroma_loss(tensor(brighter), tensor(photo)).item() == pytest.approx(0, abs=1e-9)
    cells = photo.reshape(1, 3, 2, 16, 2, 16)
    moved = cells[:, :, :, ::-1, :, ::-1].reshape(photo.shape).copy()
    assert chroma_loss(tensor(moved), tensor(photo)).item() == pytest.approx(0, abs=1e-9)
    elsewhere = cells[:, :, ::-1].reshape(photo.shape).copy()
    assert chroma_loss(tensor(elsewhere), tensor(photo)).item() > 0.01


def test_patches_of_color_cost_more_than_an_even_color():
    """A quarter of the photo's cells is green: other cells in the picture, or none."""
    green = np.array([-0.1, 0.1, -0.1])[:, None, None]
    cells = np.zeros((1, 1, 8, 8))
    cells[:, :, ::2, ::2] = 1
    photo, fake = (
        each.repeat(16, axis=2).repeat(16, axis=3) * green for each in (cells, cells[:, :, ::-1])
    )
    even = chroma_loss(tensor(np.zeros_like(photo)), tensor(photo))
    patches = chroma_loss(tensor(fake), tensor(photo))
    assert patches.item() == pytest.approx(2 * even.item()) and even.item() > 0.01


def test_the_gradient_of_chroma_is_the_slope():
    fake = tensor(normal(1, 3, 16, 16, seed=1), differentiable=True)
    photo = tensor(normal(1, 3, 16, 16, seed=2))
    assert_gradients(lambda: chroma_loss(fake, photo), [fake])


def test_balance_of_two_pictures_by_hand():
    """Red is 0.4 too much on label 1, which covers a quarter; then 0.2 too little."""
    segmap = tensor(one_hot(np.array([[[0, 0], [0, 1]]])))
    balance = ColorBalance(3)
    losses, photo, bias, area = [], np.zeros((1, 3, 2, 2)), 0.0, 0.0
    for error in (0.4, -0.2):
        fake = photo.copy()
        fake[0, 0, 1, 1] = error
        losses.append(balance(tensor(fake), tensor(photo), segmap).item())
        decay = 0.5 ** (1 / HALF_LIFE)
        bias, area = bias * decay + error / 4, area * decay + 1 / 4
        assert losses[-1] == pytest.approx(bias / (area + LEAST_AREA) * error / 4 / 3)
    assert losses[1] < 0  # it makes up for the first one


def test_balance_pushes_against_the_remembered_difference_alone():
    label_map = np.array([[[0, 0, 1], [1, 1, 1], [0, 0, 0]]])
    segmap, photo = tensor(one_hot(label_map)), normal(1, 3, 3, 3, seed=2)
    balance = ColorBalance(3)
    fake = tensor(normal(1, 3, 3, 3, seed=1), differentiable=True)
    balance(fake, tensor(photo), segmap).backward()
    sums = balance.sums.numpy()
    bias = sums[:, :3] / (sums[:, 3:] + LEAST_AREA)
    expected = bias[label_map[0]].transpose(2, 0, 1)[None] / (3 * 9)
    assert_same(fake.grad, expected, rtol=1e-6)
    assert not sums[2].any()  # a label that is not there


def test_balance_finds_a_small_bias_under_large_differences():
    """Each picture is off by 0.3 at random, and by 0.05 in the mean."""
    rng = np.random.default_rng(0)
    segmap, photo = tensor(one_hot(np.zeros((4, 2, 2), int))), tensor(np.zeros((4, 3, 2, 2)))
    balance = ColorBalance(3)
    for _ in range(300):
        errors = rng.normal(0.05, 0.3, (4, 3, 1, 1)) * np.ones((1, 1, 2, 2))
        balance(tensor(errors), photo, segmap)
    sums = balance.sums.numpy()
    assert sums[0, :3] / sums[0, 3] == pytest.approx(0.05, abs=0.05)
    assert sums[0, 3] == pytest.approx(HALF_LIFE / np.log(2), rel=0.02)  # pictures remembered


def test_two_processes_remember_what_one_with_the_whole_batch_does():
    segmap = tensor(one_hot(np.random.default_rng(3).integers(0, 3, (4, 5, 4))))
    fake, photo = tensor(normal(4, 3, 5, 4, seed=1)), tensor(normal(4, 3, 5, 4, seed=2))
    whole = ColorBalance(3)
    whole(fake, photo, segmap)
    shares = []
    for part in (slice(2), slice(2, 4)):
        ColorBalance(3, average=lambda values: shares.append(values) or values)(
            fake[part], photo[part], segmap[part]
        )
    first = ColorBalance(3, average=lambda _: (shares[0] + shares[1]) / 2, num_processes=2)
    first(fake[:2], photo[:2], segmap[:2])
    assert_same(first.sums, whole.sums.numpy(), rtol=1e-6)
