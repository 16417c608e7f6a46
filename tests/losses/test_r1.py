from __future__ import annotations

from itertools import product

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.config import read_config
from spade_paddle.losses.gan import discriminator_loss
from spade_paddle.losses.r1 import r1_penalty
from spade_paddle.networks.build import build_discriminator
from tests.numeric import assert_differs, assert_gradients, assert_same, normal, randomize, tensor

pytestmark = pytest.mark.usefixtures("float64")

COMBINATIONS = list(product(["gelu", "leaky_relu"], *[[False, True]] * 3))


def discriminator(activation="leaky_relu", spectral_norm=False, simam=False, affine_norm=False):
    """Two small scales of three stages for one label and a photo."""
    options = {
        "scales": 2,
        "num_layers": 3,
        "ndf": 3,
        "max_width": 4,
        "activation": activation,
        "spectral_norm": spectral_norm,
        "simam": simam,
        "affine_norm": affine_norm,
    }
    config = read_config(
        {
            "discriminator": options,
            "data": {"dont_care": False, "instance_edges": False},
            "regularization": {"r1_gamma": 1.0},
        }
    )
    network = build_discriminator(config, num_labels=1)
    randomize(network)
    return network


def test_a_linear_discriminator_by_hand():
    # logits 3a + 4b of every one of 2 x 5 pixels: D is their mean, its gradient 3/10 and 4/10
    # in each, the squared norm 10 * (0.09 + 0.16) = 2.5, whatever the picture
    weight = tensor([[[[3.0]], [[4.0]]]])
    for seed in range(2):
        real = tensor(normal(3, 2, 2, 5, seed=seed))
        penalty = r1_penalty(lambda x: [[nn.functional.conv2d(x, weight)]], real)
        assert penalty.item() == pytest.approx(2.5)


def test_scales_are_averaged_and_pictures_too_by_hand():
    # logits x^2 in one scale, -x in the other, of single pixels: D = (x^2 - x) / 2, its slope
    # x - 1/2. Pictures 2 and -1: (1.5^2 + 1.5^2) / 2; pictures 0.5 and 3.5: (0 + 9) / 2
    def discriminate(x):
        return [[x * 100, x**2], [x * 100, -x]]  # only the last stage is the logits

    for values, expected in (((2.0, -1.0), 2.25), ((0.5, 3.5), 4.5)):
        real = tensor(np.reshape(values, (2, 1, 1, 1)))
        assert r1_penalty(discriminate, real).item() == pytest.approx(expected)


def test_gradient_of_the_penalty_by_hand():
    # D = w * x^3, slope 3 w x^2; at x = 2: (12 w)^2 = 144 w^2, whose slope at w = 0.5 is 144
    weight = tensor([0.5], differentiable=True)
    penalty = r1_penalty(lambda x: [[weight * x**3]], tensor(np.full((1, 1, 1, 1), 2.0)))
    penalty.backward()
    assert penalty.item() == pytest.approx(36.0)
    assert weight.grad.item() == pytest.approx(144.0)


@pytest.mark.parametrize("options", COMBINATIONS)
def test_penalty_of_our_discriminators_is_the_squared_slope_of_what_they_say(options):
    network = discriminator(*options)
    network.eval()
    real = tensor(normal(2, 4, 9, 12), differentiable=True)
    means = [stages[-1].mean(axis=[1, 2, 3]) for stages in network.patch(real)]
    ((means[0] + means[1]) / 2).sum().backward()  # both pictures', each with its own slopes
    slopes = real.grad.numpy()
    penalty = r1_penalty(network.patch, real)
    assert_same(penalty, (slopes**2).sum(axis=(1, 2, 3)).mean())
    assert_differs(penalty, (slopes**2).mean())
    assert_differs(penalty, (slopes.sum(axis=0) ** 2).sum())


@pytest.mark.parametrize("options", COMBINATIONS)
def test_gradient_of_the_penalty_of_our_discriminators_is_its_slope(options):
    """Which needs the second derivative of every layer."""
    network = discriminator(*options)
    network.eval()
    real = tensor(normal(2, 4, 9, 12))
    moved = [
        parameter
        for name, parameter in network.named_parameters()
        if name.endswith((".weight", ".weight_orig", ".scale"))
    ]
    assert len(moved) == 8 + 4 * options[3]
    assert_gradients(lambda: penalty_of(network, real), moved, places=2, rtol=1e-4)


def penalty_of(network, real) -> paddle.Tensor:
    with paddle.enable_grad():  # the differences are taken without gradients
        return r1_penalty(network.patch, real)


def test_spectral_norm_in_training_has_the_gradient_it_settles_at():
    network = discriminator("gelu", spectral_norm=True, affine_norm=True)
    real = tensor(normal(1, 4, 9, 8))
    for _ in range(100):
        network.patch(real)
    weights = [network.nld_0[0].layer_1[0].weight_orig, network.nld_0[0].layer_2[0].weight_orig]
    assert_gradients(lambda: penalty_of(network, real), weights, places=3, rtol=1e-4)


def test_gradients_of_loss_and_penalty_add_up_in_one_step_or_two():
    gradients = []
    for together in (True, False):
        paddle.seed(1)
        network = discriminator("gelu", spectral_norm=True, simam=True, affine_norm=True)
        network.train()
        fake, real = tensor(normal(2, 4, 16, 16, seed=1)), tensor(normal(2, 4, 16, 16, seed=2))
        loss = sum(discriminator_loss(network.patch(fake), network.patch(real)))
        if not together:
            loss.backward()
        penalty = 100 * r1_penalty(network.patch, real)
        (loss + penalty if together else penalty).backward()
        gradients.append([parameter.grad.numpy() for parameter in network.parameters()])
    for once, twice in zip(*gradients):
        assert_same(once, twice)


def test_nothing_is_learned_through_the_real_pictures_and_they_stay_as_they_are():
    network, real = discriminator(), tensor(normal(1, 4, 16, 16), differentiable=True)
    r1_penalty(network.patch, real).backward()
    assert real.grad is None
    assert not real.stop_gradient
    constant = tensor(normal(1, 4, 16, 16))
    r1_penalty(network.patch, constant)
    assert constant.stop_gradient


def test_what_is_beside_the_pictures_does_not_count():
    network, photo = discriminator(), tensor(normal(1, 3, 16, 16))
    segmap = tensor(normal(1, 1, 16, 16, seed=1))

    def discriminate(x):
        return network.patch(paddle.concat([segmap, x], axis=1))

    of_photo = r1_penalty(discriminate, photo)
    of_all = r1_penalty(network.patch, paddle.concat([segmap, photo], axis=1))
    assert 0 < of_photo.item() < of_all.item()
