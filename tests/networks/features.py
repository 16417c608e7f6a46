"""A small feature network in the precision of the tests, and the formulas it is judged with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork
from tests import reference
from tests.numeric import randomize


class ThreeLevels(FeatureNetwork):
    """Three convolutions of stride 2, each with a ReLU."""

    channels: ClassVar[dict[str, int]] = {"fine": 3, "middle": 4, "coarse": 5}

    def __init__(self, *, seed: int = 3) -> None:
        super().__init__()
        before = 3
        for name, width in self.channels.items():
            self.add_sublayer(name, nn.Conv2D(before, width, 3, 2, 1))
            before = width
        randomize(self, seed=seed, scale=0.4)
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        found, x = {}, picture
        for name in self.channels:
            x = F.relu(getattr(self, name)(x))
            if name in layers:
                found[name] = x
        return found


def maps_of(network: ThreeLevels, picture: np.ndarray) -> list[np.ndarray]:
    maps, x = [], picture
    for name in network.channels:
        layer = getattr(network, name)
        weight, bias = layer.weight.numpy(), layer.bias.numpy()
        x = reference.relu(reference.conv2d(x, weight, bias, stride=2, padding=1))
        maps.append(x)
    return maps


def enlarged(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, the middles of pixels on the middles of pixels; beyond the border the last one."""

    def along(x: np.ndarray, size: int, axis: int) -> np.ndarray:
        length = x.shape[axis]
        place = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, length - 1)
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(4)])
        return np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share

    return along(along(x, height, 2), width, 3)


def area_pooled(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Every place has the mean of the pixels that it covers wholly or in part."""
    out = np.zeros((*x.shape[:2], height, width))
    for row, column in np.ndindex(height, width):
        top, left = row * x.shape[2] // height, column * x.shape[3] // width
        bottom = -(-(row + 1) * x.shape[2] // height)
        right = -(-(column + 1) * x.shape[3] // width)
        out[:, :, row, column] = x[:, :, top:bottom, left:right].mean(axis=(2, 3))
    return out
