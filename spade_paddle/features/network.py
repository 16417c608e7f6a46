"""What all feature networks have in common, and the reading of their weights.

Legend: N batch, H height, W width of the picture; C channels, h, w size of a feature map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import paddle
from paddle import nn
from paddle.utils import download

from spade_paddle.errors import ModelError
from spade_paddle.weights import Arrays, freeze, load_state, read_arrays

WITHOUT_FEATURES = (
    "or train without feature networks: --set losses.perceptual_network=none and, if "
    "discriminator.kind is both, --set discriminator.kind=patch"
)


class FeatureNetwork(nn.Layer):
    """Frozen network that returns feature maps by layer name.

    Gradients flow through it to the picture; its weights are not trained.

    Attributes:
        channels: C of every available layer by name, in the order of computation.
    """

    channels: ClassVar[dict[str, int]]

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """Pictures [N, 3, H, W] in -1..1 (RGB) -> feature maps [N, C, h, w] of ``layers``, by name.

        Layers after the last requested one are not computed.
        """
        raise NotImplementedError

    def check_layers(self, layers: Sequence[str]) -> None:
        """Check that the network has these layers.

        Raises:
            ModelError: it does not have one of them.
        """
        unknown = [name for name in layers if name not in self.channels]
        if unknown:
            raise ModelError(
                f"{type(self).__name__} does not have the layers {', '.join(unknown)}; choose from "
                f"{', '.join(self.channels)}",
                code="feature_layer_unknown",
            )

    def freeze(self) -> None:
        """Set evaluation mode and stop all gradients of weights; call it at the end of __init__."""
        self.eval()
        freeze(self)


def rgb_to_bgr(picture: paddle.Tensor) -> paddle.Tensor:
    """Reverse the channels of [N, 3, H, W], as for networks trained with Caffe."""
    red, green, blue = paddle.split(picture, 3, axis=1)  # flip is slow on a CPU
    return paddle.concat([blue, green, red], axis=1)


def per_channel(values: Sequence[float]) -> paddle.Tensor:
    """A constant ``float32`` [1, 3, 1, 1] with a value per color channel."""
    return paddle.to_tensor(values, dtype="float32").reshape([1, 3, 1, 1])


def vision_model(name: str, *, weights: str | Path | None, classifier: bool = True) -> nn.Layer:
    """Create a network of ``paddle.vision.models`` with pretrained weights.

    Args:
        name: of the network in ``paddle.vision.models``.
        weights: a file (feature_arrays); None: Paddle's own weights, which Paddle downloads on
            first use and caches.
        classifier: False: leave ``classifier.*`` out of the network and ignore it in the file (86 %
            of VGG19's weights).

    Raises:
        ModelError: there is no such file, it does not hold these weights, or they cannot be
            downloaded.
    """
    make = getattr(paddle.vision.models, name)
    options = {} if classifier else {"num_classes": 0}
    if weights is not None:
        network = make(**options)
        arrays = feature_arrays(weights)
        if not classifier:
            arrays = {key: a for key, a in arrays.items() if not key.startswith("classifier.")}
        load_state(network, arrays, where=weights)
        return network
    try:
        return make(pretrained=True, **options)
    except RuntimeError as error:  # Paddle's, after three tries
        raise ModelError(
            f"Paddle's weights of {name} could not be downloaded ({error}); connect to the network "
            f"and try again, put the file into {download.WEIGHTS_HOME}, give it with "
            f"--set losses.perceptual_weights=FILE, {WITHOUT_FEATURES}",
            code="weights_download",
        ) from error


def fold_batch_norm(
    arrays: Mapping[str, np.ndarray], *, convolution: str, norm: str, where: str | Path
) -> Arrays:
    """Fold a batch norm into the convolution before it (names and layout of PyTorch).

    ``weight * s`` and ``beta - mean * s`` with ``s = gamma / sqrt(var + 1e-3)``, where 1e-3 is the
    epsilon of networks trained with TensorFlow.

    Args:
        arrays: contains ``CONVOLUTION.weight`` [O, C, k, k], without bias, and ``NORM.weight``,
            ``.bias``, ``.running_mean`` and ``.running_var`` [O].
        convolution: name of the convolution.
        norm: name of the batch norm.
        where: the file, for errors.

    Returns:
        ``weight`` and ``bias`` of the combined convolution.

    Raises:
        ModelError: an array is missing.
    """
    names = [f"{convolution}.weight"]
    names += [f"{norm}.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ModelError(
            f"{where}: expected {', '.join(missing)}, got nothing; give the whole state dict",
            code="weights_do_not_fit",
        )
    weight, gamma, beta, mean, variance = (arrays[name].astype(np.float64) for name in names)
    scale = gamma / np.sqrt(variance + 1e-3)
    values = {"weight": weight * scale[:, None, None, None], "bias": beta - mean * scale}
    return {name: value.astype(np.float32) for name, value in values.items()}


def feature_arrays(path: str | Path) -> Arrays:
    """Read the weights file of a feature network; raises ModelError as read_arrays does."""
    advice = (
        "give its path with --set losses.perceptual_weights=FILE (or "
        f"discriminator.projected_weights, projected_2_weights), {WITHOUT_FEATURES}"
    )
    return read_arrays(path, advice=advice)
