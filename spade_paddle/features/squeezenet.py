"""SqueezeNet 1.1 (Iandola et al. 2016): small enough for training on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import paddle
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork, read_arrays, set_exactly


class SqueezeNet(FeatureNetwork):
    """The first convolution (``conv1``) and the fire modules ``fire2`` to ``fire9``.

    Numbered as in the paper, where pool1 lies between conv1 and fire2. Activations reach 1300 and
    differ by layer: scale them before taking distances. Its first layer has stride 2, so it does
    not see a grid of two pixels that is locked to its raster.

    Args:
        weights: an ``.npz`` with the arrays of ``paddle.vision.models.squeezenet1_1``, of the
            Caffe kind: input BGR 0..255 minus (104, 117, 123).

    Raises:
        ModelError: no such file, or it does not hold these weights.
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

    def __init__(self, *, weights: str | Path) -> None:
        super().__init__()
        self.network = paddle.vision.models.squeezenet1_1()
        set_exactly(self.network, read_arrays(weights), where=weights)
        self.register_buffer("mean", paddle.to_tensor([104.0, 117.0, 123.0]).reshape([1, 3, 1, 1]))
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> feature maps after the ReLU, by name."""
        red, green, blue = paddle.split(picture, 3, axis=1)  # flip is slow on a CPU
        x = paddle.concat([blue, green, red], axis=1)
        x = x * 127.5 + (127.5 - self.mean).expand(x.shape)
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
