"""The projected discriminator (Sauer et al. 2021, Projected GANs), conditioned on the labels.

Legend: N batch, K channels of the semantic map, H height, W width; M channels of a level of mixed
features, h, w size of its head's output.
"""

from __future__ import annotations

from collections.abc import Sequence

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers.spectral import maybe_spectral_norm
from spade_paddle.layers.split import split
from spade_paddle.networks.projection import FrozenProjection

PHOTO_CHANNELS = 3


class ProjectedHead(nn.Layer):
    """Discriminator head on one level of mixed features: two convolutions, then a 1x1 convolution
    to K + 1 maps.

    The logit at every position is conditioned on the labels by projection (Miyato and Koyama 2018,
    equation 3):

        u + sum_k share_k v_k

    with u the first map, v_k the others and share_k the share of label k among the position's
    pixels. So u scores whether it is a photo, v_k whether it is a photo of label k. All
    convolutions have spectral normalization, the first two LeakyReLU 0.2; there are no other norms.

    Args:
        channels: M.
        width: channels of the first two convolutions.
        semantic_nc: K.
        strided: the first convolution is 4x4 with stride 2 instead of 3x3, to halve a fine level.
        spectral_norm: apply spectral normalization to the convolutions.
    """

    def __init__(
        self,
        *,
        channels: int,
        width: int,
        semantic_nc: int,
        strided: bool,
        spectral_norm: bool = True,
    ) -> None:
        super().__init__()
        kernel, stride = (4, 2) if strided else (3, 1)
        layers = [
            nn.Conv2D(channels, width, kernel, stride, 1),
            nn.Conv2D(width, width, 3, 1, 1),
            nn.Conv2D(width, semantic_nc + 1, 1),
        ]
        first, second, last = (maybe_spectral_norm(x, enabled=spectral_norm) for x in layers)
        self.layers = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), last)

    def forward(self, features: paddle.Tensor, segmap: paddle.Tensor) -> paddle.Tensor:
        """features [N, M, H / n, W / n], segmap [N, K, H, W] -> logits [N, 1, h, w]."""
        maps = self.layers(features)  # [N, K + 1, h, w]
        shares = F.adaptive_avg_pool2d(segmap, maps.shape[2:])
        weights = paddle.concat([paddle.ones_like(shares[:, :1]), shares], axis=1)
        return (maps * weights).sum(axis=1, keepdim=True)


class ProjectedDiscriminator(nn.Layer):
    """A trainable head on every level of frozen, randomly mixed features.

    For losses/gan.py every head is a scale with a single stage, its logits, so feature matching
    does not apply to it.

    Differences from the paper: conditioning on labels, standardized features, the channels of the
    levels, and heads of equal structure on three levels (the paper's reduce four levels to 4x4
    pixels).

    Args:
        projection: computes the mixed features.
        width: channels of the heads.
        semantic_nc: K.
        spectral_norm: apply spectral normalization to the heads' convolutions.
    """

    def __init__(
        self,
        *,
        projection: FrozenProjection,
        width: int,
        semantic_nc: int,
        spectral_norm: bool = True,
    ) -> None:
        super().__init__()
        self.semantic_nc = semantic_nc
        self.projection = projection
        for level, channels in enumerate(projection.widths):
            head = ProjectedHead(
                channels=channels,
                width=width,
                semantic_nc=semantic_nc,
                strided=level == 0,
                spectral_norm=spectral_norm,
            )
            self.add_sublayer(f"head_{level}", head)

    def forward(self, pictures: paddle.Tensor) -> list[list[paddle.Tensor]]:
        """Semantic map ++ photo [N, K + 3, H, W] -> the logits of each head as its only stage."""
        segmap, photo = split(pictures, [self.semantic_nc, PHOTO_CHANNELS], axis=1)
        return self.apply_heads(self.features(photo), segmap)

    def features(self, photo: paddle.Tensor) -> list[paddle.Tensor]:
        """Photos [N, 3, H, W] in -1..1 -> the mixed features of each level, finest first.

        They do not depend on the heads: for a picture used in the generator's and the
        discriminator's step they can be computed once, and detached for the second.
        """
        return self.projection(photo)

    def apply_heads(
        self, features: Sequence[paddle.Tensor], segmap: paddle.Tensor
    ) -> list[list[paddle.Tensor]]:
        """Run the heads on the output of ``features``; ``segmap`` [N, K, H, W] gets no gradient."""
        segmap = segmap.detach()
        return [
            [getattr(self, f"head_{level}")(feature, segmap)]
            for level, feature in enumerate(features)
        ]
