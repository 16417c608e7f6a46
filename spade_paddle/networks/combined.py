"""The whole discriminator: patch discriminators, projected heads, or both.

Legend: N batch, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import paddle
from paddle import nn

from spade_paddle.features.network import FeatureNetwork
from spade_paddle.networks.discriminator import MultiscaleDiscriminator
from spade_paddle.networks.projected import ProjectedDiscriminator
from spade_paddle.networks.projection import FrozenProjection


class CombinedDiscriminator(nn.Layer):
    """Patch discriminators and projected heads, whose predictions are returned by kind.

    A pretrained network whose first layer is strided cannot see the finest textures, so a patch
    discriminator in addition is worth its cost (Kumari et al. 2022, Vision-aided GANs, use both).

    Args:
        patch: its scales become the sub-layers ``nld_0``, ``nld_1``, ... of this network, as in
            MultiscaleDiscriminator.
        heads: projected heads on each of some feature networks, by the names of their sub-layers.
    """

    def __init__(
        self,
        *,
        patch: MultiscaleDiscriminator | None = None,
        heads: Mapping[str, ProjectedDiscriminator] | None = None,
    ) -> None:
        super().__init__()
        self.num_D = patch.num_D if patch is not None else 0
        for index in range(self.num_D):
            self.add_sublayer(f"nld_{index}", getattr(patch, f"nld_{index}"))
        self.heads = tuple(heads or ())
        for name, projected in (heads or {}).items():
            self.add_sublayer(name, projected)

    def forward(self, pictures: paddle.Tensor) -> dict[str, list[list[paddle.Tensor]]]:
        """Semantic map ++ photo [N, K + 3, H, W] -> predictions of the kinds it has: ``patch``, the
        stage outputs of each scale; ``projected`` and other names of heads, the logits of each
        head as its only stage."""
        predictions = {}
        if self.num_D:
            predictions["patch"] = self.patch(pictures)
        return {**predictions, **{name: getattr(self, name)(pictures) for name in self.heads}}

    def patch(self, pictures: paddle.Tensor) -> list[list[paddle.Tensor]]:
        """Run the patch discriminators alone, which is all that feature matching and R1 need."""
        return [getattr(self, f"nld_{index}")(pictures) for index in range(self.num_D)]

    def projections(self) -> Iterator[FrozenProjection]:
        """The frozen features that the heads look at."""
        return (getattr(self, name).projection for name in self.heads)

    def feature_networks(self) -> Iterator[FeatureNetwork]:
        """The frozen feature networks, which are not sub-layers."""
        return (projection.network for projection in self.projections())
