"""The multi-scale discriminator (the article, section 1).

Legend: N batch, C channels of the input (semantic map and picture), H height, W width.
"""

from __future__ import annotations

import re

import paddle
from paddle import nn

from spade_paddle.layers.simam import simam as simam_attention
from spade_paddle.layers.spectral import maybe_spectral_norm


class NLayersDiscriminator(nn.Layer):
    """Patch discriminator that returns the output of every stage.

    ``num_layers`` 4x4 convolutions with padding 2 and stride 2 (stride 1 in the last), whose width
    starts at ndf and doubles up to ``max_width``, then one convolution to a single channel of
    logits. The first and the last convolution have no norm; the others have spectral normalization
    and instance norm.

    Args:
        input_nc: C.
        ndf: width of the first stage (128 in photopen).
        num_layers: stages before the logits (6 in photopen, 4 in the public SPADE).
        activation: None: GELU, as in photopen; the public SPADE has LeakyReLU 0.2.
        max_width: largest width (512 in photopen).
        spectral_norm: apply spectral normalization to all but the first and the last convolution.
        simam: apply SimAM to the output of every stage, including the logits (photopen).
        affine_norm: the instance norms have scale and shift, and the convolutions before them a
            bias (photopen); False: neither (public SPADE), since the norm subtracts a bias again.
    """

    def __init__(
        self,
        input_nc: int,
        *,
        ndf: int = 128,
        num_layers: int = 6,
        activation: nn.Layer | None = None,
        max_width: int = 512,
        spectral_norm: bool = True,
        simam: bool = True,
        affine_norm: bool = True,
    ) -> None:
        super().__init__()
        activation = activation or nn.GELU()
        self.simam = simam
        self.num_layers = num_layers
        # not left to a global initializer: Xavier is undefined for a vector
        scale = paddle.ParamAttr(initializer=nn.initializer.Constant(1.0)) if affine_norm else False
        bias = None if affine_norm else False
        width = min(ndf, max_width)
        stages = [nn.Sequential(nn.Conv2D(input_nc, width, 4, 2, 2), activation)]
        for index in range(1, num_layers):
            previous, width = width, min(width * 2, max_width)
            stride = 1 if index == num_layers - 1 else 2
            conv = nn.Conv2D(previous, width, 4, stride, 2, bias_attr=bias)
            norm = nn.InstanceNorm2D(width, weight_attr=scale, bias_attr=bias)
            stages.append(
                nn.Sequential(maybe_spectral_norm(conv, enabled=spectral_norm), norm, activation)
            )
        stages.append(nn.Sequential(nn.Conv2D(width, 1, 4, 1, 2)))
        for index, stage in enumerate(stages):
            self.add_sublayer(f"layer_{index}", stage)

    def forward(self, x: paddle.Tensor) -> list[paddle.Tensor]:
        """[N, C, H, W] -> the outputs of the num_layers + 1 stages, the logits last."""
        outputs = []
        for index in range(self.num_layers + 1):
            x = getattr(self, f"layer_{index}")(x)
            if self.simam:
                x = simam_attention(x)
            outputs.append(x)
        return outputs


class MultiscaleDiscriminator(nn.Layer):
    """``num_D`` patch discriminators of the same structure at different scales.

    The input of the i-th one, ``nld_i``, is average-pooled i times (3x3, stride 2, padding 1,
    padding not counted).

    Args:
        discriminators: ordered from the finest to the coarsest scale.
    """

    def __init__(self, discriminators: list[NLayersDiscriminator]) -> None:
        super().__init__()
        self.num_D = len(discriminators)
        for i, discriminator in enumerate(discriminators):
            pools = [nn.AvgPool2D(3, 2, 1) for _ in range(i)]
            self.add_sublayer(f"nld_{i}", nn.Sequential(*pools, discriminator))

    def forward(self, x: paddle.Tensor) -> list[list[paddle.Tensor]]:
        """[N, C, H, W] -> for each scale the stage outputs of its discriminator."""
        return [getattr(self, f"nld_{i}")(x) for i in range(self.num_D)]


def scale_name(name: str, *, further: int) -> str:
    """Rename a tensor of MultiscaleDiscriminator whose scale moves ``further`` places on.

    Other names, such as those of projected heads, are returned unchanged.
    """
    # nld_i is a sequence of i poolings and the discriminator, which therefore has the index i
    return re.sub(
        r"^nld_(\d+)\.\1\.",
        lambda found: "nld_{0}.{0}.".format(int(found[1]) + further),
        name,
    )
