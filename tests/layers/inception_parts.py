"""Small blocks of six branches, and what they must give."""

from __future__ import annotations

from functools import partial

import numpy as np
from paddle import nn

from spade_paddle.layers import CLADE, InceptionBlock, InceptionSPADE, ParamFreeBatchNorm
from spade_paddle.layers.norm import BatchNorm
from tests import reference, reference_inception
from tests.numeric import parameters_of, randomize

CLASSES = 3
ALL = (1, 2, 1, 2, 1, 2)
NONE = (0, 0, 0, 0, 0, 0)


def randomized(layer: nn.Layer, *, training: bool = True) -> nn.Layer:
    """It with random parameters and running averages, in training or in evaluation."""
    randomize(layer)
    generator = np.random.default_rng(3)
    for name, buffer in layer.named_buffers():
        if name.endswith("_mean"):
            buffer.set_value(0.5 * generator.standard_normal(buffer.shape))
        elif name.endswith("_variance"):
            buffer.set_value(generator.uniform(0.5, 2.0, buffer.shape))
    layer.train() if training else layer.eval()
    return layer


def state_of(layer: nn.Layer) -> dict[str, np.ndarray]:
    """Parameters and running averages, by name."""
    return {name: value.numpy().copy() for name, value in layer.state_dict().items()}


def make_spade(channels: int, hidden: tuple[int, ...]) -> InceptionSPADE:
    return InceptionSPADE(
        channels,
        CLASSES,
        widths=hidden,
        make_param_free_norm=ParamFreeBatchNorm,
        make_norm=BatchNorm,
    )


def make_clade(channels: int, hidden: tuple[int, ...] = ()) -> CLADE:
    return CLADE(channels, CLASSES, make_norm=ParamFreeBatchNorm, edges=True)


def small_block(
    fin: int,
    fout: int,
    *,
    branches=ALL,
    hidden=ALL,
    make_modulated_norm=make_spade,
    make_param_free_norm=ParamFreeBatchNorm,
    training=True,
    **options,
) -> InceptionBlock:
    block = InceptionBlock(
        fin,
        fout,
        branches=branches,
        hidden=hidden,
        make_modulated_norm=make_modulated_norm,
        make_norm=BatchNorm,
        make_param_free_norm=make_param_free_norm,
        **{"activation": nn.GELU(), **options},
    )
    return randomized(block, training=training)


def labels(*shape: int, edges: bool = False) -> np.ndarray:
    """One-hot, and random edges behind."""
    generator = np.random.default_rng(1)
    ids = generator.integers(0, CLASSES, shape)
    classes = reference.one_hot(ids, num_labels=CLASSES, dont_care=False)
    n, *size = shape
    extra = [generator.integers(0, 2, (n, 1, *size)).astype(float)] if edges else []
    return np.concatenate([classes, *extra], axis=1)


def by_the_paper(
    block: InceptionBlock, x: np.ndarray, segmap: np.ndarray, *, noise=None, **wrong
) -> np.ndarray:
    """What a block with GELU must give."""
    state, training = state_of(block), block.training

    def spade(values: np.ndarray, segmap: np.ndarray) -> np.ndarray:
        inner = reference_inception.part(state, "norm")
        return reference_inception.inception_spade(values, segmap, inner, training=training)

    clade_norm = partial(
        reference_inception.norm,
        state=reference_inception.part(state, "norm.param_free_norm"),
        training=training,
    )

    def clade(values: np.ndarray, segmap: np.ndarray) -> np.ndarray:
        return reference.clade(values, segmap, parameters_of(block.norm), norm=clade_norm)

    return reference_inception.inception_block(
        x,
        segmap,
        state,
        modulated=clade if isinstance(block.norm, CLADE) else spade,
        activation=reference.gelu,
        training=training,
        attention=block.simam,
        noise=noise,
        **wrong,
    )
