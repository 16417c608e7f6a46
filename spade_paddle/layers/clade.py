"""CLADE, class-adaptive (de)normalization (Tan et al., 2020; the article, "Upgrade SPADE").

Legend: N batch, C channels of the features, L classes, H height, W width.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers.initializer import set_to_zero
from spade_paddle.layers.norm import MakeNorm, ParamFreeBatchNorm
from spade_paddle.layers.spade import resize_like


class CLADE(nn.Layer):
    """Normalize, then scale and shift every pixel by a table entry of its class.

    ``out = param_free_norm(x) * weight[c] + bias[c]`` with c the class of the pixel: SPADE
    without its convolutions over the label map, and so several times cheaper. There is no
    ``1 +`` here: the weights start uniformly in 0..1, the biases at 0.

    With ``positions`` it is CLADE-ICPE: the encoding d of where a pixel lies in its region
    (data/positions.py) tells scale and shift apart within a class,
    ``weight[c] * (1 + position_weight(d))`` and ``bias[c] * (1 + position_bias(d))``, both 1x1
    convolutions to one number a pixel, which start at 0.

    With ``edges`` the instance edge channel passes a 1x1 convolution and is appended to the
    output, so that the next convolution has C + 1 inputs.

    The lookup is written as a 1x1 convolution of the one-hot map, which gives the same numbers
    as an embedding and is the fastest of the ways Paddle has on a CPU.

    Args:
        norm_nc: C, channels of the features.
        num_classes: L, channels of the one-hot label map (don't care included).
        make_norm: builds the parameter-free norm for C channels.
        edges: the segmap has an instance edge channel after the classes.
        positions: the segmap ends with two channels of positional encoding.
    """

    def __init__(
        self,
        norm_nc: int,
        num_classes: int,
        *,
        make_norm: MakeNorm = ParamFreeBatchNorm,
        edges: bool = False,
        positions: bool = False,
    ) -> None:
        super().__init__()
        self.out_channels = norm_nc + int(edges)
        self.num_classes = num_classes
        self.param_free_norm = make_norm(norm_nc)
        self.weight = self._table(norm_nc, nn.initializer.Uniform(0.0, 1.0))
        self.bias = self._table(norm_nc, nn.initializer.Constant(0.0))
        self.edge_conv = nn.Conv2D(1, 1, 1) if edges else None
        self.position_weight = _zero_conv() if positions else None
        self.position_bias = _zero_conv() if positions else None

    def forward(self, x: paddle.Tensor, segmap: paddle.Tensor) -> paddle.Tensor:
        """x [N, C, H, W], segmap [N, L (+ 1 edge) (+ 2 positions), any h, any w] -> [N, C or C+1,
        H, W]."""
        normalized = self.param_free_norm(x)
        segmap = resize_like(segmap, x)
        classes = segmap[:, : self.num_classes]
        weight = F.conv2d(classes, self.weight.t().unsqueeze([2, 3]))  # [N, C, H, W]
        bias = F.conv2d(classes, self.bias.t().unsqueeze([2, 3]))
        if self.position_weight is not None:
            positions = segmap[:, -2:]
            weight = weight * (1 + self.position_weight(positions))
            bias = bias * (1 + self.position_bias(positions))
        out = normalized * weight + bias
        if self.edge_conv is None:
            return out
        edges = segmap[:, self.num_classes : self.num_classes + 1]
        # what edge_conv(edges) gives; Paddle 3.2's oneDNN cannot open a convolution before a concat
        edges = edges * self.edge_conv.weight + self.edge_conv.bias
        return paddle.concat([out, edges], axis=1)

    def zero_init(self) -> None:
        """Let 0 come out, whatever comes in, until it has learned otherwise."""
        set_to_zero(self.weight, self.bias)
        if self.edge_conv is not None:
            set_to_zero(*self.edge_conv.parameters())

    def _table(self, norm_nc: int, initializer: nn.initializer.Initializer) -> paddle.Tensor:
        # an attribute, not default_initializer: a global initializer does not touch the tables
        return self.create_parameter(
            [self.num_classes, norm_nc], attr=paddle.ParamAttr(initializer=initializer)
        )


def _zero_conv() -> nn.Conv2D:
    """A 1x1 convolution of two channels to one; everything in it starts at 0."""
    zero = paddle.ParamAttr(initializer=nn.initializer.Constant(0.0))
    return nn.Conv2D(2, 1, 1, weight_attr=zero)
