"""The style encoder (Park et al. 2019, section 3 and appendix A; the article's "use VAE").

Legend: N batch, H height, W width of a photo, D length of the style vector.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.layers.spectral import maybe_spectral_norm

FINAL_SIZE = 4
MAX_FACTOR = 8


class Encoder(nn.Layer):
    """Map a photo to mean and log-variance of its style distribution.

    The photo is resized bilinearly to size x size. ``log2(size) - 2`` convolutions (3x3, stride 2,
    padding 1, no bias, spectral normalization, instance norm without affine parameters, LeakyReLU
    0.2) reduce it to 4x4, while the width grows from nef to 8 * nef; two linear layers predict mu
    and logvar. With nef 64, size 256 and style_dim 256 this is the encoder of the public SPADE,
    whose widths are 64, 128, 256, 512, 512, 512.

    Args:
        style_dim: D.
        nef: width of the first convolution.
        size: side of the square the photo is resized to; a power of two, at least 16.
        spectral_norm: apply spectral normalization to the convolutions.
    """

    def __init__(
        self, *, style_dim: int, nef: int = 64, size: int = 256, spectral_norm: bool = True
    ) -> None:
        super().__init__()
        self.size = size
        self.num_layers = size.bit_length() - 1 - 2
        previous = 3
        for index in range(self.num_layers):
            width = nef * min(2**index, MAX_FACTOR)
            conv = nn.Conv2D(previous, width, 3, 2, 1, bias_attr=False)
            norm = nn.InstanceNorm2D(width, weight_attr=False, bias_attr=False)
            stage = nn.Sequential(maybe_spectral_norm(conv, enabled=spectral_norm), norm)
            self.add_sublayer(f"layer{index + 1}", stage)
            previous = width
        self.fc_mu = nn.Linear(previous * FINAL_SIZE**2, style_dim)
        self.fc_var = nn.Linear(previous * FINAL_SIZE**2, style_dim)

    def forward(self, photo: paddle.Tensor) -> tuple[paddle.Tensor, paddle.Tensor]:
        """[N, 3, H, W] in -1..1, any H and W -> mu [N, D], logvar [N, D]."""
        x = F.interpolate(photo, size=[self.size, self.size], mode="bilinear")
        for index in range(self.num_layers):
            x = F.leaky_relu(getattr(self, f"layer{index + 1}")(x), 0.2)
        x = x.flatten(1)
        return self.fc_mu(x), self.fc_var(x)


def reparametrize(mu: paddle.Tensor, logvar: paddle.Tensor, noise: paddle.Tensor) -> paddle.Tensor:
    """Sample a style, ``z = mu + noise * exp(logvar / 2)``, all [N, D] and noise standard normal
    (Kingma and Welling 2014, section 2.4)."""
    return mu + noise * paddle.exp(0.5 * logvar)
