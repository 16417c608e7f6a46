"""What a training run would need on a GPU, estimated on a CPU: memory and hours.

    python -m tests.engine.estimate_gpu --config configs/article_gpu.yaml

Counted, in steps of one and of two synthetic pictures: multiply-adds, and the bytes that are kept
for the gradients (by hooks on saved tensors). Assumed: the constants below. docs/training.md tells
how an estimate is made of both. Nothing here was measured on a GPU. Not a test; takes some minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from spade_paddle.config import Config, load_config
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.engine.cpu import apply_cpu_settings
from tests.synthetic import synthetic_scene

if TYPE_CHECKING:
    from spade_paddle.engine.learner import Learner
    from spade_paddle.engine.steps import StepInput

ROOT = Path(__file__).parent.parent.parent
MACS_A_SECOND = 15.7e12 / 2  # of a V100 in float32: 15.7 TFLOPS, two operations a multiply-add
BYTES_A_SECOND = 900e9  # of its memory
SHARES = 0.6, 0.3  # of both that are reached, at best and at worst
PASSES = 6  # how often a number that is kept, or its gradient, is written or read
STEP_SECONDS = 0.2  # some 6,500 operators at 30 microseconds, whatever the batch
RESERVE_GIB = 2.5  # CUDA, workspaces of cuDNN, what is not kept, fragments
GIB = 2**30
LABELS = find_label_set("landscape")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=ROOT / "configs/article_gpu.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    arguments = parser.parse_args()
    apply_cpu_settings()
    overrides = [*arguments.set, "compute.convolutions=paddle"]  # ours keeps other tensors
    config = load_config(arguments.config, overrides=overrides)
    learner = learner_of(config)
    macs = macs_of(learner, config)
    for name, count in macs.items():
        print(f"{name}: {count / 1e9:.1f} GMAC a picture")
    once, each = 0, 0  # bytes kept in a step, whatever the batch, and for each picture of it
    traffic = 0
    for name in ("generator", "discriminator"):
        one, two = (kept(learner, config, name, count) for count in (1, 2))
        print(f"{name}'s step keeps {(two - one) / GIB:.2f} GiB a picture")
        once, each = max(once, 2 * one - two), max(each, two - one)
        traffic += PASSES * (two - one)
    total = step_macs(config, macs)
    seconds = total / MACS_A_SECOND + traffic / BYTES_A_SECOND
    print(f"a picture: {total / 1e9:.0f} GMAC, {traffic / GIB:.1f} GiB to and from memory")
    for batch in (1, 4, 8, 12, 16):
        memory = RESERVE_GIB + (states(learner) + once + batch * each) / GIB
        steps = [STEP_SECONDS + batch * seconds / share for share in SHARES]
        hours = [config.total_images / batch * step / 3600 for step in steps]
        print(f"batch {batch}: {memory:.1f} GiB, {hours[0]:.0f} to {hours[1]:.0f} hours")


def step_macs(config: Config, macs: dict[str, int]) -> float:
    """Multiply-adds of a training step a picture; each of the two gradients costs a forward pass.

    The generator: forward, both gradients, and forward again where the fake is painted anew. The
    discriminator, in the generator's step: fake and real forward and one gradient (of the
    picture); in its own: fake and real forward and both gradients. VGG19, counted as a part of the
    generator's network: fake and real forward, one gradient.
    """
    return (
        macs["generator"] * (3 + config.regenerate_fake)
        + macs["discriminator"] * (3 + 6)
        + macs["features"] * 3
    )


def learner_of(config: Config) -> Learner:
    """With a VGG19 of random weights."""
    import paddle

    from spade_paddle.engine.distributed import Workers
    from spade_paddle.engine.learner import Learner

    def vgg19(*_: object, **__: object) -> paddle.nn.Layer:
        return paddle.vision.models.vgg19(num_classes=0)

    with mock.patch("spade_paddle.features.vgg19.vision_model", vgg19):
        return Learner(config, num_labels=len(LABELS), workers=Workers())


def macs_of(learner: Learner, config: Config) -> dict[str, int]:
    """Of a pass of each network over one picture."""
    from spade_paddle.engine.steps import discriminator_input
    from spade_paddle.networks.cost import count_macs

    networks, part = learner.networks, pictures(config, 1)
    seen = networks.perceptual
    return {
        "generator": count_macs(networks.generator, part.segmap),
        "discriminator": count_macs(networks.discriminator, discriminator_input(part, part.photo)),
        "features": count_macs(seen.network, part.photo, tuple(seen.rates)),
    }


def kept(learner: Learner, config: Config, name: str, count: int) -> int:
    """Bytes that a network's step of so many pictures keeps for its gradients."""
    import paddle

    from spade_paddle.engine.steps import discriminator_losses, generator_losses

    networks, part = learner.networks, pictures(config, count)
    for parameter in networks.discriminator.parameters():
        parameter.stop_gradient = name == "generator"  # as engine/updates.py does
    found: dict[int, int] = {}  # by address: what is kept twice counts once

    def pack(tensor: paddle.Tensor) -> paddle.Tensor:
        found[tensor.data_ptr()] = int(np.prod(tensor.shape)) * tensor.element_size()
        return tensor

    with paddle.autograd.saved_tensors_hooks(pack, lambda tensor: tensor):
        if name == "generator":
            losses = generator_losses(networks, part, config.losses)
        else:
            losses = discriminator_losses(networks, part, part.photo, config.losses)
    del losses  # all of it was alive until now, so no address came twice
    return sum(found.values())


def pictures(config: Config, count: int) -> StepInput:
    """Of the size in training."""
    from spade_paddle.data.batches import stack
    from spade_paddle.engine.steps import StepInput
    from spade_paddle.networks.semantics import SemanticLayout

    size = {"height": config.data.crop_height, "width": config.data.crop_size}
    scenes = [
        synthetic_scene(seed, label_set=LABELS, instances=True, **size) for seed in range(count)
    ]
    return StepInput.of(stack(scenes), SemanticLayout.of(config, len(LABELS)))


def states(learner: Learner) -> int:
    """Bytes of weights, gradients, Adam's two moments, the copy that paints, and VGG19."""
    from spade_paddle.networks.cost import count_parameters

    numbers = 5 * sum(count_parameters(network) for _, network in learner.trained())
    return 4 * (numbers + count_parameters(learner.networks.perceptual.network))


if __name__ == "__main__":
    main()
