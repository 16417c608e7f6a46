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
    """Judges one level of mixed features: two convolutions, then K + 1 maps (1x1).

    The score is a projection on the labels (Miyato and Koyama 2018, equation 3, at every place):

        u + sum_k share_k v_k

    with u the first map, v_k the others and share_k the part of a place's pixels that have label
    k. So u asks whether this is a photo, v_k whether it is a photo of k. Spectral norm on all
    convolutions, LeakyReLU 0.2 after the first two, no other norm.

    Args:
        channels: M.
        width: of both convolutions.
        semantic_nc: K.
        strided: the first convolution is 4x4 with stride 2 instead of 3x3: a fine level is halved.
        spectral_norm: wrap the convolutions.
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
        """[N, M, H / n, W / n] and [N, K, H, W] -> logits [N, 1, h, w]."""
        maps = self.layers(features)  # [N, K + 1, h, w]
        shares = F.adaptive_avg_pool2d(segmap, maps.shape[2:])
        weights = paddle.concat([paddle.ones_like(shares[:, :1]), shares], axis=1)
        return (maps * weights).sum(axis=1, keepdim=True)


class ProjectedDiscriminator(nn.Layer):
    """A head for every level of the mixed features; the heads alone learn.

    In the terms of losses/gan.py every head is a scale with one stage, its logits, so that feature
    matching has nothing to match here.

    Differences from the paper: labels, standardized features, the levels' widths, and heads of
    one structure on three levels (theirs go down to 4x4 pixels on four).

    Args:
        projection: what the heads look at.
        width: of the heads.
        semantic_nc: K.
        spectral_norm: on the heads' convolutions.
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
        """Semantic map ++ photo [N, K + 3, H, W] -> for each head its logits as the only stage."""
        segmap, photo = split(pictures, [self.semantic_nc, PHOTO_CHANNELS], axis=1)
        return self.apply_heads(self.features(photo), segmap)

    def features(self, photo: paddle.Tensor) -> list[paddle.Tensor]:
        """What the heads look at: [N, 3, H, W] in -1..1 -> the mixed levels, finest first.

        It does not change while the heads learn: of a picture that is judged in both steps it may
        be computed once, and detached for the second.
        """
        return self.projection(photo)

    def apply_heads(
        self, features: Sequence[paddle.Tensor], segmap: paddle.Tensor
    ) -> list[list[paddle.Tensor]]:
        """The heads alone; ``segmap`` [N, K, H, W] gets no gradient."""
        segmap = segmap.detach()
        return [
            [getattr(self, f"head_{level}")(feature, segmap)]
            for level, feature in enumerate(features)
        ]
