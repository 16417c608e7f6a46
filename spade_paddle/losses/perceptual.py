"""Perceptual loss: distances between the features of a network trained on ImageNet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import paddle
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork

VGG19_RATES = {
    "relu1_1": 1 / 32,
    "relu2_1": 1 / 16,
    "relu3_1": 1 / 8,
    "relu4_1": 1 / 4,
    "relu5_1": 1.0,
}
"""The article's, and the public SPADE's."""
SQUEEZENET_RATES = {"conv1": 1.0, "fire3": 1.0, "fire5": 1.0, "fire7": 1.0, "fire9": 1.0}
"""Ours; with features of unit length."""


@dataclass(frozen=True)
class PerceptualLoss:
    """``sum_i rates[i] * mean(|s(phi_i(fake)) - s(phi_i(real))|)``; multiply by lambda_vgg.

    phi_i are feature maps, s is the scaling:

    - ``none``: as they are (the article, with VGG19);
    - ``length``: each pixel's features have length ``sqrt(C)``, which makes layers comparable
      whose activations differ by orders of magnitude, and keeps a layer's mean L1 near 1.

    Args:
        network: gives the feature maps.
        rates: how much each layer counts, by its name in the network.
        scaling: none or length.
    """

    network: FeatureNetwork
    rates: Mapping[str, float]
    scaling: str = "none"

    def __call__(self, fake: paddle.Tensor, real: paddle.Tensor) -> paddle.Tensor:
        """Two batches of pictures [N, 3, H, W] in -1..1 -> a scalar >= 0.

        No gradient flows into the real branch.
        """
        with paddle.no_grad():
            truth = self.network(real, tuple(self.rates))
        seen = self.network(fake, tuple(self.rates))
        return sum(
            rate * self._distance(seen[name], truth[name]) for name, rate in self.rates.items()
        )

    def _distance(self, fake: paddle.Tensor, real: paddle.Tensor) -> paddle.Tensor:
        if self.scaling == "length":
            fake, real = unit_length(fake), unit_length(real)
        return F.l1_loss(fake, real.detach())


def unit_length(feature: paddle.Tensor) -> paddle.Tensor:
    """[N, C, h, w] -> the same, each pixel's features of length ``sqrt(C)``."""
    length = paddle.sqrt(paddle.square(feature).sum(axis=1, keepdim=True) + 1e-6)
    return feature / length * feature.shape[1] ** 0.5
