"""The first blocks of VGG19 (Simonyan and Zisserman 2014), as far as a weights file has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError
from spade_paddle.features.network import (
    FeatureNetwork,
    feature_arrays,
    per_channel,
    rgb_to_bgr,
)
from spade_paddle.weights import load_state

MEAN = (103.939, 116.779, 123.68)  # of blue, green and red, subtracted from the input
_CONVOLUTIONS = tuple(
    (block, number)
    for block, count in ((1, 2), (2, 2), (3, 4), (4, 4), (5, 4))
    for number in range(1, count + 1)
)


class PartialVGG19(FeatureNetwork):
    """Layers: ``relu1_1``, ``relu1_2``, ``relu2_1`` ... up to the last convolution in the file.

    3x3 convolutions with padding 1, each followed by a ReLU; 2x2 max pooling between blocks. Unlike
    the article's VGG19 (vgg19.py), pictures are not resized, and the network gets BGR in 0..255
    minus MEAN. The first layer has stride 1, so it sees patterns of every period. Activations are
    large (means of 20 to 450): normalize them before computing distances.

    Args:
        weights: an ``.npz`` with ``convB_I.weight`` [O, C, 3, 3] and ``convB_I.bias`` [O], of block
            B and number I in it, from ``conv1_1`` on without a gap.

    Raises:
        ModelError: no such file, or it does not hold these weights.
    """

    def __init__(self, *, weights: str | Path) -> None:
        super().__init__()
        arrays = feature_arrays(weights)
        self.channels: dict[str, int] = {}
        before = 3
        for block, number in _CONVOLUTIONS:
            name = f"conv{block}_{number}"
            if f"{name}.weight" not in arrays:
                break
            width = arrays[f"{name}.weight"].shape[0]
            self.add_sublayer(name, nn.Conv2D(before, width, 3, padding=1))
            self.channels[f"relu{block}_{number}"] = before = width
        if not self.channels:
            raise ModelError(
                f"{weights}: expected VGG19's first convolutions (conv1_1.weight and so on), "
                f"got {', '.join(list(arrays)[:4])}",
                code="weights_do_not_fit",
            )
        load_state(self, arrays, where=weights)
        self.register_buffer("mean", per_channel(MEAN), persistable=False)
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """[N, 3, H, W] in -1..1 -> feature maps after the ReLU, by name."""
        x = rgb_to_bgr(picture * 127.5 + 127.5)
        x = x - self.mean.expand(x.shape)
        found: dict[str, paddle.Tensor] = {}
        for name in self.channels:
            block, number = name[len("relu") :].split("_")
            if number == "1" and block != "1":
                x = F.max_pool2d(x, 2)
            x = F.relu(getattr(self, f"conv{block}_{number}")(x))
            if name in layers:
                found[name] = x
                if len(found) == len(set(layers)):
                    break
        return found
