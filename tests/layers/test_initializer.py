from __future__ import annotations

import math

import numpy as np
import pytest
from paddle import nn

from spade_paddle.config import read_config
from spade_paddle.layers import CLADE
from spade_paddle.layers.initializer import initializer
from spade_paddle.layers.spectral import effective_state, maybe_spectral_norm
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator


def test_deviation_of_xavier_by_hand():
    # 3x3 convolution 40 -> 60: fans 360 and 540, 0.02 * sqrt(2 / 900) = 0.00094281
    with initializer("xavier"):
        conv, linear = nn.Conv2D(40, 60, 3), nn.Linear(300, 200)
    assert conv.weight.numpy().std() == pytest.approx(0.00094281, rel=0.03)
    assert linear.weight.numpy().std() == pytest.approx(0.02 * math.sqrt(2 / 500), rel=0.03)
    assert abs(conv.weight.numpy().mean()) < 3e-5
    assert not conv.bias.numpy().any()
    assert not linear.bias.numpy().any()


def test_outside_the_block_layers_start_as_paddle_has_it():
    def deviation() -> float:
        return float(nn.Conv2D(40, 60, 3).weight.numpy().std())

    before = deviation()
    with pytest.raises(RuntimeError), initializer("xavier"):
        raise RuntimeError
    assert deviation() == pytest.approx(before, rel=0.1)
    with initializer("paddle"):
        assert deviation() == pytest.approx(before, rel=0.1)


def test_initial_weights_are_in_place_before_spectral_norm_copies_them():
    with initializer("xavier"):
        conv = maybe_spectral_norm(nn.Conv2D(8, 16, 3), enabled=True)
    matrix = conv.weight_orig.numpy().reshape(16, -1)
    assert matrix.std() == pytest.approx(0.02 * math.sqrt(2 / (72 + 144)), rel=0.1)
    # u and v belong to this weight: divided by u W v, its largest singular value is near 1
    weight = effective_state(nn.Sequential(conv))["0.weight"].numpy().reshape(16, -1)
    assert 0.9 < np.linalg.svd(weight, compute_uv=False)[0] < 1.5


@pytest.mark.parametrize("norm", ["spade", "clade_icpe"])
def test_xavier_reaches_every_convolution_and_linear_layer_and_nothing_else(norm):
    config = read_config(
        {
            "initializer": "xavier",
            "generator": {"ngf": 2, "nhidden": 8, "norm": norm, "noise": True},
            "encoder": {"style_dim": 4, "nef": 4, "size": 32},
            "discriminator": {"scales": 1, "ndf": 8},
        }
    )
    networks = [
        build_generator(config, num_labels=4),
        build_encoder(config),
        build_discriminator(config, num_labels=4),
    ]
    seen = 0
    for network in networks:
        for name, layer in network.named_sublayers():
            if isinstance(layer, (nn.Conv2D, nn.Linear)) and "position_" not in name:
                weight = getattr(layer, "weight_orig", layer.weight).numpy()
                receptive = int(np.prod(weight.shape[2:]))
                fans = receptive * (weight.shape[0] + weight.shape[1])
                expected = 0.02 * math.sqrt(2 / fans)
                # many numbers come close to the deviation; few are at least no larger
                assert np.abs(weight).max() < 6 * expected, name
                if weight.size > 500:
                    assert weight.std() == pytest.approx(expected, rel=0.15), name
                seen += 1
            elif isinstance(layer, nn.InstanceNorm2D) and layer.scale is not None:
                assert (layer.scale.numpy() == 1).all()
            elif isinstance(layer, CLADE):
                table = layer.weight.numpy()
                assert table.min() >= 0
                assert table.max() > 0.5
                assert not layer.position_weight.weight.numpy().any()
    assert seen > 20
    assert (networks[0].up_0.noise_strength.numpy() == np.float32(0.2)).all()
