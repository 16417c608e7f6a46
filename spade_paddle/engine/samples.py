"""Sample pictures: the first validation scenes, painted by the current networks."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import paddle
from paddle import nn

from spade_paddle.config import Config
from spade_paddle.data.batches import stack, to_pixels
from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.sheet import sheet
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.steps import Networks, StepInput, paint
from spade_paddle.networks.semantics import SemanticLayout

SCENES = 4


@paddle.no_grad()
def sample_sheet(
    painters: Sequence[Networks],
    scenes: Sequence[Scene],
    *,
    config: Config,
    label_set: LabelSet,
) -> np.ndarray:
    """Return a sheet of the first scenes, one per row: label map | picture of each painter | photo.

    Networks with a style encoder use the style of the scene's own photo. Scenes and noise are the
    same every time.

    Args:
        painters: networks to compare; in evaluation mode while they paint.

    Returns:
        ``uint8`` [H, W, 3].
    """
    rows, layout = [], SemanticLayout.of(config, len(label_set))
    for scene in itertools.islice(scenes, SCENES):
        scene = middle_view(scene, config.data, multiple=config.generator.multiple)
        inputs = scene_input(scene, painters[0], layout, seed=0)
        pictures = [painted(networks, inputs) for networks in painters]
        rows.append([label_set.colorize(scene.label_map), *pictures, scene.photo])
    return sheet(rows)


def scene_input(
    scene: Scene, networks: Networks, layout: SemanticLayout, *, seed: int
) -> StepInput:
    """Return one scene as input of networks with this layout: noise from this seed, and zero style
    noise, so that the style is the encoder's mean. The size must be one that can be painted."""
    batch, generator = stack([scene]), networks.generator
    if generator.noise_channels:
        height, width = scene.label_map.shape
        channels = generator.noise_channels
        noise = noise_maps(seed, channels=channels, height=height, width=width)
        batch = dataclasses.replace(batch, noise=noise[None])
    if generator.style_dim:
        zeros = np.zeros((1, generator.style_dim), np.float32)
        batch = dataclasses.replace(batch, style_noise=zeros)
    return StepInput.of(batch, layout)


@paddle.no_grad()
def painted(networks: Networks, inputs: StepInput) -> np.ndarray:
    """Paint one scene in evaluation mode; return the picture, ``uint8`` [H, W, 3]."""
    with evaluating(networks.generator, networks.encoder):
        picture, _ = paint(networks, inputs)
    return to_pixels(picture.numpy())[0]


@contextmanager
def evaluating(*layers: nn.Layer | None) -> Iterator[None]:
    """Set layers to evaluation mode within a block; restore the mode of each afterwards."""
    present = [layer for layer in layers if layer is not None]
    trained = [layer for layer in present if layer.training]
    for layer in present:
        layer.eval()
    try:
        yield
    finally:
        for layer in trained:
            layer.train()
