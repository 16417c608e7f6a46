"""The discriminator as it is trained: patch discriminators, projected heads, or both.

Legend: N batch, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator

import paddle
from paddle import nn

from spade_paddle.features.network import FeatureNetwork
from spade_paddle.networks.discriminator import MultiscaleDiscriminator
from spade_paddle.networks.projected import ProjectedDiscriminator


class CombinedDiscriminator(nn.Layer):
    """Gives the predictions of each kind of discriminator by its name.

    A pretrained network whose first layer is strided does not see the finest texture, so a patch
    discriminator beside it is worth its cost (Kumari et al. 2022, Vision-aided GANs, keep one).

    Args:
        patch: its scales ``nld_0`` ... become this network's own, as they always were.
        projected: heads on frozen features, ``projected``.
    """

    def __init__(
        self,
        *,
        patch: MultiscaleDiscriminator | None = None,
        projected: ProjectedDiscriminator | None = None,
    ) -> None:
        super().__init__()
        self.num_D = patch.num_D if patch is not None else 0
        for index in range(self.num_D):
            self.add_sublayer(f"nld_{index}", getattr(patch, f"nld_{index}"))
        self.projected = projected

    def forward(self, pictures: paddle.Tensor) -> dict[str, list[list[paddle.Tensor]]]:
        """[N, K + 3, H, W] -> ``patch`` and ``projected``, where they are there: for each scale
        the stage outputs, for each head its logits as the only stage."""
        predictions = {}
        if self.num_D:
            predictions["patch"] = self.patch(pictures)
        if self.projected is not None:
            predictions["projected"] = self.projected(pictures)
        return predictions

    def patch(self, pictures: paddle.Tensor) -> list[list[paddle.Tensor]]:
        """The patch discriminators alone: all that feature matching and R1 ask for."""
        return [getattr(self, f"nld_{index}")(pictures) for index in range(self.num_D)]

    def feature_networks(self) -> Iterator[FeatureNetwork]:
        """The frozen networks it looks through, which are no sub-layers."""
        if self.projected is not None:
            yield self.projected.projection.network
