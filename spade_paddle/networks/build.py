"""Builds networks from a configuration: the only file that knows both."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from paddle import nn

from spade_paddle.config import Config
from spade_paddle.features.factory import PROJECTED_LAYERS, feature_network
from spade_paddle.layers import CLADE, SPADE, InceptionBlock, InceptionSPADE, SPADEResnetBlock
from spade_paddle.layers.activation import make_activation
from spade_paddle.layers.initializer import initializer
from spade_paddle.layers.norm import batch_norm, param_free_norm
from spade_paddle.networks.combined import CombinedDiscriminator
from spade_paddle.networks.discriminator import MultiscaleDiscriminator, NLayersDiscriminator
from spade_paddle.networks.encoder import Encoder
from spade_paddle.networks.generator import MakeBlock, SPADEGenerator
from spade_paddle.networks.projected import PHOTO_CHANNELS, ProjectedDiscriminator
from spade_paddle.networks.projection import FrozenProjection
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.networks.widths import GeneratorWidths

PROJECTED_CHANNELS = (64, 32)
"""Channels of the finest mixed level, and how many more each coarser level has."""


def build_generator(
    config: Config, *, num_labels: int, spectral_norm: bool | None = None
) -> SPADEGenerator:
    """Build the generator of a configuration.

    Args:
        config: the run's configuration.
        num_labels: number of labels in its label set.
        spectral_norm: overrides the configuration; the averaged and the exported generator are
            built without (see layers/spectral.py).

    Raises:
        ConfigError: ``generator.widths`` does not fit the other fields.
    """
    options = config.generator
    layout = SemanticLayout.of(config, num_labels)
    activation = make_activation(options.activation)
    inception = options.block == "inception"
    common: dict[str, Any] = dict(activation=activation, simam=options.simam, noise=options.noise)
    if inception:
        make_norm = batch_norm(options.param_free_norm)
        make_block: MakeBlock = partial(
            InceptionBlock,
            make_modulated_norm=_modulated_norm(config, layout),
            make_norm=make_norm,
            make_param_free_norm=param_free_norm(options.param_free_norm),
            **common,
        )
    else:
        make_block = partial(
            SPADEResnetBlock,
            make_modulated_norm=_modulated_norm(config, layout),
            spectral_norm=options.spectral_norm if spectral_norm is None else spectral_norm,
            **common,
        )
    with initializer(config.initializer):
        return SPADEGenerator(
            semantic_nc=layout.channels,
            widths=GeneratorWidths.of_options(options, has_style=config.encoder.style_dim > 0),
            make_block=make_block,
            activation=activation,
            upsampling=options.upsampling,
            fine_blocks=options.fine_blocks,
            extra_blocks=options.extra_blocks,
            coarse_norm=make_norm if inception else None,
            noise=options.noise,
            style_dim=config.encoder.style_dim,
            latent_size=config.latent_size,
            fades_in=config.fade_in_images > 0,
            smooth_doublings=options.smooth_doublings,
        )


def build_encoder(config: Config, *, spectral_norm: bool = True) -> Encoder | None:
    """Build the style encoder of a configuration; None if it has no style.

    Args:
        config: the run's configuration.
        spectral_norm: False for the averaged and the exported encoder.
    """
    options = config.encoder
    if not options.style_dim:
        return None
    with initializer(config.initializer):
        return Encoder(
            style_dim=options.style_dim,
            nef=options.nef,
            size=options.size,
            spectral_norm=spectral_norm,
        )


def build_discriminator(config: Config, *, num_labels: int) -> CombinedDiscriminator:
    """Build the discriminator of a configuration: patch scales, projected heads, or both.

    Args:
        config: the run's configuration.
        num_labels: number of labels in its label set.

    Raises:
        ModelError: the weights of the projected heads' feature network cannot be read.
    """
    kind = config.discriminator.kind
    semantic_nc = SemanticLayout.of(config, num_labels).channels
    with initializer(config.initializer):
        return CombinedDiscriminator(
            patch=_patch(config, semantic_nc) if kind != "projected" else None,
            heads={
                part: _projected(config, part, semantic_nc) for part in config.discriminator.heads
            },
        )


def _patch(config: Config, semantic_nc: int) -> MultiscaleDiscriminator:
    options = config.discriminator
    return MultiscaleDiscriminator(
        [
            NLayersDiscriminator(
                input_nc=semantic_nc + PHOTO_CHANNELS,
                ndf=options.ndf,
                num_layers=options.num_layers,
                max_width=options.max_width,
                activation=make_activation(
                    options.activation,
                    twice_differentiable=config.regularization.r1_gamma > 0,
                ),
                spectral_norm=options.spectral_norm,
                simam=options.simam,
                affine_norm=options.affine_norm,
            )
            for _ in range(options.scales)
        ]
    )


def _projected(config: Config, part: str, semantic_nc: int) -> ProjectedDiscriminator:
    options = config.discriminator
    name = options.heads[part]
    layers = PROJECTED_LAYERS[name]
    return ProjectedDiscriminator(
        projection=FrozenProjection(
            network=feature_network(
                name,
                weights=config.weights_of_heads(part),
                option=f"--set discriminator.{part}_weights",
            ),
            layers=layers,
            widths=[
                PROJECTED_CHANNELS[0] + level * PROJECTED_CHANNELS[1]
                for level in range(len(layers))
            ],
            seed=config.seed,
        ),
        width=options.projected_width,
        semantic_nc=semantic_nc,
        spectral_norm=options.spectral_norm,
    )


def _modulated_norm(config: Config, layout: SemanticLayout) -> Callable[[int, Any], nn.Layer]:
    options = config.generator
    make_norm = param_free_norm(options.param_free_norm)
    if options.norm == "spade" and options.block == "inception":
        return lambda channels, hidden: InceptionSPADE(
            channels,
            layout.channels,
            widths=hidden,
            make_param_free_norm=make_norm,
            make_norm=batch_norm(options.param_free_norm),
        )
    if options.norm == "spade":
        # the article has GELU inside SPADE too; the public SPADE has ReLU there
        inside = "gelu" if options.activation == "gelu" else "relu"
        return lambda channels, hidden: SPADE(
            channels,
            layout.channels,
            make_norm=make_norm,
            activation=make_activation(inside),
            kernel_size=options.kernel_size,
            nhidden=hidden,
        )
    return lambda channels, hidden: CLADE(
        channels,
        layout.classes,
        make_norm=make_norm,
        edges=layout.edges,
        positions=layout.positions,
    )
