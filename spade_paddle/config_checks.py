"""What fields of several sections of a configuration ask of each other.

``refuse(field, expected)`` raises the ConfigError that names the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from spade_paddle.config import Config


def check_projected(config: Config, refuse: Callable[[str, str], None]) -> None:
    """What projected heads need, and what cannot be had without the patch scales."""
    if config.discriminator.projected_network != "vgg19" and not config.projected_weights:
        refuse(
            "discriminator.projected_weights",
            f"the path of a weights file of {config.discriminator.projected_network} (.npz) with "
            f"discriminator.kind {config.discriminator.kind}",
        )
    trained_with = config.discriminator.projected_network
    if trained_with == "efficientnet_lite0" and config.validation.judge_weights:
        refuse(
            "validation.judge_weights",
            "null with discriminator.projected_network efficientnet_lite0: a network that training "
            "looks through does not judge it (or take squeezenet or vgg19 there)",
        )
    if config.discriminator.kind == "projected":
        if config.losses.feature_matching:
            refuse(
                "losses.feature_matching",
                "0 with discriminator.kind projected, which has no stages to match (or take both)",
            )
        if config.regularization.r1_gamma:
            refuse(
                "regularization.r1_gamma",
                "0 with discriminator.kind projected: R1 is of the patch scales (or take both)",
            )


def check_compilable(config: Config, refuse: Callable[[str, str], None]) -> None:
    """What Paddle's compiled programs cannot do, or get wrong without a word, is refused."""
    for name, section in (("generator", config.generator), ("discriminator", config.discriminator)):
        if section.spectral_norm:  # gradients of its weights come out wrong (Paddle 2.6 and 3.2)
            refuse(f"{name}.spectral_norm", "false with compute.to_static")
    if config.knows_positions:  # arguments given by name hold no memory (Paddle 3.2)
        refuse("generator.norm", "spade or clade with compute.to_static")
    if config.encoder.style_dim:
        refuse("encoder.style_dim", "0 with compute.to_static")
    if config.discriminator.kind != "patch":
        refuse("discriminator.kind", "patch with compute.to_static")
    if config.regularization.r1_gamma:  # nothing would be learned from the penalty
        refuse("regularization.r1_gamma", "0 with compute.to_static")
    if config.fade_in_images:  # the first mix would be compiled in
        refuse("fade_in_images", "0 with compute.to_static")
