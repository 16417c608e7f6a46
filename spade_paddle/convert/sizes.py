"""The sizes of a network, read from the shapes of its tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.errors import ModelError

PICTURE_CHANNELS = 3


@dataclass(frozen=True)
class GeneratorSizes:
    """What the tensors of a generator tell; the names are those of GeneratorConfig."""

    norm: str  # spade, clade or clade_icpe
    ngf: int
    most: bool  # there is an up_4
    batch_norm: bool  # there are running statistics; else it is instance norm
    spectral_norm: bool
    semantic_nc: int
    edges: bool | None  # CLADE has an instance edge channel; None: SPADE does not show it
    kernel_size: int | None  # of SPADE only
    nhidden: int | None  # of SPADE only
    style_dim: int  # 0 without style
    latent_channels: int  # that go into head_0
    latent_cells: int  # height x width of the features made of a style; 0 without style


def generator_sizes(tensors: SourceTensors) -> GeneratorSizes:
    """Read a generator. Raises ModelError when a tensor that tells a size is missing."""
    fc = tensors.shape("fc.weight")
    ngf = tensors.conv_shape("up_3.conv_1")[0]
    table = "head_0.norm_0.weight" in tensors
    edges = kernel_size = nhidden = None
    if table:
        classes, latent_channels = tensors.shape("head_0.norm_0.weight", dimensions=2)
        edges = "head_0.norm_0.edge_conv.weight" in tensors
        positions = "head_0.norm_0.position_weight.weight" in tensors
        norm, semantic_nc = ("clade_icpe" if positions else "clade"), classes + int(edges)
    else:
        norm = "spade"
        shape = tensors.conv_shape("head_0.norm_0.mlp_shared.0")
        nhidden, semantic_nc, kernel_size, _ = shape
        latent_channels = tensors.conv_shape("head_0.norm_0.mlp_gamma")[0]
    style_dim, latent_cells = 0, 0
    if len(fc) == 2:  # a linear layer instead of a convolution
        style_dim, features = fc
        latent_cells = features // latent_channels
        if latent_cells * latent_channels != features:
            raise ModelError(
                f"{tensors.path}: 'fc.weight' makes {features} features of a style, which is no "
                f"multiple of the {latent_channels} channels of head_0; is --from "
                f"{tensors.source} right?",
                code="weights_do_not_fit",
            )
    return GeneratorSizes(
        norm=norm,
        ngf=ngf,
        most=any(name.startswith("up_4.") for name in tensors),
        batch_norm=tensors.any_ends("._mean"),
        spectral_norm=tensors.any_ends(".weight_orig"),
        semantic_nc=semantic_nc,
        edges=edges,
        kernel_size=kernel_size,
        nhidden=nhidden,
        style_dim=style_dim,
        latent_channels=latent_channels,
        latent_cells=latent_cells,
    )


@dataclass(frozen=True)
class EncoderSizes:
    """What the tensors of an encoder tell; the names are those of EncoderConfig."""

    style_dim: int
    nef: int
    size: int


def encoder_sizes(tensors: SourceTensors) -> EncoderSizes:
    """Read an encoder: every layer halves the picture, to 4x4 in the end."""
    nef = tensors.conv_shape("layer1.0")[0]
    layers = {name.partition(".")[0] for name in tensors if re.match(r"layer\d+\.", name)}
    style_dim = tensors.shape("fc_mu.weight", dimensions=2)[1]
    return EncoderSizes(style_dim=style_dim, nef=nef, size=2 ** (len(layers) + 2))


@dataclass(frozen=True)
class DiscriminatorSizes:
    """What the tensors of a discriminator tell; the names are those of DiscriminatorConfig."""

    scales: int
    num_layers: int
    ndf: int
    max_width: int
    spectral_norm: bool
    affine_norm: bool
    semantic_nc: int  # of its input, which is semantics and picture


def discriminator_sizes(tensors: SourceTensors) -> DiscriminatorSizes:
    """Read a discriminator. Raises ModelError when its first layer is missing."""
    ndf, input_nc = tensors.conv_shape("nld_0.0.layer_0.0")[:2]
    places = [re.match(r"nld_(\d+)\.\d+\.layer_(\d+)\.0\.", name) for name in tensors]
    found = [(int(place[1]), int(place[2])) for place in places if place]
    num_layers = max(layer for _, layer in found)
    if num_layers < 2:
        raise ModelError(
            f"{tensors.path}: a discriminator has at least 3 layers, here are {num_layers + 1}; is "
            f"the file whole, and is --from {tensors.source} right?",
            code="weights_do_not_fit",
        )
    widths = [tensors.conv_shape(f"nld_0.0.layer_{layer}.0")[0] for layer in range(num_layers)]
    return DiscriminatorSizes(
        scales=1 + max(scale for scale, _ in found),
        num_layers=num_layers,
        ndf=ndf,
        max_width=max(widths),
        spectral_norm=tensors.any_ends(".weight_orig"),
        affine_norm=tensors.any_ends(".1.scale"),
        semantic_nc=input_nc - PICTURE_CHANNELS,
    )
