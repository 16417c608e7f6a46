"""Perceptual loss: distances between the features of a network trained on ImageNet.

Two feature networks: VGG19 as the article has it, and SqueezeNet 1.1, small enough for a CPU.
Both take pictures [N, 3, H, W] in -1..1 (RGB) and give back a list of feature maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError


class FeatureNetwork(Protocol):
    """What a perceptual loss needs: feature maps and how much each of them counts."""

    rates: Sequence[float]

    def __call__(self, picture: paddle.Tensor) -> list[paddle.Tensor]:
        """Pictures [N, 3, H, W] in -1..1 -> feature maps, as many as there are rates."""


def perceptual_loss(network: FeatureNetwork, fake: paddle.Tensor, real: paddle.Tensor):
    """``sum_i rates[i] * mean(|phi_i(fake) - phi_i(real)|)``; multiply by lambda_vgg.

    No gradient flows into the real branch.
    """
    with paddle.no_grad():
        real_features = network(real)
    return weighted_l1(network(fake), real_features, network.rates)


def weighted_l1(
    fake_features: Sequence[paddle.Tensor],
    real_features: Sequence[paddle.Tensor],
    rates: Sequence[float],
) -> paddle.Tensor:
    """The article's layer-by-layer weighted L1 distance; a scalar >= 0."""
    total = paddle.zeros([])
    for fake, real, rate in zip(fake_features, real_features, rates):
        total = total + rate * F.l1_loss(fake, real.detach())
    return total


class VGG19Features(nn.Layer):
    """relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 of VGG19, weighted 1/32, 1/16, 1/8, 1/4, 1.

    The picture is resized to 224x224 by nearest neighbour first (the article's
    ``resize(fake_img, opt, 224)``) and fed as it is, in -1..1, without ImageNet mean and
    deviation.

    Args:
        weights: a ``.pdparams`` file of ``paddle.vision.models.vgg19``; None downloads Paddle's
            pretrained one.
        resize: side of the square the pictures are resized to; None leaves them.
    """

    rates = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
    taps = (1, 6, 11, 20, 29)  # indices of those ReLUs in paddle's vgg19().features

    def __init__(self, *, weights: str | Path | None = None, resize: int | None = 224) -> None:
        super().__init__()
        self.resize = resize
        network = paddle.vision.models.vgg19(pretrained=weights is None)
        if weights is not None:
            _load_exactly(network, weights)
        self.features = nn.LayerList(list(network.features.children())[: self.taps[-1] + 1])
        _freeze(self)

    def forward(self, picture: paddle.Tensor) -> list[paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> five feature maps."""
        x = picture
        if self.resize is not None:
            x = F.interpolate(x, (self.resize, self.resize), mode="nearest")
        features = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.taps:
                features.append(x)
        return features


class SqueezeNetFeatures(nn.Layer):
    """Five feature maps of SqueezeNet 1.1, each pixel's features scaled to length 1.

    After the first convolution and fire modules 2, 4, 6 and 8 (counted from 1). Activations of
    this network reach 1300 and differ by layer; the unit length over channels makes them
    comparable. ``sqrt(channels)`` keeps the mean L1 of a layer near 1 whatever its width.

    Args:
        weights: an ``.npz`` with the arrays of ``paddle.vision.models.squeezenet1_1``, of the
            Caffe kind: input BGR 0..255 minus (104, 117, 123).
    """

    rates = (1.0, 1.0, 1.0, 1.0, 1.0)

    def __init__(self, *, weights: str | Path) -> None:
        super().__init__()
        self.network = paddle.vision.models.squeezenet1_1()
        _load_exactly(self.network, weights)
        self.register_buffer("mean", paddle.to_tensor([104.0, 117.0, 123.0]).reshape([1, 3, 1, 1]))
        _freeze(self)

    def forward(self, picture: paddle.Tensor) -> list[paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> five feature maps."""
        net = self.network
        x = picture.flip(axis=[1]) * 127.5 + 127.5 - self.mean
        x = F.relu(net._conv(x))
        features = [x]
        x = net._conv2(net._conv1(net._pool(x)))
        features.append(x)
        x = net._conv4(net._conv3(net._pool(x)))
        features.append(x)
        x = net._conv6(net._conv5(net._pool(x)))
        features.append(x)
        features.append(net._conv8(net._conv7(x)))
        return [_unit_length(feature) for feature in features]


def _unit_length(feature: paddle.Tensor) -> paddle.Tensor:
    length = paddle.sqrt((feature**2).sum(axis=1, keepdim=True) + 1e-6)
    return feature / length * feature.shape[1] ** 0.5


def _freeze(network: nn.Layer) -> None:
    network.eval()
    for parameter in network.parameters():
        parameter.stop_gradient = True


def _load_exactly(network: nn.Layer, path: str | Path) -> None:
    """Load ``.pdparams`` or ``.npz`` weights; every array must be there and fit.

    Raises:
        ModelError: no such file, no weights in it, or arrays missing, left over or of another
            shape.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(
            f"{path}: there is no such weights file for the perceptual loss; give its path with "
            "--set losses.perceptual_weights=FILE or switch it off with "
            "--set losses.perceptual_network=none",
            code="weights_missing",
        )
    state = _read_arrays(path)
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    wrong = sorted(
        name
        for name in expected.keys() | state.keys()
        if name not in state or name not in expected or np.shape(state[name]) != expected[name]
    )
    if wrong:
        raise ModelError(
            f"{path}: these weights do not fit {type(network).__name__}: missing, left over or "
            f"of another shape are {', '.join(wrong[:6])}{' ...' if len(wrong) > 6 else ''}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(state)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                return {name: arrays[name].astype("float32") for name in arrays.files}
        return dict(paddle.load(str(path), return_numpy=True))
    except Exception as error:  # np.load and paddle.load raise whatever their parsers raise
        raise ModelError(
            f"{path}: this file holds no weights, or not all of them: expected an .npz of NumPy or "
            "a .pdparams of Paddle; copy it anew",
            code="weights_unreadable",
        ) from error
