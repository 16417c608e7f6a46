"""CLADE, class-adaptive (de)normalisation (Tan et al., 2020; the article, "Upgrade SPADE").

Legend: N batch, C channels of the features, K channels of the semantic input, H height, W width.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers.norm import MakeNorm
from spade_paddle.layers.spade import resize_like


class CLADE(nn.Layer):
    """Normalise, then scale and shift every pixel by a table entry of its class.

    ``out = param_free_norm(x) * weight[c] + bias[c]`` with c the class of the pixel: SPADE
    without its convolutions over the label map, and so several times cheaper. There is no
    ``1 +`` here: the weights start uniformly in 0..1, the biases at 0.

    The lookup is written as a 1x1 convolution of the one-hot map, which gives the same numbers
    as an embedding and is the fastest of the ways Paddle has on a CPU.

    Args:
        norm_nc: C, channels of the features.
        label_nc: K, channels of the one-hot label map (don't care included, no edge channel).
        make_norm: builds the parameter-free norm for C channels.
    """

    def __init__(self, *, norm_nc: int, label_nc: int, make_norm: MakeNorm) -> None:
        super().__init__()
        self.out_channels = norm_nc
        self.param_free_norm = make_norm(norm_nc)
        self.weight = self.create_parameter(
            [label_nc, norm_nc], default_initializer=nn.initializer.Uniform(0.0, 1.0)
        )
        self.bias = self.create_parameter(
            [label_nc, norm_nc], default_initializer=nn.initializer.Constant(0.0)
        )

    def forward(self, x: paddle.Tensor, segmap: paddle.Tensor) -> paddle.Tensor:
        """x [N, C, H, W], one-hot segmap [N, K, any h, any w] -> [N, C, H, W]."""
        normalized = self.param_free_norm(x)
        segmap = resize_like(segmap, x)
        weight = F.conv2d(segmap, self.weight.t().unsqueeze([2, 3]))  # [N, C, H, W]
        bias = F.conv2d(segmap, self.bias.t().unsqueeze([2, 3]))
        return normalized * weight + bias
