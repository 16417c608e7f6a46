"""What the shapes of a network's tensors tell: the fields of its section of a Config, and what it
takes in."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from spade_paddle.config import Config
from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.errors import ModelError
from spade_paddle.networks.projected import PHOTO_CHANNELS
from spade_paddle.networks.widths import BlockWidths, GeneratorWidths, block_names

# what CLADE has in place of SPADE's convolutions
_TABLE = "head_0.norm_0.weight"
_EDGES = "head_0.norm_0.edge_conv.weight"
_POSITIONS = "head_0.norm_0.position_weight.weight"
_SHARED = "head_0.norm_0.mlp_shared.0.weight"


def generator_fields(tensors: SourceTensors) -> dict[str, Any]:
    """Of GeneratorConfig; ``upsampling`` only if it is ``most``, for the others do not show.

    Raises:
        ModelError: here and below: a tensor that tells a size is missing or of another form.
    """
    style_dim, channels, _ = style_sizes(tensors)
    fields = {
        "norm": "spade",
        "ngf": tensors.shape("up_3.conv_1.weight", dimensions=4)[0],
        "param_free_norm": "batch" if tensors.any_ends("._mean") else "instance",
        "spectral_norm": tensors.any_ends(".weight_orig"),
    }
    if _TABLE in tensors.arrays:
        fields["norm"] = "clade_icpe" if _POSITIONS in tensors.arrays else "clade"
    else:
        fields["nhidden"], _, fields["kernel_size"], _ = tensors.shape(_SHARED, dimensions=4)
    if any(name.startswith("up_4.") for name in tensors.arrays):
        fields["upsampling"] = "most"
    if style_dim and channels != 16 * fields["ngf"]:
        fields["latent_channels"] = channels
    return fields


def clipped(config: Config, tensors: SourceTensors) -> Config:
    """The configuration with ``generator.widths``, where the channels do not follow from its other
    fields: those of a compressed generator.

    As it is where a tensor is missing: convert/loading.py tells which.
    """
    options = config.generator
    usual = GeneratorWidths.of_options(options, has_style=config.encoder.style_dim > 0)

    def rows(name: str) -> int:
        return tensors.shape(f"{name}.weight", dimensions=4)[0]

    def hidden(norm: str) -> int:
        shared = f"{norm}.mlp_shared.0"  # CLADE has none, and without a shortcut there is no norm_s
        return rows(shared) if f"{shared}.weight" in tensors.arrays else options.nhidden

    try:
        blocks = [
            BlockWidths(
                rows(f"{name}.conv_1"),
                rows(f"{name}.conv_0"),
                tuple(hidden(f"{name}.norm_{part}") for part in "01s"),
            )
            for name in block_names(options)
        ]
        widths = GeneratorWidths(style_sizes(tensors)[1], tuple(blocks))
    except ModelError:
        return config
    if widths == usual:
        return config
    generator = dataclasses.replace(options, widths=widths.to_lists(options), latent_channels=None)
    return dataclasses.replace(config, generator=generator)


def style_sizes(tensors: SourceTensors) -> tuple[int, int, int]:
    """Length of a generator's style, channels that go into head_0, and cells (height x width) of
    the features made of a style. Length and cells are 0 without style."""
    fc = tensors.shape("fc.weight")
    if _TABLE in tensors.arrays:
        channels = tensors.shape(_TABLE, dimensions=2)[1]
    else:
        channels = tensors.shape("head_0.norm_0.mlp_gamma.weight", dimensions=4)[0]
    if len(fc) != 2:  # a convolution of the semantic map instead of a linear layer
        return 0, channels, 0
    style_dim, features = fc
    if features % channels:
        raise tensors.misfit(
            f"'fc.weight' makes {features} features of a style, which is no multiple of the "
            f"{channels} channels of head_0; is --from {tensors.source} right?"
        )
    return style_dim, channels, features // channels


def semantic_channels(tensors: SourceTensors) -> int:
    """Of the semantic map that a generator takes."""
    if _TABLE in tensors.arrays:
        return tensors.shape(_TABLE, dimensions=2)[0] + (_EDGES in tensors.arrays)
    return tensors.shape(_SHARED, dimensions=4)[1]


def shows_edges(tensors: SourceTensors) -> bool | None:
    """Whether a CLADE generator takes an instance edge channel; None: SPADE does not show it."""
    return _EDGES in tensors.arrays if _TABLE in tensors.arrays else None


def encoder_fields(tensors: SourceTensors) -> dict[str, Any]:
    """Of EncoderConfig: every layer halves the picture, to 4x4 in the end."""
    layers = {name.partition(".")[0] for name in tensors.arrays if re.match(r"layer\d+\.", name)}
    return {
        "nef": tensors.shape("layer1.0.weight", dimensions=4)[0],
        "style_dim": tensors.shape("fc_mu.weight", dimensions=2)[1],
        "size": 2 ** (len(layers) + 2),
    }


def discriminator_fields(tensors: SourceTensors) -> dict[str, Any]:
    """Of DiscriminatorConfig."""
    ndf = tensors.shape("nld_0.0.layer_0.0.weight", dimensions=4)[0]
    places = [re.match(r"nld_(\d+)\.\d+\.layer_(\d+)\.0\.", name) for name in tensors.arrays]
    found = [(int(place[1]), int(place[2])) for place in places if place]
    num_layers = max(layer for _, layer in found)
    if num_layers < 2:
        raise tensors.misfit(
            f"a discriminator has at least 3 layers, here are {num_layers + 1}; is the file whole, "
            f"and is --from {tensors.source} right?"
        )
    weights = [f"nld_0.0.layer_{layer}.0.weight" for layer in range(num_layers)]
    return {
        "scales": 1 + max(scale for scale, _ in found),
        "num_layers": num_layers,
        "ndf": ndf,
        "max_width": max(tensors.shape(name, dimensions=4)[0] for name in weights),
        "spectral_norm": tensors.any_ends(".weight_orig"),
        "affine_norm": tensors.any_ends(".1.scale"),
    }


def seen_channels(tensors: SourceTensors) -> int:
    """Of the semantic map that a discriminator sees beside the picture."""
    return tensors.shape("nld_0.0.layer_0.0.weight", dimensions=4)[1] - PHOTO_CHANNELS
