"""VGG19 (Simonyan and Zisserman 2014): the article's feature network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.features.network import FeatureNetwork, vision_model


class VGG19(FeatureNetwork):
    """Layers: the first ReLU of each of the five blocks, the poolings after the first four, and
    ``picture``, the resized input.

    As in the article (``resize(fake_img, opt, 224)``) pictures are resized to 224x224, by nearest
    neighbor as in photopen, and not standardized: the network gets values in -1..1.

    Args:
        weights: a ``.pdparams`` file of ``paddle.vision.models.vgg19``, with or without its
            classifier; None downloads Paddle's.
        resize: side of the square the pictures are resized to; None: no resizing.

    Raises:
        ModelError: no such file, it does not hold these weights, or they cannot be downloaded.
    """

    channels: ClassVar[dict[str, int]] = {
        "picture": 3,
        "relu1_1": 64,
        "pool1": 64,
        "relu2_1": 128,
        "pool2": 128,
        "relu3_1": 256,
        "pool3": 256,
        "relu4_1": 512,
        "pool4": 512,
        "relu5_1": 512,
    }
    # indices in ``features`` of Paddle's vgg19; -1 for the picture
    _INDICES: ClassVar[dict[str, int]] = dict(zip(channels, (-1, 1, 4, 6, 9, 11, 18, 20, 27, 29)))

    def __init__(self, *, weights: str | Path | None = None, resize: int | None = 224) -> None:
        super().__init__()
        self.resize = resize
        network = vision_model("vgg19", weights=weights, classifier=False)
        last = max(self._INDICES.values())
        self.features = nn.LayerList(list(network.features.children())[: last + 1])
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> feature maps of ``layers``, by name."""
        x = picture
        if self.resize is not None:
            x = F.interpolate(x, (self.resize, self.resize), mode="nearest")
        wanted = {self._INDICES[name]: name for name in layers}
        found = {}
        for index in range(-1, max(wanted) + 1):
            x = x if index < 0 else self.features[index](x)
            if index in wanted:
                found[wanted[index]] = x
        return found
