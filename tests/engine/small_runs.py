"""Small runs to begin with, as tools/train.py and tools/convert.py leave them, in this process."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import paddle
import yaml

from spade_paddle.config import Config, read_config
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.engine.checkpoint import save_checkpoint
from spade_paddle.engine.resuming import initialize_from
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator
from spade_paddle.networks.semantics import SemanticLayout
from tests.engine.conftest import TINY

PARTS = ("generator", "encoder", "discriminator")
STYLE = {"encoder": {"style_dim": 3, "nef": 2, "size": 16}}
MORE = {"generator": {"upsampling": "more"}, "data": {"crop_size": 64, "load_size": 64}}
MOST = {"generator": {"upsampling": "most"}, "data": {"crop_size": 128, "load_size": 128}}

FINE = {"generator": {"fine_blocks": 1}, "data": {"crop_size": 64, "load_size": 64}}


def tiny(*changes: dict) -> Config:
    content = copy.deepcopy(TINY)
    for change in changes:
        for name, value in change.items():
            if isinstance(value, dict):
                content.setdefault(name, {}).update(value)
            else:
                content[name] = value
    return read_config(content)


def build(config: Config, *, seed: int) -> dict[str, paddle.nn.Layer]:
    """The networks; their running statistics have seen a picture and so are none of a new one."""
    paddle.seed(seed)
    np.random.seed(seed)
    networks = {
        "generator": build_generator(config, num_labels=13),
        "encoder": build_encoder(config),
        "discriminator": build_discriminator(config, num_labels=13),
    }
    side = 2 * config.generator.multiple
    with paddle.no_grad():
        networks["generator"](segmap_of(config, side=side), style=style_of(config))
    return {name: network for name, network in networks.items() if network is not None}


def segmap_of(config: Config, *, side: int) -> paddle.Tensor:
    """The semantic map of rectangles of 8 x 8 pixels."""
    ids = np.random.default_rng(3).integers(0, 13, (1, side // 8, side // 8))
    label_map = paddle.to_tensor(ids.repeat(8, 1).repeat(8, 2).astype(np.int32))
    return SemanticLayout.of(config, 13).encode(label_map)


def style_of(config: Config) -> paddle.Tensor | None:
    size = config.encoder.style_dim
    return paddle.to_tensor(np.linspace(-1, 1, size, dtype=np.float32)[None]) if size else None


def picture(
    config: Config, networks: dict, segmap: paddle.Tensor, *, fade: float = 1.0
) -> np.ndarray:
    generator = networks["generator"]
    generator.eval()
    generator.fade = fade
    with paddle.no_grad():
        return generator(segmap, style=style_of(config)).numpy()


def numbers(networks: dict, part: str) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in networks[part].state_dict().items()}


class Run:
    """A run folder with one checkpoint, or a converted model folder, and the networks in it."""

    def __init__(self, folder, config: Config, label_set: LabelSet, *, parts=PARTS) -> None:
        self.folder = folder
        self.config = config
        self.networks = build(config, seed=1)
        folder.mkdir()
        states = {
            part: network.state_dict() for part, network in self.networks.items() if part in parts
        }
        if parts == PARTS:
            state = {**states, "average": {}, "images_seen": 26000}
            save_checkpoint(folder / "checkpoint", state, images_seen=26000)
        else:
            paddle.save(states, str(folder / "training.pdparams"))
        (folder / "config.yaml").write_text(yaml.safe_dump(config.to_dict()), encoding="utf-8")
        (folder / LABELS_FILE).write_text(label_set.to_json(), encoding="utf-8")


KINDS = {
    "normal": (tiny(), PARTS),
    "more": (tiny(MORE), PARTS),
    "most": (tiny(MOST), PARTS),
    "fading": (tiny(MOST, {"fade_in_images": 50}), PARTS),
    "fine": (tiny(FINE), PARTS),
    "fading fine": (tiny(FINE, {"fade_in_images": 50}), PARTS),
    "style": (tiny(STYLE, {"data": {"crop_size": 64, "load_size": 64}}), PARTS),
    "converted": (tiny(), ("generator",)),
    "converted style": (tiny(STYLE), ("generator",)),
}


class SmallRuns:
    """Runs by the names of KINDS, made when they are first asked for."""

    def __init__(self, parent: Path, label_set: LabelSet) -> None:
        self.parent = parent
        self.label_set = label_set
        self.made: dict[str, Run] = {}

    def __call__(self, name: str) -> Run:
        if name not in self.made:
            config, parts = KINDS[name]
            self.made[name] = Run(self.parent / name, config, self.label_set, parts=parts)
        return self.made[name]


def grow(run: Run, config: Config, label_set: LabelSet) -> tuple[dict, dict, list[str]]:
    """The networks that began with a run, as they were before, and the lines of the report."""
    networks = build(config, seed=2)
    before = {part: numbers(networks, part) for part in networks}
    lines = initialize_from(networks, run.folder, config=config, label_set=label_set)
    return networks, before, lines


def assert_carried(networks, run, part, *, fresh=(), before=None):
    """All but the fresh layers are the run's, bit for bit; the fresh ones are as they were."""
    now, old = numbers(networks, part), numbers(run.networks, part)
    assert now
    for name, value in now.items():
        expected = before[part] if name.split(".")[0] in fresh else old
        assert np.array_equal(value, expected[name]), name
