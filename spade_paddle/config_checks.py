"""What the values of a configuration must be, beyond their types.

Every check yields the dotted name of a field and what it must be; the first one is the one to tell.
Imports neither paddle nor our networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spade_paddle.data_config import LOAD_MODES, data_problems

if TYPE_CHECKING:
    from spade_paddle.config import Config

Problem = tuple[str, str]

_CHOICES = {
    "initializer": ("paddle", "xavier"),
    "data.load_mode": LOAD_MODES,
    "generator.norm": ("spade", "clade", "clade_icpe"),
    "generator.upsampling": ("normal", "more", "most"),
    "generator.param_free_norm": ("batch", "sync_batch", "instance"),
    "generator.activation": ("gelu", "leaky_relu"),
    "discriminator.activation": ("gelu", "leaky_relu"),
    "discriminator.kind": ("patch", "projected", "both"),
    "discriminator.projected_network": ("squeezenet", "efficientnet_lite0", "vgg19"),
    "losses.gan_mode": ("hinge", "least_squares", "original"),
    "losses.perceptual_network": ("none", "vgg19", "squeezenet"),
    "compute.convolutions": ("auto", "onednn", "paddle"),
}
_AT_LEAST = {
    "total_images": 1,
    "batch_size": 1,
    "seed": 0,
    "ema_halflife_images": 0,
    "ema_halflife_share": 0.0,
    "checkpoint_every_images": 1,
    "sample_every_images": 1,
    "log_every_images": 1,
    "ema_recalibration_images": 0,
    "fade_in_images": 0,
    "data.crop_size": 32,
    "data.load_size": 32,
    "data.load_size_min": 32,
    "data.cache_gib": 0.0,
    "data.drop_label_probability": 0.0,
    "data.coarse_label_probability": 0.0,
    "data.label_balance": 0.0,
    "generator.fine_blocks": 0,
    "generator.ngf": 1,
    "generator.max_width": 1,
    "generator.kernel_size": 1,
    "generator.nhidden": 1,
    "generator.latent_channels": 1,
    "generator.smooth_doublings": 0,
    "encoder.style_dim": 0,
    "encoder.nef": 1,
    "encoder.size": 16,
    "discriminator.scales": 1,
    "discriminator.num_layers": 2,
    "discriminator.ndf": 1,
    "discriminator.max_width": 1,
    "discriminator.projected_width": 1,
    "losses.projected": 0.0,
    "losses.feature_matching": 0.0,
    "losses.perceptual": 0.0,
    "losses.perceptual_resize": 32,
    "losses.perceptual_shift": 0,
    "losses.kl": 0.0,
    "optimizer.generator_lr": 0.0,
    "optimizer.discriminator_lr": 0.0,
    "optimizer.beta1": 0.0,
    "optimizer.beta2": 0.0,
    "optimizer.decay_start_images": 0,
    "optimizer.decay_end_images": 1,
    "optimizer.decay_floor": 0.0,
    "regularization.augment_brightness": 0.0,
    "regularization.augment_saturation": 0.0,
    "regularization.augment_contrast": 0.0,
    "regularization.augment_translation": 0.0,
    "regularization.augment_cutout": 0.0,
    "regularization.augment_cutout_probability": 0.0,
    "regularization.r1_gamma": 0.0,
    "regularization.r1_every_images": 1,
    "validation.judge_scenes": 2,
    "validation.keep_snapshots_every_images": 0,
    "compute.accumulation": 1,
}
_AT_MOST = {
    "ema_halflife_share": (1.0, "all images seen"),
    "generator.fine_blocks": (2, "four times the size"),
    "regularization.augment_brightness": (1.0, "half of the range"),
    "regularization.augment_saturation": (1.0, "factors from 0 to 2"),
    "regularization.augment_contrast": (1.0, "factors from 0 to 2"),
    "regularization.augment_translation": (0.5, "half a picture"),
    "regularization.augment_cutout": (0.5, "half a picture"),
    "regularization.augment_cutout_probability": (1.0, "always"),
}


def config_problems(config: Config) -> Iterator[Problem]:
    """All that is wrong; the types are right already."""
    yield from _single_values(config)
    yield from data_problems(
        config.data,
        multiple=config.generator.multiple,
        doublings=config.generator.doublings,
    )
    yield from _what_goes_together(config)
    if config.discriminator.kind != "patch":
        yield from _projected(config)


def _single_values(config: Config) -> Iterator[Problem]:
    for name, choices in _CHOICES.items():
        if config.value(name) not in choices:
            yield name, "one of " + ", ".join(choices)
    for name, lowest in _AT_LEAST.items():
        if config.value(name) is not None and config.value(name) < lowest:
            yield name, f"at least {lowest}"
    for name, (highest, meaning) in _AT_MOST.items():
        if config.value(name) > highest:
            yield name, f"at most {highest:g}, {meaning}"
    if config.generator.kernel_size % 2 == 0:
        yield "generator.kernel_size", "odd"
    if config.encoder.size & (config.encoder.size - 1):
        yield "encoder.size", "a power of two"
    clip = config.optimizer.gradient_clip
    if clip is not None and clip <= 0:
        yield "optimizer.gradient_clip", "above 0, or null for no limit"


def _what_goes_together(config: Config) -> Iterator[Problem]:
    if config.losses.perceptual_shift >= config.data.crop_size // 2:
        yield "losses.perceptual_shift", "less than half of data.crop_size"
    if config.fade_in_images and not config.generator.added_blocks:
        yield (
            "fade_in_images",
            "0 unless generator.upsampling is most or generator.fine_blocks above 0, which add a "
            "block",
        )
    if config.batch_size % config.compute.accumulation:
        yield "compute.accumulation", f"a divisor of batch_size ({config.batch_size})"
    if config.compute.bfloat16 and config.compute.convolutions == "paddle":
        yield "compute.bfloat16", "false with compute.convolutions paddle, which has none"


def _projected(config: Config) -> Iterator[Problem]:
    """What projected heads need, and what cannot be had without the patch scales."""
    options = config.discriminator
    if options.projected_network == "efficientnet_lite0" and not options.projected_weights:
        yield (
            "discriminator.projected_weights",
            "the path of a weights file (.npz) with discriminator.projected_network "
            "efficientnet_lite0, which Paddle does not have",
        )
    if options.projected_network == "efficientnet_lite0" and config.validation.judge_weights:
        yield (
            "validation.judge_weights",
            "null with discriminator.projected_network efficientnet_lite0: a network that training "
            "looks through does not judge it (or take squeezenet or vgg19 there)",
        )
    if options.kind == "projected":
        if config.losses.feature_matching:
            yield (
                "losses.feature_matching",
                "0 with discriminator.kind projected, which has no stages to match (or take both)",
            )
        if config.regularization.r1_gamma:
            yield (
                "regularization.r1_gamma",
                "0 with discriminator.kind projected: R1 is of the patch scales (or take both)",
            )
