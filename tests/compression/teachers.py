"""Small generators of every kind, their random weights, and what they paint."""

from __future__ import annotations

import numpy as np
import paddle

from spade_paddle.compression.channels import tensor_axes
from spade_paddle.compression.groups import widths_of
from spade_paddle.config import Config, read_config
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.generator import SPADEGenerator
from spade_paddle.networks.semantics import SemanticLayout
from tests import reference
from tests.numeric import normal

NUM_LABELS = 3
STYLE_DIM = 3


def teacher(
    block="plain", norm="spade", *, edges=False, style=False, fade=0, data=None, **generator
) -> Config:
    """A configuration of ngf 2 whose pictures are two pixels wide where they are coarsest."""
    options = {"ngf": 2, "block": block, "norm": norm, "nhidden": 12, "kernel_size": 1}
    options |= {"spectral_norm": False} | generator
    doublings = {"normal": 5, "more": 6, "most": 7}[options.get("upsampling", "normal")]
    side = 2 ** (1 + doublings + options.get("fine_blocks", 0))
    return read_config(
        {
            "generator": options,
            "encoder": {"style_dim": STYLE_DIM if style else 0},
            "data": {"crop_size": side, "load_size": side, "instance_edges": edges, **(data or {})},
            "fade_in_images": fade,
        }
    )


KINDS = {
    "spade": teacher(),
    "spade, edges, style": teacher(edges=True, style=True, latent_channels=20),
    "spade, noise, at most 12 wide": teacher(noise=True, max_width=12, kernel_size=3),
    "spade, instance norm, more": teacher(upsampling="more", param_free_norm="instance", ngf=1),
    "spade, extra blocks": teacher(extra_blocks=1, ngf=1),
    "clade": teacher(norm="clade"),
    "clade, edges, style, most": teacher(
        norm="clade", edges=True, style=True, upsampling="most", ngf=1
    ),
    "clade_icpe, edges": teacher(norm="clade_icpe", edges=True),
    "clade_icpe, fine blocks, fading": teacher(norm="clade_icpe", fine_blocks=1, fade=1),
    "branches, spade": teacher("inception"),
    "branches, spade, noise, edges, most": teacher(
        "inception", noise=True, edges=True, upsampling="most", ngf=2
    ),
    "branches, spade, style, more": teacher(
        "inception", style=True, upsampling="more", latent_channels=20, ngf=1
    ),
    "branches, clade, edges": teacher("inception", "clade", edges=True),
    "branches, clade_icpe, extra and fine blocks": teacher(
        "inception", "clade_icpe", extra_blocks=1, fine_blocks=1, ngf=1, param_free_norm="instance"
    ),
}


def random_state(config: Config, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights for every tensor, so that no zero and no one hides a mistake; variances are
    positive. Of the size at which features neither grow nor die away through the blocks."""
    random = np.random.default_rng(seed)
    state = {}
    for name, tensor in tensor_axes(
        config, num_labels=NUM_LABELS, widths=widths_of(config)
    ).items():
        values = random.standard_normal(tensor.shape).astype(np.float32)
        if name.endswith("_variance"):
            values = 0.5 + np.abs(values)
        elif values.ndim == 4:
            values /= np.sqrt(np.prod(tensor.shape[1:]))
        state[name] = values
    return state


def tensors(state: dict[str, np.ndarray]) -> dict[str, paddle.Tensor]:
    """As a state dict of Paddle has them."""
    dtype = paddle.get_default_dtype()
    return {name: paddle.to_tensor(value.astype(dtype)) for name, value in state.items()}


def built(config: Config, *, spectral_norm: bool = False) -> SPADEGenerator:
    """The generator, which paints and does not learn."""
    generator = build_generator(config, num_labels=NUM_LABELS, spectral_norm=spectral_norm)
    generator.eval()
    if config.fade_in_images:
        generator.fade = 0.5
    return generator


def inputs(config: Config, *, side: int | None = None) -> tuple[list, dict]:
    """What its generator takes: arguments and keywords, for a picture of ``side`` x ``side``."""
    layout, dtype = SemanticLayout.of(config, NUM_LABELS), paddle.get_default_dtype()
    side = side or 2 * config.generator.multiple
    ids = np.random.default_rng(1).integers(0, layout.classes, (1, side // 8, side // 8))
    ids = ids.repeat(8, axis=1).repeat(8, axis=2)
    segmap = reference.one_hot(ids, num_labels=layout.classes, dont_care=False)
    if layout.edges:
        segmap = np.concatenate([segmap, ids[:, None] % 2], axis=1)

    def tensor(values: np.ndarray) -> paddle.Tensor:
        return paddle.to_tensor(values.astype(dtype))

    blocks = len(widths_of(config).blocks)
    noise = tensor(normal(1, blocks, side, side)) if config.generator.noise else None
    keywords = {}
    if config.encoder.style_dim:
        keywords["style"] = tensor(normal(1, STYLE_DIM))
    if layout.positions:
        keywords["positions"] = tensor(normal(1, 2, side, side))
    return [tensor(segmap), noise], keywords


@paddle.no_grad()
def picture(generator: SPADEGenerator, config: Config) -> np.ndarray:
    """What it paints of one label map."""
    arguments, keywords = inputs(config)
    return generator(*arguments, **keywords).numpy()
