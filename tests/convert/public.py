"""Files such as the public models are saved in, made from networks of ours: the way back, plainly.

Nothing here uses spade_paddle.convert.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import paddle
from paddle import nn

from spade_paddle.config import (
    Config,
    DataConfig,
    DiscriminatorConfig,
    EncoderConfig,
    GeneratorConfig,
)
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator

NUM_LABELS = 3

PHOTOPEN = Config(
    data=DataConfig(dont_care=False, instance_edges=True),
    generator=GeneratorConfig(ngf=1, nhidden=4),
    discriminator=DiscriminatorConfig(scales=3, num_layers=3, ndf=4, max_width=8),
)
SPADE = Config(
    data=DataConfig(dont_care=True, instance_edges=True),
    generator=GeneratorConfig(ngf=1, nhidden=4, activation="leaky_relu", simam=False),
    discriminator=DiscriminatorConfig(
        scales=2, num_layers=4, ndf=2, activation="leaky_relu", simam=False, affine_norm=False
    ),
)
CLADE = dataclasses.replace(
    SPADE,
    data=DataConfig(dont_care=True, instance_edges=True),
    generator=dataclasses.replace(SPADE.generator, norm="clade", nhidden=128),  # has no meaning
)
CONFIGS = {"spade": SPADE, "clade": CLADE, "photopen": PHOTOPEN}
FLAGS = {
    "spade": ["--num-labels", "3", "--dont-care", "--instances"],
    "clade": ["--num-labels", "3", "--dont-care", "--instances"],
    "photopen": ["--num-labels", "3", "--instances"],
}


def with_style(config: Config, *, style_dim: int, width: int, height: int) -> Config:
    """The same, but the coarse features are made of a style, for pictures of width x height."""
    side = min(width, height)
    return dataclasses.replace(
        config,
        data=dataclasses.replace(
            config.data, crop_size=width, aspect_ratio=width / height, load_size=side
        ),
        encoder=EncoderConfig(style_dim=style_dim, nef=2, size=16),
    )


@functools.cache
def network_of(config: Config, part: str) -> nn.Layer:
    """A network in evaluation mode, as after some training: no zero hides a mistake.

    Kept for all tests: look at it only.
    """
    paddle.seed(5)
    channels = NUM_LABELS + config.data.dont_care + config.data.instance_edges
    height, width = config.data.crop_height, config.data.crop_size
    pictures = paddle.randn([2, 3, height, width])
    segmap = paddle.cast(paddle.rand([2, channels, height, width]) > 0.7, "float32")
    if part == "generator":
        network = build_generator(config, num_labels=NUM_LABELS)
        style = paddle.randn([2, config.encoder.style_dim]) if config.encoder.style_dim else None
        positions = paddle.rand([2, 2, height, width])
        known = positions if config.generator.norm == "clade_icpe" else None
        inputs, named = [segmap], {"style": style, "positions": known}
    elif part == "encoder":
        network, inputs, named = build_encoder(config), [pictures], {}
    else:
        network = build_discriminator(config, num_labels=NUM_LABELS)
        inputs, named = [paddle.concat([segmap, pictures], axis=1)], {}
    for parameter in network.parameters():
        parameter.set_value(parameter + 0.1 * paddle.randn(parameter.shape))
    network.train()
    with paddle.no_grad():
        for _ in range(3):
            network(*inputs, **named)
    network.eval()
    return network


def state_of(network: nn.Layer) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in network.state_dict().items()}


def public_state(state: dict[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """Our state dict of any network with the names and layouts of a source."""
    rename = {"spade": _spade_name, "clade": _clade_name, "photopen": _photopen_name}[source]
    public = {}
    for name, array in state.items():
        linear = name in ("fc.weight", "fc_mu.weight", "fc_var.weight") and array.ndim == 2
        public[rename(name)] = array.T if linear and source != "photopen" else array
        if source != "photopen" and name.endswith("._mean"):
            counter = rename(name).replace("running_mean", "num_batches_tracked")
            public[counter] = np.array(700)
    return public


def save_npz(path: Path, config: Config, part: str, source: str) -> nn.Layer:
    """Save a network of ours under the names of a source; gives back the network."""
    network = network_of(config, part)
    np.savez(path, **public_state(state_of(network), source))
    return network


def _spade_name(name: str) -> str:
    words = name.split(".")
    if words[0].startswith("nld_"):  # nld_1.1.layer_2.0.weight_orig
        scale, stage = words[1], words[2].removeprefix("layer_")
        deeper = ["0", "0"] if words[-1].startswith("weight_") else ["0"]
        return ".".join([f"discriminator_{scale}", f"model{stage}", *deeper, words[-1]])
    words[-1] = {"_mean": "running_mean", "_variance": "running_var"}.get(words[-1], words[-1])
    return ".".join(words)


def _clade_name(name: str) -> str:
    words = name.split(".")
    if len(words) == 3 and words[1].startswith("norm_"):  # up_0.norm_s.weight
        words.insert(2, "class_specified_affine")
    elif len(words) == 4 and words[2] in ("edge_conv", "position_weight", "position_bias"):
        words[2:3] = {
            "edge_conv": ["inst_conv"],
            "position_weight": ["class_specified_affine", "dist_conv_w"],
            "position_bias": ["class_specified_affine", "dist_conv_b"],
        }[words[2]]
    return _spade_name(".".join(words))


def _photopen_name(name: str) -> str:
    words = name.split(".")
    if words[0].startswith("nld_"):
        words[2] = words[2].replace("layer_", "model_")
    elif len(words) > 2:
        words[1] = words[1].replace("norm_", "spade_")
        if words[1].startswith("conv_"):
            words[1:2] = [f"act_{words[1]}", "0" if words[1] == "conv_s" else "1"]
    return ".".join(words)
