"""Sample pictures: how the first validation scenes look, painted by the networks of now."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.data.batches import stack, to_pixels
from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.sheet import sheet
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.inputs import step_input
from spade_paddle.engine.steps import Networks, paint

SCENES = 4


@paddle.no_grad()
def sample_sheet(
    painters: Sequence[Networks],
    scenes: Sequence[Scene],
    *,
    config: Config,
    label_set: LabelSet,
) -> np.ndarray:
    """The first scenes, a row each: label map | painted by each painter | photo.

    With a style, each is painted in the style of its own photo. The same scenes and the same noise
    every time.

    Args:
        painters: networks, put in evaluation mode while they paint.
        scenes: of the validation part.
        config: of the run.
        label_set: its labels.

    Returns:
        ``uint8`` [H, W, 3].
    """
    rows = []
    for index in range(min(SCENES, len(scenes))):
        scene = middle_view(scenes[index], config.data, multiple=config.generator.multiple)
        batch = stack([scene])
        channels = painters[0].generator.noise_channels
        if channels:
            height, width = scene.label_map.shape
            noise = noise_maps(0, channels=channels, height=height, width=width)
            batch = dataclasses.replace(batch, noise=noise[None])
        if config.encoder.style_dim:  # no deviation from the mean
            zeros = np.zeros((1, config.encoder.style_dim), np.float32)
            batch = dataclasses.replace(batch, style_noise=zeros)
        inputs = step_input(batch, config=config, num_labels=len(label_set))
        pictures = [_painted(networks, inputs) for networks in painters]
        rows.append([label_set.colorize(scene.label_map), *pictures, scene.photo])
    return sheet(rows)


def _painted(networks: Networks, inputs) -> np.ndarray:
    layers = [layer for layer in (networks.generator, networks.encoder) if layer is not None]
    modes = [layer.training for layer in layers]
    for layer in layers:
        layer.eval()
    picture, _ = paint(networks, inputs)
    for layer, training in zip(layers, modes):
        if training:
            layer.train()
    return to_pixels(picture.numpy())[0]
