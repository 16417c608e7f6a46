"""The flags must say what the weights say: every disagreement is an error that names both."""

from __future__ import annotations

import math
from typing import NoReturn

from spade_paddle.convert.flags import Flags
from spade_paddle.convert.sizes import DiscriminatorSizes, EncoderSizes, GeneratorSizes
from spade_paddle.errors import ConfigError


def check_semantics(sizes: GeneratorSizes, flags: Flags) -> None:
    """Labels, don't care and instance edges add up to the network's semantic channels."""
    if sizes.edges is not None and sizes.edges != flags.instances:
        _refuse(
            "the generator has an instance edge convolution, but --instances is not given; add it"
            if sizes.edges
            else "the generator has no instance edge convolution; leave --instances out"
        )
    if sizes.semantic_nc == flags.layout.channels:
        return
    labels = sizes.semantic_nc - flags.layout.channels + flags.num_labels
    keep = f"use --num-labels {labels} with the other flags as they are, or " if labels > 0 else ""
    _refuse(
        f"the generator takes {sizes.semantic_nc} semantic channels, but the flags make "
        f"{flags.layout.channels} ({flags.spelled()}); {keep}change --num-labels, --dont-care "
        "and --instances so that they add up"
    )


def check_upsampling(sizes: GeneratorSizes, flags: Flags) -> str:
    """The upsampling: ``most`` shows in the weights (up_4), ``normal`` and ``more`` do not."""
    if sizes.most and flags.upsampling not in (None, "most"):
        _refuse(
            f"the generator has an up_4, as with --upsampling most, but --upsampling "
            f"{flags.upsampling} is given; use most or leave it out"
        )
    if flags.upsampling == "most" and not sizes.most:
        _refuse(
            "--upsampling most: the generator has no up_4; use normal (5 doublings) or more (6), "
            "which the weights do not show"
        )
    return "most" if sizes.most else flags.upsampling or "normal"


def check_latent_size(sizes: GeneratorSizes, flags: Flags) -> tuple[int, int] | None:
    """Height and width of the features made of a style; None without style."""
    if not sizes.style_dim:
        if flags.latent_size:
            _refuse(
                "--latent-size: the generator has no style (its fc is a convolution); leave it out"
            )
        return None
    cells = sizes.latent_cells
    if flags.latent_size:
        height, width = flags.latent_size
        if height * width != cells:
            _refuse(
                f"--latent-size {height}x{width} makes {height * width} cells, but the generator "
                f"makes {cells} of a style; give height x width of its coarsest features, "
                f"{cells} in all"
            )
        return height, width
    side = math.isqrt(cells)
    if side * side != cells:
        height = max(rows for rows in range(1, side + 1) if cells % rows == 0)
        _refuse(
            f"the generator makes {cells} cells of a style, which is no square; give height x "
            f"width of its coarsest features, for example --latent-size {height}x{cells // height}"
        )
    return side, side


def check_encoder(sizes: EncoderSizes | None, generator: GeneratorSizes) -> None:
    """An encoder needs a generator with a style of the same length."""
    if sizes is None:
        return
    if not generator.style_dim:
        _refuse(
            "--encoder: the generator has no style (its fc is a convolution, so it was trained "
            "without VAE); leave --encoder out or give the generator trained with it"
        )
    if sizes.style_dim != generator.style_dim:
        _refuse(
            f"the encoder makes styles of {sizes.style_dim} numbers, the generator takes "
            f"{generator.style_dim}; give the two files of one model"
        )


def check_discriminator(sizes: DiscriminatorSizes | None, generator: GeneratorSizes) -> None:
    """A discriminator must see the semantic channels that the generator takes."""
    if sizes is not None and sizes.semantic_nc != generator.semantic_nc:
        _refuse(
            f"the discriminator takes {sizes.semantic_nc} semantic channels (and 3 of the "
            f"picture), the generator {generator.semantic_nc}; give the two files of one model"
        )


def _refuse(message: str) -> NoReturn:
    raise ConfigError(message, code="flags_disagree")
