from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.networks.encoder import Encoder, reparametrize
from tests import reference
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    parameters_of,
    randomize,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")


def small_encoder(*, size: int = 32) -> Encoder:
    encoder = Encoder(style_dim=3, nef=2, size=size, spectral_norm=False)
    randomize(encoder)
    return encoder


def plain(encoder: Encoder) -> dict[str, np.ndarray]:
    return {name.replace(".0.weight", ""): v for name, v in parameters_of(encoder).items()}


@pytest.mark.parametrize("photo", [(32, 32), (20, 45)])
def test_encoder_agrees_with_the_paper(photo):
    encoder, pixels = small_encoder(), normal(2, 3, *photo)
    expected = reference.encoder(pixels, plain(encoder), size=32)
    for got, right in zip(encoder(tensor(pixels)), expected):
        assert_same(got, right, rtol=1e-7)
    wrong = reference.encoder(pixels, plain(encoder), size=32, last_activation=False)
    assert_differs(encoder(tensor(pixels))[0], wrong[0])


def test_encoder_of_zeros_gives_its_biases_by_hand():
    encoder = small_encoder()
    mu, logvar = encoder(tensor(np.zeros((1, 3, 32, 32))))
    assert_same(mu, encoder.fc_mu.bias.numpy()[None])
    assert_same(logvar, encoder.fc_var.bias.numpy()[None])


def test_gradient_of_encoder_is_its_slope():
    encoder, photo = small_encoder(), tensor(normal(1, 3, 32, 32), differentiable=True)
    moved = [photo, encoder.layer1[0].weight, encoder.fc_var.weight]
    assert_gradients(
        lambda: sum(weighted_sum(part) for part in encoder(photo)), moved, places=4, rtol=1e-4
    )


def test_the_public_encoder_has_six_layers_of_its_widths():
    encoder = Encoder(style_dim=256)
    widths = [getattr(encoder, f"layer{i}")[0].weight_orig.shape[0] for i in range(1, 7)]
    assert widths == [64, 128, 256, 512, 512, 512]
    assert not hasattr(encoder, "layer7")
    assert encoder.fc_mu.weight.shape == encoder.fc_var.weight.shape == [512 * 16, 256]
    # nothing but the weights of the convolutions, their vectors u and v, and the linear layers
    kinds = {name.rpartition(".")[2] for name in encoder.state_dict()}
    assert kinds == {"weight_orig", "weight_u", "weight_v", "weight", "bias"}


@pytest.mark.parametrize(("size", "layers"), [(16, 2), (64, 4), (128, 5)])
def test_smaller_photos_need_fewer_layers(size, layers):
    encoder = small_encoder(size=size)
    assert encoder.num_layers == layers
    mu, _ = encoder(tensor(normal(2, 3, 40, 30)))
    assert mu.shape == [2, 3]


def test_styles_do_not_depend_on_brightness_and_contrast_of_a_channel_alone():
    # instance norm takes the scale of the whole photo away, the convolution mixes channels:
    # doubling everything changes nothing
    encoder, photo = small_encoder(), normal(1, 3, 32, 32)
    assert_same(encoder(tensor(2 * photo))[0], encoder(tensor(photo))[0].numpy(), rtol=1e-3)


def test_reparametrisation_by_hand():
    # deviation exp(log 4 / 2) = 2: 1 + 0.5 * 2 = 2
    z = reparametrize(tensor([[1.0]]), tensor([[np.log(4.0)]]), tensor([[0.5]]))
    assert_same(z, [[2.0]])


def test_reparametrised_styles_have_the_encoders_mean_and_deviation():
    noise = normal(20000, 1)
    z = reparametrize(tensor([[3.0]]), tensor([[np.log(0.25)]]), tensor(noise)).numpy()
    assert z.mean() == pytest.approx(3.0, abs=0.02)
    assert z.std() == pytest.approx(0.5, abs=0.02)
    mu, logvar = (tensor(normal(2, 3, seed=s), differentiable=True) for s in (1, 2))
    assert_gradients(
        lambda: weighted_sum(reparametrize(mu, logvar, tensor(normal(2, 3)))), [mu, logvar]
    )
