"""A dry run: the networks, data, memory and time of a training run, before it is started."""

from __future__ import annotations

import time
from collections.abc import Iterator

import paddle
import yaml
from paddle import nn

from spade_paddle.engine.compute import peak_memory_gib
from spade_paddle.engine.steps import StepInput
from spade_paddle.engine.trainer import Trainer
from spade_paddle.networks.cost import count_macs, count_parameters

STEPS = 3
"""Number of timed steps, after a first one that is not timed because it allocates buffers."""


def plan(trainer: Trainer) -> Iterator[str]:
    """Yield the lines of ``tools/train.py --dry-run``. Runs a few steps, and writes nothing.

    The steps change the trainer's networks, so it must not be used afterwards.
    """
    config = trainer.config
    yield yaml.safe_dump(config.to_dict(), sort_keys=False).rstrip()
    yield ""
    yield from _networks(trainer)
    yield from _data(trainer)
    done = trainer.learner.images_seen
    left = config.total_images - done
    if left <= 0:
        yield f"time: none, {done} of {config.total_images} images are done"
        return
    seconds = _seconds_an_image(trainer)
    if done:
        yield f"progress: {done} of {config.total_images} images are done"
    yield (
        f"time: {_duration(left * seconds)} for {left} images at {1 / seconds:.2f} images/s "
        f"(mean of {STEPS} steps; samples and checkpoints not included)"
    )
    peak = peak_memory_gib()
    if peak is not None:
        yield f"memory: peak of {peak:.1f} GiB per process in these steps"


def _networks(trainer: Trainer) -> Iterator[str]:
    """Report parameters and multiply-adds of each network for one training picture."""
    learner = trainer.learner
    (batch,) = trainer.feed.inputs([trainer.feed.batches.at(0, 1)])
    height, width = batch.photo.shape[2:]
    numbers = 0
    for name, network in learner.trained():
        parameters = count_parameters(network)
        # weight, gradient, Adam's two moments, and the averaged weight
        numbers += parameters * (5 if name in ("generator", "encoder") else 4)
        line = f"{name}: {parameters / 1e6:.2f} M parameters"
        if name != "adapters":
            macs = _macs(name, network, batch, encoder=learner.networks.encoder)
            line += f", {macs / 1e9:.2f} GMAC for a picture of {width} x {height}"
        yield line
    if trainer.config.distillation.method == "cat":
        (teacher,) = learner.teachers
        macs = _macs("generator", teacher.generator, batch, encoder=teacher.encoder)
        yield f"teacher: {macs / 1e9:.2f} GMAC for a picture of {width} x {height}"
    yield (
        f"weights, gradients, optimizers and averages: {numbers * 4 / 2**30:.2f} GiB; activations "
        "not included"
    )


def _macs(name: str, network: nn.Layer, batch: StepInput, *, encoder: nn.Layer | None) -> int:
    """Count the multiply-adds of a network for one picture; its kind is known by its name."""
    if name == "encoder":
        return count_macs(network, batch.photo)
    if name.endswith("discriminator"):
        pictures = paddle.concat([batch.segmap, batch.photo], axis=1)
        return count_macs(network, pictures, also=network.feature_networks())
    style = None if encoder is None else encoder(batch.photo)[0]
    return count_macs(network, batch.segmap, batch.noise, style=style, positions=batch.positions)


def _data(trainer: Trainer) -> Iterator[str]:
    train, val = trainer.train_scenes, trainer.val_scenes
    heights, widths = zip(*(size for _, size in train.sizes()))
    epochs = trainer.config.total_images / len(train)
    yield (
        f"data: {len(train)} training and {len(val)} validation photos; {min(widths)} x "
        f"{min(heights)} to {max(widths)} x {max(heights)} pixels; {epochs:.1f} epochs"
        f"{' on average' if trainer.config.data.label_balance else ''} (details: tools/doctor.py)"
    )


def _seconds_an_image(trainer: Trainer) -> float:
    seconds = []
    with trainer.feed:
        for _ in range(1 + STEPS):
            before, started = trainer.learner.images_seen, time.monotonic()
            if before < trainer.config.total_images:
                trainer.step()
                images = trainer.learner.images_seen - before
                seconds.append((time.monotonic() - started) / images)
    timed = seconds[1:] or seconds
    return sum(timed) / len(timed)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes:02d} min"
