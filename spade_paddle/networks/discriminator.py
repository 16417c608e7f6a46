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
    """One patch discriminator; it gives back the output of every stage.

    ``num_layers`` convolutions 4x4 with padding 2 (width ndf, doubled up to ``max_width``; stride
    2, the last of them stride 1), then one to a single channel of logits. The first and the last
    have no norm; those between are spectrally normalized and instance normalized.

    Args:
        input_nc: C.
        ndf: width of the first stage (128 in photopen).
        num_layers: stages before the logits (6 in photopen, 4 in the public SPADE).
        activation: GELU (photopen, and None) or LeakyReLU 0.2.
        max_width: 512 in photopen.
        spectral_norm: wrap the convolutions between the first and the last.
        simam: attention on every stage's output, the logits included (photopen).
        affine_norm: the instance norms learn a scale and a shift, and the convolutions before
            them keep their bias (photopen), or neither (public SPADE: the norm would take a bias
            off again).
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
        # an initializer of its own: Xavier has no meaning for a scale
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
        """[N, C, H, W] -> the num_layers + 1 stage outputs; the last are the logits."""
        outputs = []
        for index in range(self.num_layers + 1):
            x = getattr(self, f"layer_{index}")(x)
            if self.simam:
                x = simam_attention(x)
            outputs.append(x)
        return outputs


class MultiscaleDiscriminator(nn.Layer):
    """``num_D`` discriminators of the same structure, each looking at a smaller picture.

    The i-th one, ``nld_i``, sees the input after i average poolings (3x3, stride 2, padding 1,
    padding not counted).

    Args:
        discriminators: the networks, largest picture first.
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
    """The name of a tensor of MultiscaleDiscriminator, when its scale comes so many later.

    Others, such as those of projected heads, keep their names.
    """
    # a scale's number is also its place after that many poolings
    return re.sub(
        r"^nld_(\d+)\.\1\.",
        lambda found: "nld_{0}.{0}.".format(int(found[1]) + further),
        name,
    )
