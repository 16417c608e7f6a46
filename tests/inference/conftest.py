"""Tiny trained models and their model folders."""

from __future__ import annotations

import functools
import os
import shutil
import sys

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config, DataConfig, EncoderConfig, GeneratorConfig
from spade_paddle.data.batches import to_network
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.inference.export import export_generator
from spade_paddle.inference.native import kernels
from spade_paddle.layers import CLADE
from spade_paddle.layers.spectral import effective_state
from spade_paddle.networks.build import build_encoder, build_generator
from spade_paddle.networks.semantics import SemanticLayout
from tests.synthetic import synthetic_scene


def photo(seed=0, height=40, width=56):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


SPADE_CONFIG = Config(
    data=DataConfig(crop_size=64, load_size=64, instance_edges=True),
    generator=GeneratorConfig(ngf=3, max_width=12, nhidden=8, simam=True),
)
CLADE_CONFIG = Config(
    data=DataConfig(crop_size=64, load_size=64, instance_edges=False),
    generator=GeneratorConfig(
        norm="clade", ngf=3, activation="leaky_relu", simam=False, noise=True
    ),
)
STYLE_CONFIG = Config(
    data=DataConfig(crop_size=64, load_size=64, instance_edges=True, dont_care=False),
    generator=GeneratorConfig(norm="clade_icpe", ngf=3, activation="leaky_relu", simam=False),
    encoder=EncoderConfig(style_dim=4, nef=2, size=32),
)
CONFIGS = {"spade": SPADE_CONFIG, "clade": CLADE_CONFIG, "style": STYLE_CONFIG}


class Trained:
    """A generator, and maybe an encoder, whose statistics have seen some pictures."""

    def __init__(self, config, label_set):
        paddle.seed(3)
        self.config = config
        self.label_set = label_set
        self.generator = build_generator(config, num_labels=len(label_set))
        self.encoder = build_encoder(config)
        side = max(64, self.generator.multiple)
        for seed in range(4):
            self.paint(scene_labels(seed, label_set, side, side))
        if self.generator.noise_channels:
            self.generator.up_3.noise_strength.set_value(paddle.full([6, 1, 1], 0.3))
        if config.knows_positions:
            for layer in self.generator.sublayers():
                if isinstance(layer, CLADE):  # they start at zero
                    layer.position_weight.weight.set_value(paddle.randn([1, 2, 1, 1]))
                    layer.position_bias.weight.set_value(paddle.randn([1, 2, 1, 1]))
                    layer.bias.set_value(paddle.randn(layer.bias.shape))
        self.generator.eval()
        if self.encoder is not None:
            self.encoder.eval()

    @paddle.no_grad()
    def paint(self, label_map, *, seed=0, style=None, instance_map=None):
        """Eagerly, float [H, W, 3] in 0..255."""
        data, generator = self.config.data, self.generator
        ids = paddle.to_tensor(label_map.astype(np.int32)[None])
        instances = None if instance_map is None else paddle.to_tensor(instance_map[None])
        segmap = SemanticLayout.of(self.config, len(self.label_set)).encode(ids, instances)
        noise = positions = None
        if generator.noise_channels:
            height, width = label_map.shape
            channels = generator.noise_channels
            noise = noise_maps(seed, channels=channels, height=height, width=width)
            noise = paddle.to_tensor(noise[None])
        if self.config.knows_positions:
            positions = intra_class_positions(label_map, compatible=data.icpe_compatible)
            positions = paddle.to_tensor(positions.transpose(2, 0, 1)[None])
        z = None
        if generator.style_dim:
            z = paddle.zeros([1, generator.style_dim]) if style is None else style
        picture = generator(segmap, noise, style=z, positions=positions)
        return (picture.numpy()[0].transpose(1, 2, 0) + 1) * 127.5

    @paddle.no_grad()
    def style_of(self, photo):
        mu, _ = self.encoder(paddle.to_tensor(to_network(photo[None])))
        return mu


def scene_labels(seed, label_set, height, width):
    return synthetic_scene(seed, label_set=label_set, height=height, width=width).label_map


def export(trained, folder, *, config=None, training_weights=None):
    encoder = trained.encoder
    return export_generator(
        effective_state(trained.generator),
        folder,
        config=config or trained.config,
        label_set=trained.label_set,
        name="tiny",
        version="7",
        training={"config": trained.config.to_dict()},
        encoder_state=None if encoder is None else effective_state(encoder),
        training_weights=training_weights,
    )


@pytest.fixture(scope="session")
def make_exported(landscape, tmp_path_factory):
    """A trained model and its model folder by the name of its configuration."""

    @functools.cache
    def make(name):
        trained = Trained(CONFIGS[name], landscape)
        return trained, export(trained, tmp_path_factory.mktemp("export") / "model")

    return make


@pytest.fixture(scope="session")
def c_library() -> None:
    """The C library; where it could have been built, its absence is a failure."""
    if os.environ.get("GAUGAN_ENGINE") == "paddle":
        pytest.skip("GAUGAN_ENGINE=paddle: Paddle Inference alone is to be tested")
    try:
        kernels.library()
    except kernels.KernelsMissing as error:
        can_be_built = sys.platform == "linux" and (shutil.which("cc") or shutil.which("gcc"))
        if can_be_built:
            raise
        pytest.skip(f"{error}; there is none here to build it with")


@pytest.fixture(scope="session")
def native_engine(c_library) -> None:
    """The native engine: it needs the C library and a Paddle that names a program's weights."""
    if paddle.__version__.startswith("2."):
        pytest.skip("on Paddle 2 there is one engine only")
