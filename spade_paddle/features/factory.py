"""Feature networks by their names in a configuration."""

from __future__ import annotations

from spade_paddle.features.efficientnet import EfficientNetLite0, EfficientNetLite1
from spade_paddle.features.network import FeatureNetwork
from spade_paddle.features.squeezenet import SqueezeNet
from spade_paddle.features.vgg19 import VGG19

PROJECTED_LAYERS = {
    "squeezenet": ("fire3", "fire5", "fire9"),
    "efficientnet_lite0": ("block2", "block4", "block10"),
    "efficientnet_lite1": ("block3", "block6", "block14", "block20"),
    "vgg19": ("relu2_1", "relu3_1", "relu4_1"),
}
"""Layers for a projected discriminator (networks/projected.py), finest first: 1/4, 1/8 and 1/16 of
the picture's sides, with EfficientNet-Lite1 also 1/32, or 1/2, 1/4 and 1/8 for VGG19. To add a
network, add its layers here, its class below and its name in config.py."""


def feature_network(
    name: str,
    *,
    weights: str | None,
    resize: int | None = None,
    option: str = "--set losses.perceptual_weights",
) -> FeatureNetwork:
    """Create a feature network by its name, for losses and projected heads.

    Args:
        name: a key of PROJECTED_LAYERS, or vgg19_pools, which is the same network as vgg19.
        weights: its file; None: that of the installed package (efficientnet), or Paddle's weights,
            which are downloaded (squeezenet, vgg19).
        resize: side to which vgg19 resizes pictures; None, and for other networks: no resizing.
        option: what gives the file, for the error about a missing package.

    Raises:
        ModelError: no such file or package, it does not hold these weights, or they cannot be
            downloaded.
    """
    if name in ("vgg19", "vgg19_pools"):
        return VGG19(weights=weights, resize=resize)
    if name == "squeezenet":
        return SqueezeNet(weights=weights)
    kinds = {"efficientnet_lite0": EfficientNetLite0, "efficientnet_lite1": EfficientNetLite1}
    network = kinds[name]
    return network(weights=weights or network.packaged_weights(option=option))
