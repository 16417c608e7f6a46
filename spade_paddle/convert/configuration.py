"""The configuration that builds what a weights file holds, and trains it on as its source did."""

from __future__ import annotations

from typing import Any

from spade_paddle.config import (
    UPSAMPLINGS,
    Config,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    OptimizerConfig,
    read_config,
)
from spade_paddle.convert.agreement import (
    check_discriminator,
    check_encoder,
    check_latent_size,
    check_semantics,
    check_upsampling,
)
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.sizes import DiscriminatorSizes, EncoderSizes, GeneratorSizes
from spade_paddle.data.labels import LABELS_FILE

MARGIN = 30 / 256  # by which the public SPADE resizes square photos before the crop

# what the public SPADE and CLADE have in common; that of photopen are the defaults of Config
_PUBLIC = Config(
    initializer="xavier",
    generator=GeneratorConfig(activation="leaky_relu", simam=False),
    discriminator=DiscriminatorConfig(
        scales=2, num_layers=4, ndf=64, activation="leaky_relu", simam=False, affine_norm=False
    ),
    losses=LossConfig(perceptual=10.0, perceptual_network="vgg19", perceptual_resize=None),
    optimizer=OptimizerConfig(generator_lr=1.0e-4, discriminator_lr=4.0e-4, beta1=0.0, beta2=0.9),
)
_PRESETS = {"spade": _PUBLIC, "clade": _PUBLIC, "photopen": Config()}


def configuration(
    flags: Flags,
    generator: GeneratorSizes,
    *,
    encoder: EncoderSizes | None = None,
    discriminator: DiscriminatorSizes | None = None,
) -> Config:
    """The configuration of the networks of one model.

    Raises:
        ConfigError: the flags say something else than the weights, or the networks do not fit
            each other.
    """
    check_semantics(generator, flags)
    check_encoder(encoder, generator)
    check_discriminator(discriminator, generator)
    content = _PRESETS[flags.source].to_dict()
    upsampling = check_upsampling(generator, flags)
    latent_size = check_latent_size(generator, flags)
    multiple = 2 ** UPSAMPLINGS[upsampling]
    content["data"] |= _data(flags, generator, latent_size, multiple=multiple)
    content["generator"] |= _generator(generator, upsampling=upsampling)
    content["encoder"] |= _encoder(generator, encoder)
    content["discriminator"] |= _discriminator(discriminator)
    return read_config(content, where="the configuration of these weights")


def _data(
    flags: Flags, sizes: GeneratorSizes, latent_size: tuple[int, int] | None, *, multiple: int
) -> dict[str, Any]:
    picture = {}  # without a style the weights fit any size: the usual one
    if latent_size:
        height, width = (side * multiple for side in latent_size)
        # never a whole multiple more, so that whole pictures are as large as the crop
        margin = min(int(width * MARGIN), multiple - 1) if height == width else 0
        picture = {
            "crop_size": width,
            "aspect_ratio": width / height,
            "load_size": min(height, width) + margin,
        }
    return {
        "labels": LABELS_FILE,
        "dont_care": flags.dont_care,
        "instance_edges": flags.instances,
        "icpe_compatible": flags.compatible and sizes.norm == "clade_icpe",
        **picture,
    }


def _generator(sizes: GeneratorSizes, *, upsampling: str) -> dict[str, Any]:
    usual = sizes.latent_channels == 16 * sizes.ngf
    inside_spade = {}
    if sizes.kernel_size and sizes.nhidden:
        inside_spade = {"kernel_size": sizes.kernel_size, "nhidden": sizes.nhidden}
    return {
        "norm": sizes.norm,
        "ngf": sizes.ngf,
        "upsampling": upsampling,
        "param_free_norm": "batch" if sizes.batch_norm else "instance",
        "spectral_norm": sizes.spectral_norm,
        "latent_channels": None if usual or not sizes.style_dim else sizes.latent_channels,
        **inside_spade,
    }


def _encoder(generator: GeneratorSizes, sizes: EncoderSizes | None) -> dict[str, Any]:
    if sizes is None:
        return {"style_dim": generator.style_dim}
    return {"style_dim": sizes.style_dim, "nef": sizes.nef, "size": sizes.size}


def _discriminator(sizes: DiscriminatorSizes | None) -> dict[str, Any]:
    if sizes is None:
        return {}
    return {
        "scales": sizes.scales,
        "num_layers": sizes.num_layers,
        "ndf": sizes.ndf,
        "max_width": sizes.max_width,
        "spectral_norm": sizes.spectral_norm,
        "affine_norm": sizes.affine_norm,
    }
