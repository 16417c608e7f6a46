"""What SqueezeNet 1.1 sees in a picture, as the distances between pictures need it.

Legend: C channels, h and w sides of a feature map.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import paddle
from paddle.nn import functional as F

from spade_paddle.data.batches import to_network
from spade_paddle.errors import ModelError
from spade_paddle.features.squeezenet import SqueezeNet
from spade_paddle.losses.perceptual import SQUEEZENET_RATES
from spade_paddle.losses.unit_length import unit_length
from spade_paddle.metrics.frechet import frechet_distance
from spade_paddle.metrics.kernel import kernel_distance


@dataclass(frozen=True)
class Features:
    """The feature maps of one picture, first to last: tensors [1, C, h, w]."""

    maps: list[paddle.Tensor]

    def patches(self) -> np.ndarray:
        """What is seen at every position of the last map: ``float32`` [h * w, C].

        A picture of 256 x 256 pixels has 15 x 15 positions of 512 channels.
        """
        last = self.maps[-1].numpy()[0]
        return np.ascontiguousarray(last.reshape(last.shape[0], -1).T)


@dataclass
class FeatureSet:
    """The last feature maps of a set of pictures, gathered picture by picture.

    **Patches**: every position of every map is a sample of its own, as SIFID takes them of one
    picture (Shaham et al. 2019, SinGAN). So 30 pictures of 256 x 256 give 6750 samples of 512
    numbers, enough for a covariance of full rank (of the channels that ever answer at all), where
    30 averages would give one of rank 29. They tell of textures and local things and nothing of
    composition, and those of one picture are not independent. The features are not Inception's, so
    the numbers cannot be compared with those of articles, only with each other.

    **Averages** over the positions: one sample a picture.
    """

    patches: list[np.ndarray] = field(default_factory=list)  # of [h * w, C]

    def add(self, features: Features) -> None:
        """Take in one more picture."""
        self.patches.append(features.patches())

    def frechet_to(self, other: FeatureSet) -> float:
        """Frechet distance of the patches."""
        return frechet_distance(np.concatenate(self.patches), np.concatenate(other.patches))

    def kernel_to(self, other: FeatureSet) -> float:
        """Kernel distance of the averages."""
        return kernel_distance(self._averages(), other._averages())

    def _averages(self) -> np.ndarray:
        """[N, C]."""
        return np.stack([patches.mean(axis=0, dtype=np.float64) for patches in self.patches])


class PictureFeatures:
    """SqueezeNet 1.1 as an eye for pictures.

    Args:
        weights: the ``.npz`` file that losses.perceptual_weights takes too.

    Raises:
        ModelError: no such file, or it does not hold these weights or holds broken ones.
    """

    def __init__(self, weights: Path) -> None:
        if not weights.is_file():  # the loss would speak of training's options
            raise ModelError(
                f"{weights}: there is no such weights file; give the .npz of SqueezeNet 1.1 with "
                "--features",
                code="weights_missing",
            )
        self._network = SqueezeNet(weights=weights)
        # the network would make zeros of some nan, and the table would show numbers
        if not all(np.isfinite(array.numpy()).all() for array in self._network.parameters()):
            raise ModelError(
                f"{weights}: these weights hold numbers that are not finite; copy the file anew",
                code="weights_unreadable",
            )

    @paddle.no_grad()
    def of(self, picture: np.ndarray) -> Features:
        """The features of one picture, ``uint8`` [H, W, 3] RGB, 32 pixels a side or more."""
        maps = self._network(paddle.to_tensor(to_network(picture[None])), tuple(SQUEEZENET_RATES))
        return Features([unit_length(values) for values in maps.values()])

    @paddle.no_grad()
    def perceptual_distance(self, painted: Features, photo: Features) -> float:
        """The perceptual loss of training between two pictures of one size; >= 0."""
        pairs = zip(painted.maps, photo.maps, SQUEEZENET_RATES.values())
        return float(sum(rate * F.l1_loss(one, other) for one, other, rate in pairs))
