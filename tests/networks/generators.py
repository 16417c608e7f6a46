"""Small generators, and what they must paint, computed step by step."""

from __future__ import annotations

from functools import partial

import numpy as np
from paddle import nn

from spade_paddle.layers import CLADE, SPADE, ParamFreeBatchNorm, SPADEResnetBlock
from spade_paddle.networks.generator import SPADEGenerator
from spade_paddle.networks.widths import GeneratorWidths
from tests import reference
from tests.numeric import parameters_of, randomize

CLASSES = 3

# what is doubled before which block (the article's listing): the sizes relative to the first one
SIZES = {
    "normal": {"head_0": 1, "G_middle_0": 2, "G_middle_1": 2, "up_0": 4, "up_1": 8, "up_2": 16}
    | {"up_3": 32},
    "more": {"head_0": 1, "G_middle_0": 2, "G_middle_1": 4, "up_0": 8, "up_1": 16, "up_2": 32}
    | {"up_3": 64},
    "most": {"head_0": 1, "G_middle_0": 2, "G_middle_1": 4, "up_0": 8, "up_1": 16, "up_2": 32}
    | {"up_3": 64, "up_4": 128},
}


def make_spade(channels: int, hidden: int) -> SPADE:
    return SPADE(
        norm_nc=channels,
        label_nc=CLASSES,
        make_norm=ParamFreeBatchNorm,
        activation=nn.GELU(),
        kernel_size=1,
        nhidden=hidden,
    )


def make_clade(channels: int, hidden: int = 0) -> CLADE:
    return CLADE(norm_nc=channels, num_classes=CLASSES, make_norm=ParamFreeBatchNorm)


def small_generator(
    *,
    upsampling="normal",
    fine_blocks=0,
    extra_blocks=0,
    ngf=1,
    max_width=4,
    latent_channels=None,
    widths=None,
    make_norm=make_clade,
    simam=True,
    noise=False,
    **others,
) -> SPADEGenerator:
    generator = SPADEGenerator(
        semantic_nc=CLASSES,
        widths=widths
        or GeneratorWidths.of(
            ngf,
            upsampling=upsampling,
            fine_blocks=fine_blocks,
            extra_blocks=extra_blocks,
            max_width=max_width,
            latent_channels=latent_channels,
            hidden=2,
        ),
        make_block=partial(
            SPADEResnetBlock,
            make_modulated_norm=make_norm,
            activation=nn.GELU(),
            spectral_norm=False,
            simam=simam,
            noise=noise,
        ),
        activation=nn.GELU(),
        upsampling=upsampling,
        fine_blocks=fine_blocks,
        extra_blocks=extra_blocks,
        noise=noise,
        **others,
    )
    randomize(generator)
    return generator


def labels(*shape: int) -> np.ndarray:
    """One-hot rectangles of 8x8 pixels."""
    n, height, width = shape
    ids = np.random.default_rng(1).integers(0, CLASSES, (n, -(-height // 8), -(-width // 8)))
    ids = ids.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return reference.one_hot(ids, num_labels=CLASSES, dont_care=False)


def by_the_article(
    generator: SPADEGenerator, segmap: np.ndarray, *, layer, extra_blocks=0
) -> np.ndarray:
    """The listing of the article, step by step, our fine blocks after it and extra ones between."""
    sizes = dict(SIZES[generator.upsampling])
    for index in range(generator.fine_blocks):
        sizes[f"up_fine_{index}"] = 2 * max(sizes.values())
    shrink = max(sizes.values())
    extra = ["", *(f"_extra_{index}" for index in range(extra_blocks))]
    sizes = {name + more: size for name, size in sizes.items() for more in extra}
    x = reference.resize_nearest(segmap, segmap.shape[2] // shrink, segmap.shape[3] // shrink)
    x = reference.conv2d(x, generator.fc.weight.numpy(), generator.fc.bias.numpy(), padding=1)
    size = 1
    for name, after in sizes.items():
        x = x.repeat(after // size, axis=2).repeat(after // size, axis=3)
        size = after
        block = getattr(generator, name)
        parts = "01s" if hasattr(block, "conv_s") else "01"
        x = reference.residual_block(
            x,
            segmap,
            norms={
                part: partial(layer, parameters=parameters_of(getattr(block, f"norm_{part}")))
                for part in parts
            },
            convolutions={part: parameters_of(getattr(block, f"conv_{part}")) for part in parts},
            activation=reference.gelu,
            attention=block.simam,
        )
    image = generator.conv_img
    return np.tanh(
        reference.conv2d(reference.gelu(x), image.weight.numpy(), image.bias.numpy(), padding=1)
    )


def twin(generator: SPADEGenerator, *, image: str, **options) -> SPADEGenerator:
    """A generator of ngf 2 with noise and the same weights, and ``image`` for its conv_img."""
    other = small_generator(ngf=2, noise=True, **options)
    other.eval()
    state = generator.state_dict()
    renamed = {f"conv_img.{name}": state[f"{image}.{name}"] for name in ("weight", "bias")}
    own = {name: state[name] for name in other.state_dict() if not name.startswith("conv_img.")}
    other.set_state_dict({**own, **renamed})
    return other


def enlarged(values: np.ndarray) -> np.ndarray:
    return values.repeat(2, axis=2).repeat(2, axis=3)
