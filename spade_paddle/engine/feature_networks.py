"""Builds the perceptual loss and its feature network from a configuration."""

from __future__ import annotations

from spade_paddle.config import LossConfig
from spade_paddle.features.factory import feature_network
from spade_paddle.features.network import FeatureNetwork
from spade_paddle.features.vgg19 import VGG19
from spade_paddle.features.vgg19_partial import PartialVGG19
from spade_paddle.losses.perceptual import (
    PARTIAL_VGG19_RATES,
    PHOTOPEN_RATES,
    SQUEEZENET_RATES,
    VGG19_RATES,
    PerceptualLoss,
)

_RATES = {"squeezenet": SQUEEZENET_RATES, "vgg19": VGG19_RATES, "vgg19_pools": PHOTOPEN_RATES}


def build_perceptual_loss(options: LossConfig) -> PerceptualLoss | None:
    """Build the perceptual loss of a configuration; None if it has none.

    VGG19's features are used unscaled, with the article's layer weights, on the layers of public
    SPADE or of photopen (``vgg19_pools``). With custom layers, or an ``.npz`` file that holds only
    the first blocks, each layer's features are divided by the photo's mean, because means of
    different layers differ by a factor of ten.

    Raises:
        ModelError: the weights are missing or do not fit, or a layer does not exist.
    """
    if options.perceptual_network == "none" or options.perceptual == 0:
        return None
    layers = None if options.perceptual_layers is None else options.perceptual_layers.split()
    if options.perceptual_network == "vgg19" and str(options.perceptual_weights).endswith(".npz"):
        network: FeatureNetwork = PartialVGG19(weights=options.perceptual_weights)
        rates, scaling = PARTIAL_VGG19_RATES, "mean"
    else:
        network = feature_network(
            options.perceptual_network,
            weights=options.perceptual_weights,
            resize=options.perceptual_resize,
        )
        rates, scaling = _RATES[options.perceptual_network], "length"
        if isinstance(network, VGG19):
            scaling = "none" if layers is None else "mean"
    if layers is not None:
        rates = dict.fromkeys(layers, 1.0)
    return PerceptualLoss(network, rates, scaling=scaling)
