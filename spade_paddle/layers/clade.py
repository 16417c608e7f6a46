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
    """Normalize, then scale and shift every pixel by learned values of its class.

    ``out = param_free_norm(x) * weight[c] + bias[c]`` with c the class of the pixel. Without
    SPADE's convolutions over the semantic map it is several times cheaper. Unlike SPADE there is
    no ``1 +``: the weights are initialized uniformly in 0..1, the biases with 0.

    With ``positions`` it is CLADE-ICPE: the positional encoding d of a pixel in its region
    (data/positions.py) varies scale and shift within a class,
    ``weight[c] * (1 + position_weight(d))`` and ``bias[c] * (1 + position_bias(d))``. Both are 1x1
    convolutions to a single channel, initialized with 0.

    With ``edges`` the instance edge channel passes through a 1x1 convolution and is appended to
    the output, so the next convolution has C + 1 input channels.

    The lookup is a 1x1 convolution of the one-hot map: it gives the same values as an embedding
    and is the fastest option that Paddle has on a CPU.

    Args:
        norm_nc: C, channels of the features.
        num_classes: L, channels of the one-hot label map (including "don't care").
        make_norm: builds the parameter-free norm for C channels.
        edges: ``segmap`` has an instance edge channel after the classes.
        positions: ``segmap`` ends with two channels of positional encoding.
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
        """x [N, C, H, W], segmap [N, L (+ 1 edge) (+ 2 positions), any h, any w] ->
        [N, C (+ 1 edge), H, W]."""
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
        # equals edge_conv(edges); oneDNN of Paddle 3.2 fails on a convolution before a concat
        edges = edges * self.edge_conv.weight + self.edge_conv.bias
        return paddle.concat([out, edges], axis=1)

    def zero_init(self) -> None:
        """Initialize so that the output is 0 for every input."""
        set_to_zero(self.weight, self.bias)
        if self.edge_conv is not None:
            set_to_zero(*self.edge_conv.parameters())

    def _table(self, norm_nc: int, initializer: nn.initializer.Initializer) -> paddle.Tensor:
        # as attr, because a global initializer takes precedence over default_initializer
        return self.create_parameter(
            [self.num_classes, norm_nc], attr=paddle.ParamAttr(initializer=initializer)
        )


def _zero_conv() -> nn.Conv2D:
    """A 1x1 convolution from two channels to one, initialized with 0."""
    zero = paddle.ParamAttr(initializer=nn.initializer.Constant(0.0))
    return nn.Conv2D(2, 1, 1, weight_attr=zero)
