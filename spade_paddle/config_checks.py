"""Checks of a configuration that involve several fields.

Every check yields the dotted name of a field and what it must be; the first one is reported.
Imports neither paddle nor our networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spade_paddle.data_config import data_problems

if TYPE_CHECKING:
    from spade_paddle.config import Config

Problem = tuple[str, str]


def config_problems(config: Config) -> Iterator[Problem]:
    """Yield all problems of a configuration whose single values are valid."""
    yield from data_problems(
        config.data,
        multiple=config.generator.multiple,
        doublings=config.generator.doublings,
    )
    yield from _training(config)
    yield from _blocks(config)
    yield from _distillation(config)
    if config.discriminator.kind != "patch":
        yield from _projected(config)


def _training(config: Config) -> Iterator[Problem]:
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
        yield (
            "compute.bfloat16",
            "false with compute.convolutions paddle, which have no bfloat16",
        )


def _blocks(config: Config) -> Iterator[Problem]:
    options = config.generator
    if options.block == "inception" and options.spectral_norm:
        yield (
            "generator.spectral_norm",
            "false with generator.block inception, whose convolutions are followed by batch norms",
        )
    if options.extra_blocks and config.fade_in_images:
        yield "fade_in_images", "0 with generator.extra_blocks: only a single block can fade in"


def _distillation(config: Config) -> Iterator[Problem]:
    options = config.distillation
    if options.method == "none":
        return
    if config.fade_in_images:
        yield "fade_in_images", "0 with distillation, since teachers have no block that fades in"
    if options.method == "cat":
        if options.teacher is None:
            yield (
                "distillation.teacher",
                "the teacher's run folder, or a model folder that can be trained, with "
                "distillation.method cat",
            )
        if options.alignment and config.batch_size == 1:
            yield (
                "batch_size",
                "at least 2 with distillation.alignment, which compares the pictures of a batch",
            )
        if options.alignment and config.compute.accumulation > 1:
            yield (
                "compute.accumulation",
                "1 with distillation.alignment, which needs the whole batch at once",
            )
    elif config.losses.perceptual_network == "none" and (options.gram or options.feature):
        yield (
            "losses.perceptual_network",
            "vgg19 or squeezenet with distillation.gram or distillation.feature, which use its "
            "features",
        )


def _projected(config: Config) -> Iterator[Problem]:
    """What projected heads need, and what needs the patch scales."""
    options = config.discriminator
    if config.validation.judge_weights:
        for part, name in options.heads.items():
            if name == "efficientnet_lite0":
                yield (
                    "validation.judge_weights",
                    f"null with discriminator.{part}_network {name}, since the judge must be a "
                    "network that training does not use (or use squeezenet or vgg19 there)",
                )
    if len(options.heads) > len(set(options.heads.values())):
        yield (
            "discriminator.projected_2_network",
            "null or another network than discriminator.projected_network",
        )
    if options.kind == "projected":
        if config.losses.feature_matching:
            yield (
                "losses.feature_matching",
                "0 with discriminator.kind projected, which has no stages to match (or use both)",
            )
        if config.regularization.r1_gamma:
            yield (
                "regularization.r1_gamma",
                "0 with discriminator.kind projected, as R1 needs patch scales (or use both)",
            )
