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
"""PaddleGAN photopen's."""
PARTIAL_VGG19_RATES = {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0}
"""Ours; with features divided by the photo's mean."""
SQUEEZENET_RATES = {"conv1": 1.0, "fire3": 1.0, "fire5": 1.0, "fire7": 1.0, "fire9": 1.0}
"""Ours; with features of unit length."""


@dataclass(frozen=True)
class PerceptualLoss:
    """``sum_i rates[i] * mean(|s(phi_i(fake)) - s(phi_i(real))|)``; multiply by lambda_vgg.

    phi_i are feature maps, s is the scaling:

    - ``none``: as they are (the article, with VGG19);
    - ``length``: each pixel's features have length ``sqrt(C)``, which makes layers comparable
      whose activations differ by orders of magnitude, and keeps a layer's mean L1 near 1;
    - ``mean``: both divided by the mean of ``phi_i(real)``, for the same end where lengths matter.

    A network whose first layer has stride 2 does not see a fine grid that is locked to its raster,
    and so lets a generator paint one. Moving both pictures by a few pixels, others in every step,
    takes the raster away (the idea is that of translation in DiffAugment).

    Args:
        network: gives the feature maps.
        rates: how much each layer counts, by its name in the network.
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
        """The distance of two batches of pictures; a scalar >= 0.

        No gradient flows into the real branch.

        Args:
            fake: [N, 3, H, W] in -1..1.
            real: the same.
            shift: both are moved down and right by so many pixels, 0 or more and below H and W;
                what comes in above and to the left is their reflection, so that no pixel is lost.
        """
        layers = tuple(self.rates)
        with paddle.no_grad():
            truth = self.network(shifted(real, shift), layers)
        seen = self.network(shifted(fake, shift), layers)
        return sum(
            rate * self._distance(seen[name], truth[name].detach())
            for name, rate in self.rates.items()
        )

    def maps(self, pictures: paddle.Tensor) -> list[paddle.Tensor]:
        """The feature maps of pictures [N, 3, H, W] in -1..1, layer by layer; with scaling
        ``length`` of that length, else as they are."""
        found = self.network(pictures, tuple(self.rates)).values()
        return [unit_length(x) if self.scaling == "length" else x for x in found]

    def _distance(self, fake: paddle.Tensor, real: paddle.Tensor) -> paddle.Tensor:
        if self.scaling == "length":
            return unit_length_l1(fake, unit_length(real))
        distance = F.l1_loss(fake, real)
        return distance / real.mean() if self.scaling == "mean" else distance


def shifted(pictures: paddle.Tensor, shift: tuple[int, int]) -> paddle.Tensor:
    """[N, C, H, W] -> [N, C, H + down, W + right], reflected above and to the left."""
    down, right = shift
    if not (down or right):
        return pictures
    return F.pad(pictures, [right, 0, down, 0], mode="reflect")
