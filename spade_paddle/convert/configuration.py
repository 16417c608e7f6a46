"""Derives a configuration from weights files, to build their networks and to continue training.

Flags must agree with the weights; every disagreement is an error that names both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spade_paddle.config import UPSAMPLINGS, Config, read_config
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.sizes import (
    discriminator_channels,
    discriminator_fields,
    encoder_fields,
    generator_fields,
    has_edge_channel,
    semantic_channels,
    style_sizes,
    with_pruned_widths,
)
from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.errors import ConfigError

MARGIN = 30 / 256  # public SPADE resizes square photos to this much more than the crop

# sections and fields shared by public SPADE and CLADE; photopen uses the defaults of Config
_PUBLIC_SECTIONS = ("initializer", "generator", "discriminator", "losses")
_PUBLIC_RATES = ("generator_lr", "discriminator_lr", "beta1", "beta2")


def configuration(flags: Flags, tensors: Mapping[str, SourceTensors]) -> Config:
    """Derive the configuration of the networks of one model.

    Args:
        flags: what the weights do not show.
        tensors: tensors of the networks, by ``generator``, ``encoder`` and ``discriminator``.

    Raises:
        ConfigError: flags and weights disagree, or the networks do not fit each other.
        ModelError: a tensor that determines a size is missing or has the wrong dimensions.
    """
    generator = tensors["generator"]
    content = Config().to_dict()
    if flags.source != "photopen":
        public = Config.preset("spade").to_dict()
        content |= {name: public[name] for name in _PUBLIC_SECTIONS}
        content["optimizer"] |= {name: public["optimizer"][name] for name in _PUBLIC_RATES}
    style_dim, _, positions = style_sizes(generator)
    content["generator"] |= generator_fields(generator)
    content["encoder"]["style_dim"] = style_dim
    _check_semantics(generator, flags)
    if "encoder" in tensors:
        content["encoder"] |= encoder_fields(tensors["encoder"])
        _check_styles(content["encoder"]["style_dim"], style_dim)
    if "discriminator" in tensors:
        content["discriminator"] |= discriminator_fields(tensors["discriminator"])
        channels = semantic_channels(generator)
        others = discriminator_channels(tensors["discriminator"])
        if others != channels:
            raise _disagreement(
                f"the discriminator takes {others} semantic channels (and 3 of the picture), the "
                f"generator {channels}; give the two files of one model"
            )
    options = content["generator"]
    options["upsampling"] = _upsampling(options["upsampling"] == "most", flags)
    compatible = flags.compatible and options["norm"] == "clade_icpe"
    content["data"] |= {
        "labels": LABELS_FILE,
        "dont_care": flags.dont_care,
        "instance_edges": flags.instances,
        "icpe_compatible": compatible,
        **_picture(
            _latent_size(positions, flags), multiple=2 ** UPSAMPLINGS[options["upsampling"]]
        ),
    }
    return with_pruned_widths(
        read_config(content, where="the configuration of these weights"), generator
    )


def _picture(latent_size: tuple[int, int] | None, *, multiple: int) -> dict[str, Any]:
    """Return the picture size that a style was trained for; without a style, any size fits, and
    the defaults apply."""
    if latent_size is None:
        return {}
    height, width = (side * multiple for side in latent_size)
    # less than one multiple, so that uncropped pictures have the size of the crop
    margin = min(int(width * MARGIN), multiple - 1) if height == width else 0
    return {
        "crop_size": width,
        "aspect_ratio": width / height,
        "load_size": min(height, width) + margin,
    }


def _check_semantics(generator: SourceTensors, flags: Flags) -> None:
    """Check that labels, don't care and instance edges add up to the semantic channels."""
    edges, channels = has_edge_channel(generator), semantic_channels(generator)
    if edges is not None and edges != flags.instances:
        raise _disagreement(
            "the generator has an instance edge convolution, but --instances is not given; add it"
            if edges
            else "the generator has no instance edge convolution; leave --instances out"
        )
    if channels == flags.channels:
        return
    labels = channels - flags.channels + flags.num_labels
    keep = f"use --num-labels {labels} with the other flags as they are, or " if labels > 0 else ""
    raise _disagreement(
        f"the generator takes {channels} semantic channels, but the flags make "
        f"{flags.channels} ({flags.as_sum()}); {keep}change --num-labels, --dont-care "
        "and --instances so that they add up"
    )


def _upsampling(is_most: bool, flags: Flags) -> str:
    """Return the upsampling: ``most`` is visible in the weights (up_4), the others are not."""
    if is_most and flags.upsampling not in (None, "most"):
        raise _disagreement(
            f"the generator has an up_4, as with --upsampling most, but --upsampling "
            f"{flags.upsampling} is given; use most or leave it out"
        )
    if flags.upsampling == "most" and not is_most:
        raise _disagreement(
            "--upsampling most: the generator has no up_4; use normal (5 doublings) or more (6), "
            "which the weights do not show"
        )
    return "most" if is_most else flags.upsampling or "normal"


def _latent_size(positions: int, flags: Flags) -> tuple[int, int] | None:
    """Return (height, width) of the coarse features made from a style; None without a style."""
    if not positions:
        if flags.latent_size:
            raise _disagreement(
                "--latent-size: the generator has no style (its fc is a convolution); leave it out"
            )
        return None
    if flags.latent_size:
        height, width = flags.latent_size
        if height * width != positions:
            raise _disagreement(
                f"--latent-size {height}x{width} has {height * width} positions, but the generator "
                f"has {positions}; give height x width of its coarsest features, {positions} in all"
            )
        return height, width
    side = math.isqrt(positions)
    if side * side != positions:
        height = max(rows for rows in range(1, side + 1) if positions % rows == 0)
        raise _disagreement(
            f"the generator makes {positions} positions of a style, which is not a square number; "
            "give height x width of its coarsest features, for example --latent-size "
            f"{height}x{positions // height}"
        )
    return side, side


def _check_styles(encoder_dim: int, generator_dim: int) -> None:
    """Check that encoder and generator have a style vector of the same length."""
    if not generator_dim:
        raise _disagreement(
            "--encoder: the generator has no style (its fc is a convolution, so it was trained "
            "without VAE); leave --encoder out or give the generator trained with it"
        )
    if encoder_dim != generator_dim:
        raise _disagreement(
            f"the encoder makes styles of {encoder_dim} numbers, the generator takes "
            f"{generator_dim}; give the two files of one model"
        )


def _disagreement(message: str) -> ConfigError:
    return ConfigError(message, code="flags_disagree")
