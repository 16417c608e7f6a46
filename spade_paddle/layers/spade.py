"""SPADE, spatially-adaptive (de)normalization (Park et al., CVPR 2019; the article, section 3).

Legend: N batch, C channels of the features, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers.initializer import set_to_zero
from spade_paddle.layers.norm import MakeNorm, ParamFreeBatchNorm

NHIDDEN = 128
"""Of the article and the public SPADE ("yes, hardcoded")."""


def resize_like(segmap: paddle.Tensor, x: paddle.Tensor) -> paddle.Tensor:
    """Nearest-neighbor resize of ``segmap`` [N, K, h, w] to the height and width of ``x``.

    During export sizes are unknown; there the generator has to pass a map that fits, as it does.
    """
    if not paddle.in_dynamic_mode():
        return segmap
    if segmap.shape[2:] == x.shape[2:]:
        return segmap
    return F.interpolate(segmap, x.shape[2:])


class SPADE(nn.Layer):
    """Normalize, then scale and shift every pixel by what the label map says there.

    ``out = param_free_norm(x) * (1 + gamma) + beta``, where gamma and beta come from the resized
    label map: ``actv = activation(mlp_shared(segmap))``, ``gamma = mlp_gamma(actv)``,
    ``beta = mlp_beta(actv)``. The paper's equation 1 writes ``gamma * x + beta``; the article and
    the authors' code write ``1 + gamma``, and so do we.

    Args:
        norm_nc: C, channels of the features.
        label_nc: K, channels of the semantic map (one-hot labels, don't care, edges).
        make_norm: builds the parameter-free norm for C channels.
        activation: after ``mlp_shared``; None: GELU, as in the article.
        kernel_size: of all three convolutions; odd.
        nhidden: channels between them.
    """

    def __init__(
        self,
        norm_nc: int,
        label_nc: int,
        *,
        make_norm: MakeNorm = ParamFreeBatchNorm,
        activation: nn.Layer | None = None,
        kernel_size: int = 3,
        nhidden: int = NHIDDEN,
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.out_channels = norm_nc
        self.param_free_norm = make_norm(norm_nc)
        self.mlp_shared = nn.Sequential(
            nn.Conv2D(label_nc, nhidden, kernel_size, 1, padding), activation or nn.GELU()
        )
        self.mlp_gamma = nn.Conv2D(nhidden, norm_nc, kernel_size, 1, padding)
        self.mlp_beta = nn.Conv2D(nhidden, norm_nc, kernel_size, 1, padding)

    def forward(self, x: paddle.Tensor, segmap: paddle.Tensor) -> paddle.Tensor:
        """x [N, C, H, W], segmap [N, K, any h, any w] -> [N, C, H, W]."""
        normalized = self.param_free_norm(x)
        actv = self.mlp_shared(resize_like(segmap, x))  # [N, nhidden, H, W]
        gamma = self.mlp_gamma(actv)
        beta = self.mlp_beta(actv)
        return normalized * (1 + gamma) + beta

    def zero_init(self) -> None:
        """Let 0 come out, whatever comes in, until it has learned otherwise."""
        set_to_zero(*self.mlp_gamma.parameters(), *self.mlp_beta.parameters())
        self.mlp_gamma.bias.set_value(paddle.full_like(self.mlp_gamma.bias, -1.0))
