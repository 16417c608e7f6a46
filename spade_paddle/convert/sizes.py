"""Derives configuration fields and input channels of a network from its tensor shapes."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from spade_paddle.config import Config
from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.errors import ModelError
from spade_paddle.networks.projected import PHOTO_CHANNELS
from spade_paddle.networks.widths import BlockWidths, GeneratorWidths, block_names

# CLADE's tensors that replace SPADE's convolutions
_TABLE = "head_0.norm_0.weight"
_EDGES = "head_0.norm_0.edge_conv.weight"
_POSITIONS = "head_0.norm_0.position_weight.weight"
_SHARED = "head_0.norm_0.mlp_shared.0.weight"


def generator_fields(tensors: SourceTensors) -> dict[str, Any]:
    """Return fields of GeneratorConfig; ``upsampling`` only if it is ``most``, since the others
    are not visible.

    Raises:
        ModelError: a tensor that determines a size is missing or has the wrong dimensions; also
            raised by the functions below.
    """
    style_dim, channels, _ = style_sizes(tensors)
    fields = {
        "norm": "spade",
        "ngf": tensors.shape("up_3.conv_1.weight", dimensions=4)[0],
        "param_free_norm": "batch" if tensors.has_ending("._mean") else "instance",
        "spectral_norm": tensors.has_ending(".weight_orig"),
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


def with_pruned_widths(config: Config, tensors: SourceTensors) -> Config:
    """Add ``generator.widths`` if the channels do not follow from the other fields, as in a pruned
    generator.

    Returns the configuration unchanged if a tensor is missing, which convert/loading.py reports.
    """
    options = config.generator
    usual = GeneratorWidths.of_options(options, has_style=config.encoder.style_dim > 0)

    def rows(name: str) -> int:
        return tensors.shape(f"{name}.weight", dimensions=4)[0]

    def hidden(norm: str) -> int:
        shared = f"{norm}.mlp_shared.0"  # missing in CLADE, and in norm_s of identity shortcuts
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
    """Return the length of a generator's style vector, the input channels of head_0, and the number
    of positions (height x width) of the features made from a style. Without a style, length and
    positions are 0."""
    fc = tensors.shape("fc.weight")
    if _TABLE in tensors.arrays:
        channels = tensors.shape(_TABLE, dimensions=2)[1]
    else:
        channels = tensors.shape("head_0.norm_0.mlp_gamma.weight", dimensions=4)[0]
    if len(fc) != 2:  # without a style, fc is a convolution of the semantic map
        return 0, channels, 0
    style_dim, features = fc
    if features % channels:
        raise tensors.misfit(
            f"'fc.weight' makes {features} features from a style, which is not a multiple of the "
            f"{channels} channels of head_0; is --from {tensors.source} right?"
        )
    return style_dim, channels, features // channels


def semantic_channels(tensors: SourceTensors) -> int:
    """Return the number of semantic channels that a generator takes."""
    if _TABLE in tensors.arrays:
        return tensors.shape(_TABLE, dimensions=2)[0] + (_EDGES in tensors.arrays)
    return tensors.shape(_SHARED, dimensions=4)[1]


def has_edge_channel(tensors: SourceTensors) -> bool | None:
    """Whether a CLADE generator takes an instance edge channel; None for SPADE: not visible."""
    return _EDGES in tensors.arrays if _TABLE in tensors.arrays else None


def encoder_fields(tensors: SourceTensors) -> dict[str, Any]:
    """Return fields of EncoderConfig; every layer halves the picture, down to 4x4."""
    layers = {name.partition(".")[0] for name in tensors.arrays if re.match(r"layer\d+\.", name)}
    return {
        "nef": tensors.shape("layer1.0.weight", dimensions=4)[0],
        "style_dim": tensors.shape("fc_mu.weight", dimensions=2)[1],
        "size": 2 ** (len(layers) + 2),
    }


def discriminator_fields(tensors: SourceTensors) -> dict[str, Any]:
    """Return fields of DiscriminatorConfig."""
    ndf = tensors.shape("nld_0.0.layer_0.0.weight", dimensions=4)[0]
    matches = [re.match(r"nld_(\d+)\.\d+\.layer_(\d+)\.0\.", name) for name in tensors.arrays]
    found = [(int(match[1]), int(match[2])) for match in matches if match]
    num_layers = max(layer for _, layer in found)
    if num_layers < 2:
        raise tensors.misfit(
            f"a discriminator has at least 3 layers, this one has {num_layers + 1}; is the file "
            f"complete, and is --from {tensors.source} right?"
        )
    weights = [f"nld_0.0.layer_{layer}.0.weight" for layer in range(num_layers)]
    return {
        "scales": 1 + max(scale for scale, _ in found),
        "num_layers": num_layers,
        "ndf": ndf,
        "max_width": max(tensors.shape(name, dimensions=4)[0] for name in weights),
        "spectral_norm": tensors.has_ending(".weight_orig"),
        "affine_norm": tensors.has_ending(".1.scale"),
    }


def discriminator_channels(tensors: SourceTensors) -> int:
    """Return the number of semantic channels that a discriminator takes, beside the picture."""
    return tensors.shape("nld_0.0.layer_0.0.weight", dimensions=4)[1] - PHOTO_CHANNELS
