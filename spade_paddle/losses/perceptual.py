"""Perceptual loss: distances between the features of a network trained on ImageNet.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import paddle
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork
from spade_paddle.losses.unit_length import unit_length, unit_length_l1

VGG19_RATES = {
    "relu1_1": 1 / 32,
    "relu2_1": 1 / 16,
    "relu3_1": 1 / 8,
    "relu4_1": 1 / 4,
    "relu5_1": 1.0,
}
"""The article's numbers, and the public SPADE's layers and numbers."""
PHOTOPEN_RATES = {"picture": 1 / 32, "pool1": 1 / 16, "pool2": 1 / 8, "pool3": 1 / 4, "pool4": 1.0}
"""Those of PaddleGAN's photopen."""
PARTIAL_VGG19_RATES = {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0}
"""Chosen by us, for the scaling ``mean``."""
SQUEEZENET_RATES = {"conv1": 1.0, "fire3": 1.0, "fire5": 1.0, "fire7": 1.0, "fire9": 1.0}
"""Chosen by us, for the scaling ``length``."""


@dataclass(frozen=True)
class PerceptualLoss:
    """``sum_i rates[i] * mean(|s(phi_i(fake)) - s(phi_i(real))|)``; multiply by lambda_vgg.

    phi_i are feature maps, s is the scaling:

    - ``none``: the identity (the article, with VGG19);
    - ``length``: each pixel's feature vector is normalized to length ``sqrt(C)``, so that layers
      whose activations differ by orders of magnitude are comparable and the mean L1 distance of a
      layer is near 1;
    - ``mean``: both are divided by the mean of ``phi_i(real)``, which has the same effect but keeps
      the relative lengths.

    A network whose first layer has stride 2 cannot see artifacts of period 2 that are aligned with
    its sampling grid, so the generator is free to produce them. Translating both pictures by a few
    random pixels in every step prevents that (similar to translation in DiffAugment).

    Args:
        network: computes the feature maps.
        rates: weight of each layer, by its name in the network.
        scaling: none, length or mean.

    Raises:
        ModelError: the network does not have these layers.
    """

    network: FeatureNetwork
    rates: Mapping[str, float]
    scaling: str = "none"

    def __post_init__(self) -> None:
        self.network.check_layers(tuple(self.rates))

    def __call__(
        self, fake: paddle.Tensor, real: paddle.Tensor, *, shift: tuple[int, int] = (0, 0)
    ) -> paddle.Tensor:
        """Compute the loss of two batches of pictures, a scalar >= 0.

        No gradient flows into the real branch.

        Args:
            fake: [N, 3, H, W] in -1..1.
            real: [N, 3, H, W] in -1..1.
            shift: translation of both in pixels down and right, at least 0 and below H and W. They
                are padded above and to the left by reflection, so that no pixel is lost.
        """
        layers = tuple(self.rates)
        with paddle.no_grad():
            real_maps = self.network(shifted(real, shift), layers)
        fake_maps = self.network(shifted(fake, shift), layers)
        return sum(
            rate * self._distance(fake_maps[name], real_maps[name].detach())
            for name, rate in self.rates.items()
        )

    def maps(self, pictures: paddle.Tensor) -> list[paddle.Tensor]:
        """The feature maps of pictures [N, 3, H, W] in -1..1, layer by layer; normalized if the
        scaling is ``length``, else unscaled."""
        maps = self.network(pictures, tuple(self.rates)).values()
        return [unit_length(x) if self.scaling == "length" else x for x in maps]

    def _distance(self, fake: paddle.Tensor, real: paddle.Tensor) -> paddle.Tensor:
        if self.scaling == "length":
            return unit_length_l1(fake, unit_length(real))
        distance = F.l1_loss(fake, real)
        return distance / real.mean() if self.scaling == "mean" else distance


def shifted(pictures: paddle.Tensor, shift: tuple[int, int]) -> paddle.Tensor:
    """Pad above and to the left by reflection: [N, C, H, W] -> [N, C, H + down, W + right]."""
    down, right = shift
    if not (down or right):
        return pictures
    return F.pad(pictures, [right, 0, down, 0], mode="reflect")
