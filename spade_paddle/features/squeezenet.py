"""SqueezeNet 1.1 (Iandola et al. 2016): small enough for training on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import paddle
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork, per_channel, rgb_to_bgr, vision_model

CAFFE = ((104.0, 117.0, 123.0), (1.0, 1.0, 1.0))
"""Mean and deviation of blue, green and red, of 0..255."""
IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""The same of red, green and blue."""


class SqueezeNet(FeatureNetwork):
    """The first convolution (``conv1``) and the fire modules ``fire2`` to ``fire9``.

    Numbered as in the paper, where pool1 lies between conv1 and fire2. Activations reach 1300 and
    differ by layer: scale them before taking distances. Its first layer has stride 2, so it does
    not see a grid of two pixels that is locked to its raster.

    Args:
        weights: a file with the arrays of ``paddle.vision.models.squeezenet1_1``. An ``.npz`` is of
            the Caffe kind, with input BGR 0..255 minus (104, 117, 123); a ``.pdparams`` of
            Paddle's, with input RGB 0..1, standardized by ImageNet's mean and deviation. None
            downloads Paddle's.

    Raises:
        ModelError: no such file, it does not hold these weights, or they cannot be downloaded.
    """

    channels: ClassVar[dict[str, int]] = {
        "conv1": 64,
        "fire2": 128,
        "fire3": 128,
        "fire4": 256,
        "fire5": 256,
        "fire6": 384,
        "fire7": 384,
        "fire8": 512,
        "fire9": 512,
    }
    _POOL_AFTER = ("conv1", "fire3", "fire5")

    def __init__(self, *, weights: str | Path | None = None) -> None:
        super().__init__()
        self.network = vision_model("squeezenet1_1", weights=weights)
        self._of_caffe = weights is not None and Path(weights).suffix == ".npz"
        mean, deviation = map(per_channel, CAFFE if self._of_caffe else IMAGENET)
        self.register_buffer("mean", mean)  # tells the kinds apart in a check sum of the state
        # of -1..1: what the network takes is picture * scale + offset
        self.register_buffer("scale", 127.5 / deviation, persistable=False)
        self.register_buffer("offset", (127.5 - mean) / deviation, persistable=False)
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> feature maps after the ReLU, by name."""
        x = rgb_to_bgr(picture) if self._of_caffe else picture
        # broadcasting is slow on a CPU
        x = x * self.scale.expand(x.shape) + self.offset.expand(x.shape)
        found = {}
        for index, name in enumerate(self.channels):
            if index == 0:
                x = F.relu(self.network._conv(x))
            else:
                x = getattr(self.network, f"_conv{index}")(x)
            if name in layers:
                found[name] = x
                if len(found) == len(layers):
                    break
            if name in self._POOL_AFTER:
                x = self.network._pool(x)
        return found
