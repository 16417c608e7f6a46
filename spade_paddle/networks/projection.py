"""Random projections of a frozen network's features (Sauer et al. 2021, Projected GANs, 3.2).

Legend: N batch, H height, W width; C channels of the network's layer; M channels, h, w size of the
mixed level. Level 0 is the finest.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError
from spade_paddle.features.network import FeatureNetwork

LEAST_DEVIATION = 0.1
"""Lower limit of a channel's standard deviation, as a share of its layer's, so that a nearly
constant channel is not amplified."""


class RandomConvolution(nn.Layer):
    """Convolution (stride 1, no bias) with random, fixed weights from N(0, 1 / fan_in), which
    preserves the variance.

    The weight is a buffer: it is in the checkpoint, but the optimizer does not update it.
    """

    convolve = staticmethod(F.conv2d)
    """The function that convolves; ``use_onednn`` replaces it."""

    def __init__(
        self, channels: int, width: int, *, kernel: int, generator: np.random.Generator
    ) -> None:
        super().__init__()
        fan_in = channels * kernel**2
        weight = generator.standard_normal((width, channels, kernel, kernel)) * fan_in**-0.5
        self.register_buffer("weight", _constant(weight))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, h, w] -> [N, M, h, w]."""
        return self.convolve(x, self.weight, padding=[self.weight.shape[2] // 2] * 4)


class StandardizedMix(RandomConvolution):
    """Random 1x1 convolution of ``(x - mean) / deviation``, with buffers mean and deviation [C].

    The standardization is folded into the weights, which saves a pass over the feature map.
    """

    def __init__(self, channels: int, width: int, *, generator: np.random.Generator) -> None:
        super().__init__(channels, width, kernel=1, generator=generator)
        self.register_buffer("mean", _constant(np.zeros(channels)))
        self.register_buffer("deviation", _constant(np.ones(channels)))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, h, w] -> [N, M, h, w]."""
        weight = self.weight / self.deviation.reshape([1, -1, 1, 1])
        return self.convolve(x, weight, -paddle.mv(weight.flatten(1), self.mean))


class FrozenProjection(nn.Layer):
    """Random mixtures of the features of a frozen network trained on ImageNet.

    A discriminator on the features themselves would use the few that separate fake from real most
    easily; random mixing makes it use all of them. With ``phi_i`` the network's feature map and
    ``s`` the standardization by each channel's mean and standard deviation over training photos:

        m_i = A_i s(phi_i),   x_last = m_last,   x_i = (m_i + up(B_i x_{i+1})) / sqrt(2)

    A_i are 1x1 convolutions (cross-channel mixing), B_i 3x3 convolutions (cross-scale mixing), both
    random and frozen; ``up`` is bilinear upsampling. The paper does not standardize; SqueezeNet's
    channels differ by orders of magnitude, so a few of them would dominate a mixture.

    Gradients flow through it to the picture; nothing in it is trained. The feature network is not a
    sub-layer: checkpoints store its fingerprint instead of its weights.

    Args:
        network: the feature network.
        layers: names of its layers.
        widths: M of each level, finest first.
        seed: of the random weights.

    Raises:
        ModelError: the network does not have these layers.
    """

    def __init__(
        self, *, network: FeatureNetwork, layers: Sequence[str], widths: Sequence[int], seed: int
    ) -> None:
        super().__init__()
        network.check_layers(layers)
        self._frozen = (network,)  # in a tuple, or it would be a sub-layer
        self.layers = tuple(name for name in network.channels if name in layers)
        self.widths = tuple(widths)
        generator = np.random.default_rng([seed, 5])
        channels = [network.channels[name] for name in self.layers]
        for level, (before, width) in enumerate(zip(channels, self.widths)):
            mix = StandardizedMix(before, width, generator=generator)
            self.add_sublayer(f"across_{level}", mix)
        for level, (width, coarser) in enumerate(zip(self.widths, self.widths[1:])):
            down = RandomConvolution(coarser, width, kernel=3, generator=generator)
            self.add_sublayer(f"down_{level}", down)
        self.register_buffer("photos", paddle.zeros([1], "int64"))  # number in ``measure``
        self.register_buffer("fingerprint", paddle.to_tensor([self._fingerprint()], "int64"))

    @property
    def network(self) -> FeatureNetwork:
        """The frozen network."""
        return self._frozen[0]

    def forward(self, photo: paddle.Tensor) -> list[paddle.Tensor]:
        """Pictures [N, 3, H, W] in -1..1 -> the mixed levels [N, M, h, w], finest first."""
        maps = self.network(photo, self.layers)
        levels = [getattr(self, f"across_{i}")(maps[name]) for i, name in enumerate(self.layers)]
        for level in reversed(range(len(levels) - 1)):
            # convolved before upsampling, which needs a quarter of the multiplications
            coarser = getattr(self, f"down_{level}")(levels[level + 1])
            size = levels[level].shape[2:]
            coarser = F.interpolate(coarser, size, mode="bilinear", align_corners=False)
            levels[level] = (levels[level] + coarser) * 0.5**0.5
        return levels

    @paddle.no_grad()
    def measure(self, photos: Iterable[paddle.Tensor]) -> None:
        """Compute mean and standard deviation of every channel; once, at the start of a run.

        Args:
            photos: batches of training photos [N, 3, H, W] in -1..1; their sizes may differ.
        """
        sums = [np.zeros((2, self.network.channels[name])) for name in self.layers]
        pixels = np.zeros(len(self.layers))
        count = 0
        for photo in photos:
            count += photo.shape[0]
            maps = self.network(photo, self.layers)
            for level, name in enumerate(self.layers):
                values = maps[name].numpy().astype(np.float64)
                sums[level] += [values.sum(axis=(0, 2, 3)), (values**2).sum(axis=(0, 2, 3))]
                pixels[level] += values.size / values.shape[1]
        for level, (first, second) in enumerate(total / n for total, n in zip(sums, pixels)):
            of_layer = np.sqrt(max(second.mean() - first.mean() ** 2, 0.0))
            deviation = np.sqrt(np.maximum(second - first**2, 0.0))
            deviation = np.maximum(deviation, LEAST_DEVIATION * of_layer + 1e-12)
            mix = getattr(self, f"across_{level}")
            mix.mean.set_value(_constant(first))
            mix.deviation.set_value(_constant(deviation))
        self.photos.set_value(paddle.full([1], count, "int64"))

    @property
    def measured(self) -> bool:
        """Whether the channel statistics are known, by ``measure`` or from a checkpoint."""
        return self.photos.item() > 0

    def check_network(self) -> None:
        """Check that the heads of a checkpoint were trained on the same network.

        Raises:
            ModelError: the fingerprint of the weights differs.
        """
        if self.fingerprint.item() != self._fingerprint():
            raise ModelError(
                "the projected discriminator of this checkpoint was trained with other weights of "
                f"{type(self.network).__name__}: expected the checksum "
                f"{self.fingerprint.item():08x}, got {self._fingerprint():08x}; give the original "
                "weights file with --set discriminator.projected_weights=FILE (for a second "
                "network projected_2_weights), or start a new run without projected heads: --init "
                "FOLDER --set discriminator.kind=patch",
                code="projected_weights_differ",
            )

    def _fingerprint(self) -> int:
        total = 0
        for value in self.network.state_dict().values():
            total = zlib.crc32(np.ascontiguousarray(value.numpy()).tobytes(), total)
        return total


def _constant(values: np.ndarray) -> paddle.Tensor:
    return paddle.to_tensor(values.astype(paddle.get_default_dtype()))
