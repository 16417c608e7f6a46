"""Components for PaddleSeg's trainer, registered for use in its YAML files.

``Scenes``: random views of one of our data sets. ``PixelCrossEntropy``: PaddleSeg 2.8.0's own loss
multiplies floats by integers, which fails in Paddle 3, and its trainer expects losses of shape [1].
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F
from paddleseg.cvlibs import manager

from spade_paddle.config import DataConfig
from spade_paddle.data.batches import BatchSource, SceneCache, to_network
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.features.efficientnet import EfficientNetLite1


@manager.DATASETS.add_component
class Scenes(paddle.io.Dataset):
    """Random views of the scenes of a data set: scaled, cropped, mirrored, with color jitter.

    The k-th view depends on the seed and k alone.

    Args:
        folder: data set (data/dataset.py).
        labels: name or file of its label set.
        length: number of views.
        crop_size: side of the views in pixels.
        load_size_min: minimum short side, in pixels, to which a scene is resized before cropping.
        load_size: maximum short side.
        first: index of the first view, so that a resumed run continues with unseen views.
        jitter: strength of the color jitter; 0: none.
        ignored_border: pixels on both sides of a border between labels that become "don't care",
            because borders are inaccurate in most label maps.
        label_balance: as ``data.label_balance`` of a training configuration: how much more often
            scenes with rare labels are shown; 0: all equally often.
        seed: seed of all random choices.
    """

    def __init__(
        self,
        folder: str,
        labels: str,
        length: int,
        crop_size: int,
        load_size_min: int,
        load_size: int,
        first: int = 0,
        jitter: float = 1.0,
        ignored_border: int = 0,
        label_balance: float = 0.0,
        seed: int = 1,
    ) -> None:
        label_set = find_label_set(labels)
        options = DataConfig(
            crop_size=crop_size,
            load_size=load_size,
            load_size_min=load_size_min,
            flip=True,
            label_balance=label_balance,
        )
        pairs = find_pairs(folder, "train")
        scenes = SceneCache(pairs, label_set=label_set, options=options, multiple=1)
        self._source = BatchSource(
            scenes, options=options, seed=seed, multiple=1, weights=scenes.weights()
        )
        self.num_classes = len(label_set)
        self.ignore_index = DONT_CARE
        self._length = length
        self._first = first
        self._jitter = jitter
        self._ignored_border = ignored_border
        self._seed = seed

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        position = self._first + index
        scene = self._source.view(position)
        rng = np.random.default_rng([self._seed, 4, position])
        photo = recolor(scene.photo, rng, strength=self._jitter)
        label_map = ignore_borders(scene.label_map, width=self._ignored_border)
        return {"img": to_network(photo[None])[0], "label": label_map.astype(np.int64)}


def ignore_borders(label_map: np.ndarray, *, width: int) -> np.ndarray:
    """Set pixels near another label to "don't care".

    Args:
        label_map: ``uint8`` [H, W].
        width: a pixel changes if another label is at most so far away, horizontally, vertically and
            diagonally; 0: nothing changes.
    """
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    lowest, highest = cv2.erode(label_map, kernel), cv2.dilate(label_map, kernel)
    return np.where(lowest == highest, label_map, np.uint8(DONT_CARE))


def recolor(photo: np.ndarray, rng: np.random.Generator, *, strength: float) -> np.ndarray:
    """Color jitter: random exposure, contrast, color cast, saturation, gamma and blur.

    Args:
        photo: ``uint8`` [H, W, 3] RGB.
        rng: source of randomness.
        strength: 0: no change. 1: exposure and contrast by factors of 0.67 to 1.5, saturation by
            0.5 to 1.65, and one photo in ten becomes gray.

    Returns:
        ``float32`` [H, W, 3] in 0..255.
    """

    def factor(low: float, high: float, size: int | None = None):
        return np.float32(np.exp(rng.uniform(low * strength, high * strength, size)))

    picture = photo.astype(np.float32)
    picture *= factor(-0.4, 0.4)
    picture = (picture - 128) * factor(-0.4, 0.4) + 128
    picture *= factor(-0.25, 0.25, 3)
    gray = picture.mean(axis=2, keepdims=True)
    saturation = np.float32(0) if rng.random() < 0.1 * strength else factor(-0.7, 0.5)
    picture = np.clip(gray + (picture - gray) * saturation, 0, 255)
    picture = 255 * (picture / 255) ** factor(-0.4, 0.4)
    if rng.random() < 0.15 * strength:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.5))
    return picture


@manager.LOSSES.add_component
class PixelCrossEntropy(nn.Layer):
    """Cross entropy averaged over the pixels that are not "don't care"; shape [1].

    Args:
        ignore_index: the label to ignore.
        weight: weight of each class; None: all equal.
    """

    def __init__(
        self, ignore_index: int = DONT_CARE, weight: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self._ignore_index = ignore_index
        self._weight = None if weight is None else paddle.to_tensor(weight, dtype="float32")

    def forward(self, logits: paddle.Tensor, label_map: paddle.Tensor) -> paddle.Tensor:
        """Logits [N, K, H, W] and label ids [N, H, W] -> loss [1]."""
        flat = logits.transpose([0, 2, 3, 1]).reshape([-1, logits.shape[1]])
        loss = F.cross_entropy(
            flat, label_map.reshape([-1]), weight=self._weight, ignore_index=self._ignore_index
        )
        return loss.reshape([1])


@manager.BACKBONES.add_component
class EfficientNetLite1Backbone(nn.Layer):
    """EfficientNet-Lite1 as a backbone: features of 1/2, 1/4, 1/8, 1/16 and 1/32 of the sides.

    Its batch norms are folded into the convolutions, so training keeps their ImageNet statistics.

    Args:
        pretrained: weights file (``EfficientNetLite0``); ``package``: that of the installed package
            on ImageNet; None: random weights, which are loaded later.
        frozen_blocks: the first convolution and so many blocks are not trained, which saves time;
            0: everything is trained.
    """

    layers = ("block0", "block3", "block6", "block14", "block20")

    def __init__(self, pretrained: str | None = None, frozen_blocks: int = 0) -> None:
        super().__init__()
        if pretrained == "package":
            option = "'backbone: pretrained:'"
            pretrained = str(EfficientNetLite1.packaged_weights(option=option))
        self.network = EfficientNetLite1(weights=pretrained)
        frozen = ["stem", *(f"block{i}" for i in range(frozen_blocks))] if frozen_blocks else []
        for name, parameter in self.network.named_parameters():
            parameter.stop_gradient = name.split(".")[0] in frozen
        self.feat_channels = [EfficientNetLite1.channels[name] for name in self.layers]

    def forward(self, picture: paddle.Tensor) -> list[paddle.Tensor]:
        """[N, 3, H, W] in -1..1 (RGB) -> the five feature maps, largest first."""
        found = self.network(picture, self.layers)
        return [found[name] for name in self.layers]
