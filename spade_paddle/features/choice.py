"""Feature networks by their names in a configuration."""

from __future__ import annotations

from spade_paddle.features.network import FeatureNetwork
from spade_paddle.features.squeezenet import SqueezeNet
from spade_paddle.features.vgg19 import VGG19

PROJECTED_LAYERS = {
    "squeezenet": ("fire3", "fire5", "fire9"),
    "vgg19": ("relu2_1", "relu3_1", "relu4_1"),
}
"""What a projected discriminator looks at, finest first (networks/projected.py). A new network
needs its layers here and its line below."""


def feature_network(name: str, *, weights: str | None) -> FeatureNetwork:
    """The network that sees pictures as large as they are.

    Args:
        name: one of PROJECTED_LAYERS.
        weights: its file; None: vgg19 downloads Paddle's.

    Raises:
        ModelError: no such file, or it does not hold these weights.
    """
    if name == "vgg19":
        return VGG19(weights=weights, resize=None)
    return SqueezeNet(weights=weights)
