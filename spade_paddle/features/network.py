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
from spade_paddle.weights import Arrays, load_state, read_arrays

WITHOUT_FEATURES = (
    "or train without feature networks: --set losses.perceptual_network=none and, if "
    "discriminator.kind is not patch, --set discriminator.kind=patch"
)


class FeatureNetwork(nn.Layer):
    """A frozen network that gives its feature maps by name.

    Gradients pass through it to the picture; its weights never learn.

    Attributes:
        channels: C of every layer that can be asked for, by name, in the order of computation.
    """

    channels: ClassVar[dict[str, int]]

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """Pictures [N, 3, H, W] in -1..1 (RGB) -> the maps [N, C, h, w] of these layers.

        Nothing is computed beyond the last of them.
        """
        raise NotImplementedError

    def check_layers(self, layers: Sequence[str]) -> None:
        """Raises ModelError for a layer that this network does not have."""
        unknown = [name for name in layers if name not in self.channels]
        if unknown:
            raise ModelError(
                f"{type(self).__name__} has no layers {', '.join(unknown)}; it has "
                f"{', '.join(self.channels)}",
                code="feature_layer_unknown",
            )

    def freeze(self) -> None:
        """No weight learns; at the end of a constructor."""
        self.eval()
        for parameter in self.parameters():
            parameter.stop_gradient = True


def rgb_to_bgr(picture: paddle.Tensor) -> paddle.Tensor:
    """[N, 3, H, W] with its channels in the order of networks trained with Caffe."""
    red, green, blue = paddle.split(picture, 3, axis=1)  # flip is slow on a CPU
    return paddle.concat([blue, green, red], axis=1)


def per_channel(values: Sequence[float]) -> paddle.Tensor:
    """A constant ``float32`` [1, 3, 1, 1] of three numbers."""
    return paddle.to_tensor(values, dtype="float32").reshape([1, 3, 1, 1])


def vision_model(name: str, *, weights: str | Path | None, classifier: bool = True) -> nn.Layer:
    """A network of ``paddle.vision.models`` with the weights of a file.

    Args:
        name: of the network there.
        weights: the file (feature_arrays); None: Paddle's own weights, downloaded on first use to
            where Paddle keeps them.
        classifier: False leaves ``classifier.*`` out of the network, and of the file where it is
            there (86 % of VGG19's weights).

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
            f"Paddle's weights of {name} could not be downloaded ({error}); with a network try "
            f"again, without put that file into {download.WEIGHTS_HOME}, or give one with "
            f"--set losses.perceptual_weights=FILE, {WITHOUT_FEATURES}",
            code="weights_download",
        ) from error


def fold_batch_norm(
    arrays: Mapping[str, np.ndarray], *, convolution: str, norm: str, where: str | Path
) -> Arrays:
    """Weight and bias of a convolution that does what PyTorch's convolution and batch norm do.

    ``weight * s`` and ``beta - mean * s`` with ``s = gamma / sqrt(var + 1e-3)``, the epsilon of the
    networks that TensorFlow trained.

    Args:
        arrays: holds ``CONVOLUTION.weight`` [O, C, k, k] (without a bias) and ``NORM.weight``,
            ``.bias``, ``.running_mean`` and ``.running_var`` [O].
        convolution: name of the convolution.
        norm: name of the batch norm behind it.
        where: the file they are from.

    Raises:
        ModelError: one of them is missing.
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
    """The arrays of a feature network's file. Raises ModelError as read_arrays does."""
    advice = (
        "give its path with --set losses.perceptual_weights=FILE (or "
        f"discriminator.projected_weights), {WITHOUT_FEATURES}"
    )
    return read_arrays(path, advice=advice)
