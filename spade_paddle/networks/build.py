"""From a configuration to networks: the only file that knows both."""

from __future__ import annotations

from functools import partial

from paddle import nn

from spade_paddle.config import Config
from spade_paddle.layers import CLADE, SPADE, SPADEResnetBlock
from spade_paddle.layers.activation import make_activation
from spade_paddle.layers.norm import param_free_norm
from spade_paddle.networks.discriminator import MultiscaleDiscriminator, NLayersDiscriminator
from spade_paddle.networks.generator import SPADEGenerator
from spade_paddle.networks.semantics import semantic_channels

PICTURE_CHANNELS = 3


def build_generator(
    config: Config, *, num_labels: int, spectral_norm: bool | None = None
) -> SPADEGenerator:
    """The generator of a configuration.

    Args:
        config: the run's configuration.
        num_labels: labels of its label set.
        spectral_norm: overrides the configuration; the averaged and the exported generator are
            built without (see layers/spectral.py).
    """
    options = config.generator
    semantic_nc = _semantic_nc(config, num_labels)
    make_norm = param_free_norm(options.param_free_norm)
    if options.norm == "clade":
        make_modulated = partial(_make_clade, label_nc=semantic_nc, make_norm=make_norm)
    else:
        make_modulated = partial(
            _make_spade,
            label_nc=semantic_nc,
            make_norm=make_norm,
            # the article has GELU inside SPADE too; the public SPADE has ReLU there
            activation="gelu" if options.activation == "gelu" else "relu",
            kernel_size=options.kernel_size,
            nhidden=options.nhidden,
        )
    activation = make_activation(options.activation)
    make_block = partial(
        SPADEResnetBlock,
        make_modulated_norm=make_modulated,
        activation=activation,
        spectral_norm=options.spectral_norm if spectral_norm is None else spectral_norm,
        simam=options.simam,
        noise=options.noise,
    )
    return SPADEGenerator(
        semantic_nc=semantic_nc,
        ngf=options.ngf,
        max_width=options.max_width,
        make_block=make_block,
        activation=activation,
        upsampling=options.upsampling,
        noise=options.noise,
    )


def build_discriminator(config: Config, *, num_labels: int) -> MultiscaleDiscriminator:
    """The multi-scale discriminator of a configuration."""
    options = config.discriminator
    return MultiscaleDiscriminator(
        [
            NLayersDiscriminator(
                input_nc=_semantic_nc(config, num_labels) + PICTURE_CHANNELS,
                ndf=options.ndf,
                num_layers=options.num_layers,
                max_width=options.max_width,
                activation=make_activation(options.activation),
                spectral_norm=options.spectral_norm,
                simam=options.simam,
                affine_norm=options.affine_norm,
            )
            for _ in range(options.scales)
        ]
    )


def _semantic_nc(config: Config, num_labels: int) -> int:
    return semantic_channels(
        num_labels=num_labels,
        dont_care=config.data.dont_care,
        instance_edges=config.data.instance_edges,
    )


def _make_spade(
    channels: int, *, label_nc: int, make_norm, activation: str, kernel_size: int, nhidden: int
) -> nn.Layer:
    return SPADE(
        norm_nc=channels,
        label_nc=label_nc,
        make_norm=make_norm,
        activation=make_activation(activation),
        kernel_size=kernel_size,
        nhidden=nhidden,
    )


def _make_clade(channels: int, *, label_nc: int, make_norm) -> nn.Layer:
    return CLADE(norm_nc=channels, label_nc=label_nc, make_norm=make_norm)
