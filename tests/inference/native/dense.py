"""Label maps that are hard to look up, and the dense graph that everything is held to."""

from __future__ import annotations

import numpy as np
import paddle

from spade_paddle.config import Config, read_config
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.inference.export import LabelsToPicture

LABELS = 13


def config_of(**sections) -> Config:
    """A small generator, with fields of sections changed."""
    base = {
        "data": {"labels": "landscape.yaml", "crop_size": 64, "load_size": 64},
        "generator": {"ngf": 2, "nhidden": 8, "max_width": 24},
        "encoder": {"nef": 2, "size": 32},
    }
    return read_config({name: {**base[name], **sections.get(name, {})} for name in base})


def dense(config: Config) -> LabelsToPicture:
    """The network of a configuration, with statistics and strengths as if it had learned."""
    paddle.seed(5)
    rng = np.random.default_rng(5)
    network = LabelsToPicture.of(config, num_labels=LABELS)
    for name, buffer in network.generator.named_buffers():
        if name.endswith("_mean"):
            buffer.set_value(rng.normal(0, 0.3, buffer.shape).astype(np.float32))
        elif name.endswith("_variance"):
            buffer.set_value(rng.uniform(0.5, 2, buffer.shape).astype(np.float32))
    for parameter in network.generator.parameters():
        change = rng.normal(0, 0.03, parameter.shape).astype(np.float32)
        parameter.set_value(parameter + paddle.to_tensor(change))
    return network


def label_maps(height: int, width: int, *, dont_care: bool = True) -> dict[str, np.ndarray]:
    """``int32`` [H, W] by what is hard about them."""
    rng = np.random.default_rng(height + width)
    stripes = np.repeat(np.arange(height) * 6 // height, width).reshape(height, width)
    lines = stripes.copy()
    lines[:, width // 3] = 7  # one pixel wide, and up to both borders
    lines[height // 2] = 8
    dots = stripes.copy()
    dots[rng.random((height, width)) < 0.02] = 9
    dots[0, 0] = dots[-1, -1] = dots[0, -1] = 10
    maps = {
        "one label": np.full((height, width), 3),
        "lines": lines,
        "dots": dots,
        "chance": rng.integers(0, LABELS, (height, width)),
    }
    if dont_care:
        maps["don't care"] = np.where(rng.random((height, width)) < 0.1, 255, lines)
    return {name: found.astype(np.int32) for name, found in maps.items()}


def inputs_of(network: LabelsToPicture, label_map: np.ndarray) -> dict[str, np.ndarray]:
    """Everything that the network takes beside a label map, as a batch of one."""
    rng = np.random.default_rng(1)
    made = {
        "label_map": lambda shape: label_map,
        "instance_map": lambda shape: label_map * 5 + (np.arange(label_map.shape[1]) > 20),
        "positions": lambda shape: intra_class_positions(label_map).transpose(2, 0, 1),
        "noise": lambda shape: rng.standard_normal((shape[1], *label_map.shape)),
        "style": lambda shape: rng.standard_normal(shape[1]),
    }
    return {
        name: made[name](shape)[None].astype(kind)
        for name, (shape, kind) in network.input_shapes().items()
    }


@paddle.no_grad()
def painted(network: LabelsToPicture, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """By the dense graph, [N, 3, H, W]."""
    return network({name: paddle.to_tensor(value) for name, value in inputs.items()}).numpy()


def weights_of(network: LabelsToPicture) -> dict[str, np.ndarray]:
    """As NativeGenerator takes them."""
    return {name: value.numpy() for name, value in network.generator.state_dict().items()}
