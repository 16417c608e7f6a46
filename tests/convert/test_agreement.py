"""Where the flags and the weights, or two of the files, say different things."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from spade_paddle.config import Config
from spade_paddle.convert.configuration import configuration
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.errors import ConfigError

FLAGS = Flags("spade", 182, dont_care=True, instances=True)
CLADE = {"norm": "clade", "edges": True}
STYLE = {"style_dim": 256, "latent_cells": 64}


def tensors_of(part, shapes) -> SourceTensors:
    """As much of a file as sizes are read from."""
    arrays = {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()}
    return SourceTensors(Path(f"{part}.npz"), "spade", part, arrays, dict(zip(arrays, arrays)))


def generator_of(
    *,
    norm="spade",
    semantic_nc=184,
    edges=False,
    kernel_size=3,
    most=False,
    style_dim=0,
    latent_channels=1024,
    latent_cells=0,
) -> SourceTensors:
    shapes = {
        "fc.weight": (latent_channels, semantic_nc, 3, 3),
        "up_3.conv_1.weight_orig": (64, 64, 3, 3),
        "head_0.norm_0.param_free_norm._mean": (latent_channels,),
    }
    if style_dim:
        shapes["fc.weight"] = (style_dim, latent_channels * latent_cells)
    if most:
        shapes["up_4.conv_1.weight_orig"] = (32, 32, 3, 3)
    if norm == "spade":
        kernel = (kernel_size, kernel_size)
        shapes["head_0.norm_0.mlp_shared.0.weight"] = (128, semantic_nc, *kernel)
        shapes["head_0.norm_0.mlp_gamma.weight"] = (latent_channels, 128, *kernel)
    else:
        shapes["head_0.norm_0.weight"] = (semantic_nc - edges, latent_channels)
    if edges:
        shapes["head_0.norm_0.edge_conv.weight"] = (1, 1, 1, 1)
    if norm == "clade_icpe":
        shapes["head_0.norm_0.position_weight.weight"] = (1, 2, 1, 1)
    return tensors_of("generator", shapes)


def encoder_of(style_dim) -> SourceTensors:
    layers = {f"layer{index}.0.weight_orig": (64, 3, 3, 3) for index in range(1, 7)}
    return tensors_of("encoder", {**layers, "fc_mu.weight": (8192, style_dim)})


def config_of(sizes=None, flags=FLAGS, *, changes=None, parts=None, **others) -> Config:
    generator = generator_of(**{**(sizes or {}), **(changes or {})})
    return configuration(
        dataclasses.replace(flags, **others), {"generator": generator, **(parts or {})}
    )


def refusal(*arguments, **others) -> str:
    with pytest.raises(ConfigError) as error:
        config_of(*arguments, **others)
    assert error.value.code == "flags_disagree"
    return str(error.value)


def test_channels_that_do_not_add_up_name_both_numbers_and_the_flags():
    message = refusal(num_labels=150, instances=False)
    assert "takes 184 semantic channels, but the flags make 151" in message
    assert "--num-labels 150 + 1 for --dont-care + 0 without --instances" in message
    assert "use --num-labels 183 with the other flags as they are" in message


def test_no_impossible_number_of_labels_is_advised():
    message = refusal(changes={"semantic_nc": 2})
    assert "use --num-labels" not in message
    assert "change --num-labels, --dont-care and --instances" in message


def test_clade_shows_whether_it_has_instances():
    assert config_of(CLADE).generator.norm == "clade"
    assert "--instances is not given; add it" in refusal(CLADE, num_labels=183, instances=False)
    assert "leave --instances out" in refusal(CLADE, changes={"edges": False})


def test_upsampling_most_shows_and_the_others_do_not():
    assert config_of().generator.upsampling == "normal"
    assert config_of(upsampling="more").generator.upsampling == "more"
    most = {"most": True}
    assert config_of(changes=most).generator.upsampling == "most"
    assert config_of(changes=most, upsampling="most").generator.upsampling == "most"
    assert "has no up_4; use normal" in refusal(upsampling="most")
    for given in ("normal", "more"):
        message = refusal(changes=most, upsampling=given)
        assert f"has an up_4, as with --upsampling most, but --upsampling {given}" in message


@pytest.mark.parametrize(
    ("cells", "latent_size", "upsampling", "size"),
    [
        (64, None, "normal", (256, 256)),
        (64, (4, 16), "normal", (512, 128)),
        (16, None, "more", (256, 256)),
        (8, (2, 4), "most", (512, 256)),
        (256, None, "normal", (512, 512)),
    ],
)
def test_pictures_have_the_size_that_the_style_was_trained_for(
    cells, latent_size, upsampling, size
):
    config = config_of(
        changes={**STYLE, "latent_cells": cells, "most": upsampling == "most"},
        upsampling=upsampling,
        latent_size=latent_size,
    )
    data = config.data
    assert (data.crop_size, data.crop_height) == size
    multiple = {"normal": 32, "more": 64, "most": 128}[upsampling]
    assert data.picture_size(multiple) == size[::-1]
    assert config.encoder.style_dim == 256
    assert config.generator.latent_channels is None


def test_square_pictures_are_cut_from_slightly_larger_photos_as_in_the_public_spade():
    assert config_of(changes=STYLE).data.load_size == 286


def test_a_latent_size_that_is_no_square_is_asked_for():
    message = refusal(changes={**STYLE, "latent_cells": 32})
    assert "32 positions of a style, which is not a square number" in message
    assert "--latent-size 4x8" in message
    message = refusal(changes=STYLE, latent_size=(8, 4))
    assert "--latent-size 8x4 has 32 positions, but the generator has 64" in message
    assert "no style" in refusal(latent_size=(8, 8))


def test_latent_channels_other_than_sixteen_ngf_are_kept():
    config = config_of(changes={**STYLE, "latent_channels": 512})
    assert config.generator.latent_channels == 512


def test_compatible_matters_to_clade_icpe_only():
    for norm, expected in (("clade", False), ("clade_icpe", True)):
        config = config_of(CLADE, changes={"norm": norm}, compatible=True)
        assert config.data.icpe_compatible is expected
    assert config_of(CLADE, changes={"norm": "clade_icpe"}).data.icpe_compatible is False


def test_an_encoder_needs_a_generator_with_the_same_style():
    encoder = {"encoder": encoder_of(style_dim=256)}
    assert "trained without VAE" in refusal(parts=encoder)
    assert config_of(STYLE, parts=encoder).encoder.size == 256
    short = {"encoder": encoder_of(style_dim=8)}
    message = refusal(STYLE, parts=short)
    assert "styles of 8 numbers, the generator takes 256" in message


def test_a_discriminator_of_another_model_is_refused():
    shapes = {f"nld_0.0.layer_{layer}.0.weight": (64, 154, 4, 4) for layer in range(5)}
    message = refusal(parts={"discriminator": tensors_of("discriminator", shapes)})
    assert "takes 151 semantic channels (and 3 of the picture), the generator 184" in message


def test_values_no_configuration_may_have_are_named():
    with pytest.raises(ConfigError, match=r"the configuration of these weights: .*kernel_size"):
        config_of(changes={"kernel_size": 2})
