"""SqueezeNet 1.1 (Iandola et al. 2016): small enough for training on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import paddle
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork, per_channel, rgb_to_bgr, vision_model

CAFFE = ((104.0, 117.0, 123.0), (1.0, 1.0, 1.0))
"""Mean and standard deviation of blue, green and red in 0..255."""
IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and standard deviation of red, green and blue in 0..255."""


class SqueezeNet(FeatureNetwork):
    """Layers: the first convolution ``conv1`` and the fire modules ``fire2`` to ``fire9``.

    They are numbered as in the paper, where pool1 is between conv1 and fire2. Activations reach
    1300 and differ between layers: normalize them before computing distances. The first layer has
    stride 2, so it cannot see patterns of period 2 that are aligned with its sampling grid.

    Args:
        weights: a file with the arrays of ``paddle.vision.models.squeezenet1_1``. An ``.npz`` has
            weights for Caffe's input, BGR in 0..255 minus (104, 117, 123); a ``.pdparams`` has
            Paddle's, for RGB in 0..1 standardized by ImageNet's mean and standard deviation. None
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
        self._is_caffe = weights is not None and Path(weights).suffix == ".npz"
        mean, deviation = map(per_channel, CAFFE if self._is_caffe else IMAGENET)
        self.register_buffer("mean", mean)  # in the state, so that fingerprints differ, too
        # the input is picture * scale + offset, with the picture in -1..1
        self.register_buffer("scale", 127.5 / deviation, persistable=False)
        self.register_buffer("offset", (127.5 - mean) / deviation, persistable=False)
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> feature maps after the ReLU, by name."""
        x = rgb_to_bgr(picture) if self._is_caffe else picture
        # expanded, since broadcasting is slow on a CPU
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
