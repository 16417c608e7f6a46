"""The residual block of the generator (Park et al. 2019, figure 4; the article's up blocks).

Legend: N batch, C channels, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

from typing import Callable

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers.activation import Activation
from spade_paddle.layers.initializer import set_to_zero
from spade_paddle.layers.simam import simam as simam_attention
from spade_paddle.layers.spade import NHIDDEN, SPADE
from spade_paddle.layers.spectral import maybe_spectral_norm

MakeModulatedNorm = Callable[[int, int], nn.Layer]
"""Builds SPADE or CLADE: (channels, hidden channels of SPADE) -> layer."""
HIDDEN = (NHIDDEN, NHIDDEN, NHIDDEN)


def create_noise_strength(block: nn.Layer, channels: int) -> paddle.Tensor:
    """Create the parameter [C, 1, 1] of a block that ``add_noise`` scales its noise by."""
    # about a third of the features' standard deviation; from 0 it would take thousands of steps
    start = paddle.ParamAttr(initializer=nn.initializer.Constant(0.2))
    return block.create_parameter([channels, 1, 1], attr=start)


def add_noise(x: paddle.Tensor, noise: paddle.Tensor, strength: paddle.Tensor) -> paddle.Tensor:
    """``x + strength * noise``: x [N, C, H, W], noise [N, 1, H, W], strength [C, 1, 1]."""
    # a 1x1 convolution is much faster on a CPU than the broadcast product
    return x + F.conv2d(noise, strength.unsqueeze(-1))


class SPADEResnetBlock(nn.Layer):
    """Residual block of two modulated convolutions.

    ``dx = conv_1(act(norm_1(conv_0(act(norm_0(x))))))`` and ``out = x_s + dx``. The shortcut x_s is
    x itself if fin equals fout, else ``conv_s(norm_s(x))`` (1x1, no bias, no activation). With
    SimAM the output is ``simam(out)`` (the article: "after the activation of each residual").

    Args:
        fin: input channels.
        fout: output channels.
        label_nc: K, to use default SPADE layers as norms; give this or make_modulated_norm.
        make_modulated_norm: builds the norms.
        middle: channels between the two convolutions; None: min(fin, fout).
        hidden: hidden channels of norm_0, norm_1 and norm_s, if they are SPADE.
        activation: None: GELU, as in the article; the public SPADE has LeakyReLU 0.2.
        spectral_norm: apply spectral normalization to the three convolutions.
        simam: apply SimAM to the output.
        noise: add noise to the input, ``x + noise_strength * noise`` with one learned strength per
            channel (not in the article; see data/noise.py).

    Raises:
        TypeError: both or none of label_nc and make_modulated_norm are given.
    """

    def __init__(
        self,
        fin: int,
        fout: int,
        *,
        label_nc: int | None = None,
        make_modulated_norm: MakeModulatedNorm | None = None,
        middle: int | None = None,
        hidden: tuple[int, int, int] = HIDDEN,
        activation: Activation | None = None,
        spectral_norm: bool = True,
        simam: bool = True,
        noise: bool = False,
    ) -> None:
        super().__init__()
        if (label_nc is None) == (make_modulated_norm is None):
            raise TypeError("SPADEResnetBlock: give either label_nc or make_modulated_norm")
        make = make_modulated_norm or (lambda nc, nhidden: SPADE(nc, label_nc, nhidden=nhidden))
        fmiddle = min(fin, fout) if middle is None else middle
        self.learned_shortcut = fin != fout
        self.activation = nn.GELU() if activation is None else activation
        self.simam = simam
        if noise:
            self.noise_strength = create_noise_strength(self, fin)
        self.norm_0 = make(fin, hidden[0])
        self.norm_1 = make(fmiddle, hidden[1])
        self.conv_0 = maybe_spectral_norm(
            nn.Conv2D(self.norm_0.out_channels, fmiddle, 3, padding=1), enabled=spectral_norm
        )
        self.conv_1 = maybe_spectral_norm(
            nn.Conv2D(self.norm_1.out_channels, fout, 3, padding=1), enabled=spectral_norm
        )
        if self.learned_shortcut:
            self.norm_s = make(fin, hidden[2])
            self.conv_s = maybe_spectral_norm(
                nn.Conv2D(self.norm_s.out_channels, fout, 1, bias_attr=False),
                enabled=spectral_norm,
            )

    def forward(
        self, x: paddle.Tensor, segmap: paddle.Tensor, noise: paddle.Tensor | None = None
    ) -> paddle.Tensor:
        """x [N, fin, H, W], segmap [N, K, any h, any w], noise [N, 1, H, W] -> [N, fout, H, W]."""
        if noise is not None:
            x = add_noise(x, noise, self.noise_strength)
        x_s = self.conv_s(self.norm_s(x, segmap)) if self.learned_shortcut else x
        dx = self.conv_0(self.activation(self.norm_0(x, segmap)))
        dx = self.conv_1(self.activation(self.norm_1(dx, segmap)))
        out = x_s + dx
        return simam_attention(out) if self.simam else out

    def zero_init_residual(self) -> None:
        """Initialize the residual branch and the noise strength so that both add nothing."""
        # conv_1's weight cannot be 0: spectral normalization would divide by 0
        self.norm_1.zero_init()
        set_to_zero(self.conv_1.bias)
        if hasattr(self, "noise_strength"):
            set_to_zero(self.noise_strength)
