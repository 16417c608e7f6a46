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
    """Resize ``segmap`` [N, K, h, w] to the height and width of ``x`` by nearest neighbor.

    During export, where sizes are unknown, the caller must pass a map of the right size, as the
    generator does.
    """
    if not paddle.in_dynamic_mode():
        return segmap
    if segmap.shape[2:] == x.shape[2:]:
        return segmap
    return F.interpolate(segmap, x.shape[2:])


class SPADE(nn.Layer):
    """Normalize, then scale and shift every pixel by values predicted from the semantic map.

    ``out = param_free_norm(x) * (1 + gamma) + beta``, where gamma and beta are predicted from the
    resized semantic map: ``actv = activation(mlp_shared(segmap))``, ``gamma = mlp_gamma(actv)``,
    ``beta = mlp_beta(actv)``. Equation 1 of the paper has ``gamma * x + beta``; the article, the
    authors' code and this layer have ``1 + gamma``.

    Args:
        norm_nc: C, channels of the features.
        label_nc: K, channels of the semantic map (networks/semantics.py).
        make_norm: builds the parameter-free norm for C channels.
        activation: after ``mlp_shared``; None: GELU, as in the article.
        kernel_size: of all three convolutions; odd.
        nhidden: output channels of ``mlp_shared``.
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
        """Initialize so that the output is 0 for every input."""
        set_to_zero(*self.mlp_gamma.parameters(), *self.mlp_beta.parameters())
        self.mlp_gamma.bias.set_value(paddle.full_like(self.mlp_gamma.bias, -1.0))
