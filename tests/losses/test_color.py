"""The color loss: mean colors of labels, whatever is where within a label."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.losses.color import color_loss
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
