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
"""So many are timed, after one more whose time does not count: buffers are made in it."""


def plan(trainer: Trainer) -> Iterator[str]:
    """The lines of ``tools/train.py --dry-run``; a few steps are trained, nothing is written.

    The steps change the trainer's networks: it is of no use afterwards.
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
        f"(mean of {STEPS} steps; samples and checkpoints come on top)"
    )
    peak = peak_memory_gib()
    if peak is not None:
        yield f"memory: {peak:.1f} GiB a process at most in these steps"


def _networks(trainer: Trainer) -> Iterator[str]:
    """Parameters and multiply-adds of each network for one training picture."""
    learner = trainer.learner
    (batch,) = trainer.feed.inputs([trainer.feed.batches.at(0, 1)])
    height, width = batch.photo.shape[2:]
    numbers = 0
    for name, network in learner.trained():
        parameters = count_parameters(network)
        # weight, gradient, two moments of Adam, and the average
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
        f"weights, gradients, optimizers and averages: {numbers * 4 / 2**30:.2f} GiB; what a "
        "batch needs in passing comes on top"
    )


def _macs(name: str, network: nn.Layer, batch: StepInput, *, encoder: nn.Layer | None) -> int:
    """Of one network for a picture, by what its name ends in."""
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
        f"data: {len(train)} photos to train on, {len(val)} to look at; {min(widths)} x "
        f"{min(heights)} to {max(widths)} x {max(heights)} pixels; each is shown {epochs:.1f} "
        f"times{' on average' if trainer.config.data.label_balance else ''} (tools/doctor.py "
        "tells more)"
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
