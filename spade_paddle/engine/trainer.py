"""The training run: a configuration and a data set in, a run folder out.

The same command again goes on from the newest checkpoint; engine/reporter.py lists the files.
"""

from __future__ import annotations

import dataclasses
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import nn
from tqdm import tqdm

from spade_paddle.config import Config
from spade_paddle.data.batches import Batch, BatchSource, SceneCache, stack, to_pixels
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.picture_sizes import check_one_size
from spade_paddle.data.sheet import sheet
from spade_paddle.data.transforms import middle_view
from spade_paddle.doctor.examine import check_before_training
from spade_paddle.engine.checkpoint import checkpoints, load_latest, save_checkpoint
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.reporter import Reporter, passed
from spade_paddle.engine.schedule import linear_decay
from spade_paddle.engine.start import check_same_networks, load_training_weights
from spade_paddle.engine.steps import Networks, StepInput, paint, train_step
from spade_paddle.losses.perceptual import FeatureNetwork, SqueezeNetFeatures, VGG19Features
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator
from spade_paddle.networks.semantics import semantic_input

SAMPLE_SCENES = 4


class Trainer:
    """Trains in a run folder; goes on where an earlier run there stopped.

    Args:
        config: the configuration.
        label_set: the labels of the data set.
        data: the data set (see data/dataset.py).
        run: the run folder; made when it is not there.
        start: a model folder of tools/convert.py; a new run begins with its weights.
    """

    def __init__(
        self,
        config: Config,
        *,
        label_set: LabelSet,
        data: Path,
        run: Path,
        start: Path | None = None,
    ) -> None:
        self.config = config
        self.label_set = label_set
        self.run = run
        self.images_seen = 0
        self.seconds = 0.0
        self.stop_signal = 0  # the signal that asked to stop, 15 for SIGTERM
        self.workers = Workers.join()
        warn = tqdm.write if self.workers.rank == 0 else None
        check_before_training(data, label_set, config=config, warn=warn)
        train_scenes, self.val_scenes = self._scenes(data)
        paddle.seed(config.seed)
        np.random.seed(config.seed)  # paddle draws some initial weights from NumPy's state
        self.networks = Networks(
            generator=build_generator(config, num_labels=len(label_set)),
            encoder=build_encoder(config),
            discriminator=build_discriminator(config, num_labels=len(label_set)),
            features=_feature_network(config),
        )
        if start is not None and not checkpoints(run / "checkpoint"):
            load_training_weights(dict(self.networks.trained()), start)
        self.batches = BatchSource(
            train_scenes,
            options=config.data,
            seed=config.seed,
            multiple=config.generator.multiple,
            noise_channels=self.networks.generator.noise_channels,
            style_dim=config.encoder.style_dim,
        )
        self.averaged = Networks(
            generator=build_generator(config, num_labels=len(label_set), spectral_norm=False),
            encoder=build_encoder(config, spectral_norm=False),
        )
        self.averages = [
            WeightAverage(
                getattr(self.networks, name), average, halflife_images=config.ema_halflife_images
            )
            for name, average in self.averaged.trained()
        ]
        self.optimizers = self._new_optimizers()
        self._resume()

    def train(self) -> bool:
        """Train until ``total_images``; True when reached, False when asked to stop before.

        On SIGTERM or Ctrl-C the step that runs is finished and everything is saved.
        """
        handlers = {s: signal.signal(s, self._ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self._train(self._reporter() if self.workers.rank == 0 else None)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _train(self, reporter: Reporter | None) -> bool:
        config = self.config
        stopped = False
        try:
            while self.images_seen < config.total_images and not stopped:
                before = self.images_seen
                losses = self._step(min(config.batch_size, config.total_images - before))
                stopped = self.workers.any(self.stop_signal != 0)
                if reporter is not None:
                    last = stopped or self.images_seen == config.total_images
                    reporter.report(losses, before=before, now=self.images_seen, last=last)
                    if last or passed(config.checkpoint_every_images, before, self.images_seen):
                        self.save()
        finally:
            if reporter is not None:
                reporter.close()
        return not stopped

    @paddle.no_grad()
    def sample_sheet(self) -> np.ndarray:
        """The first validation scenes as label map | painted by the average | photo.

        With a style, each is painted in the style of its own photo.
        """
        rows = []
        generator = self.averaged.generator
        channels = generator.noise_channels
        for index in range(min(SAMPLE_SCENES, len(self.val_scenes))):
            scene = middle_view(
                self.val_scenes[index], self.config.data, multiple=generator.multiple
            )
            batch = stack([scene])
            if channels:
                height, width = scene.label_map.shape
                noise = noise_maps(0, channels=channels, height=height, width=width)
                batch = dataclasses.replace(batch, noise=noise[None])
            if generator.style_dim:  # no deviation from the mean
                zeros = np.zeros((1, generator.style_dim), np.float32)
                batch = dataclasses.replace(batch, style_noise=zeros)
            picture, _ = paint(self.averaged, self.step_input(batch))
            rows.append(
                [
                    self.label_set.colorize(scene.label_map),
                    to_pixels(picture.numpy())[0],
                    scene.photo,
                ]
            )
        return sheet(rows)

    def save(self) -> Path:
        """Write a checkpoint of everything that training changes."""
        return save_checkpoint(self.run / "checkpoint", self._state(), images_seen=self.images_seen)

    def step_input(self, batch: Batch) -> StepInput:
        """A batch as the tensors that the networks take."""

        def tensor(values: np.ndarray | None) -> paddle.Tensor | None:
            return None if values is None else paddle.to_tensor(values)

        semantics = semantic_input(
            tensor(batch.label_map),
            num_labels=len(self.label_set),
            dont_care=self.config.data.dont_care,
            edges=self.config.data.instance_edges,
            instance_map=tensor(batch.instance_map),
        )
        return StepInput(
            semantics=semantics,
            photo=tensor(batch.photo),
            positions=tensor(batch.positions),
            noise=tensor(batch.noise),
            style_noise=tensor(batch.style_noise),
        )

    def _step(self, count: int) -> dict[str, float]:
        started = time.monotonic()
        batch = self.batches.at(*self.workers.share(self.images_seen, count))
        options = self.config.optimizer
        factor = linear_decay(
            self.images_seen,
            start=options.decay_start_images,
            end=options.decay_end_images or self.config.total_images,
        )
        for optimizer, rate in zip(
            self.optimizers, (options.generator_lr, options.discriminator_lr)
        ):
            optimizer.set_lr(rate * factor)
        losses = train_step(
            self.networks,
            self.optimizers,
            self.step_input(batch),
            self.config.losses,
            regenerate_fake=self.config.regenerate_fake,
            workers=self.workers,
        )
        for average in self.averages:
            average.update(count)
        self.images_seen += count
        seconds = time.monotonic() - started
        self.seconds += seconds
        return {**losses, "lr": options.generator_lr * factor, "images_per_s": count / seconds}

    def _scenes(self, data: Path) -> list[SceneCache]:
        """Those to train on and those to look at."""
        options, multiple = self.config.data, self.config.generator.multiple
        train, val = (
            find_pairs(data, part, val_share=options.val_share) for part in ("train", "val")
        )
        pictures = math.ceil(self.config.batch_size / self.workers.size)
        check_one_size(train, options, multiple=multiple, pictures=pictures)
        return [
            SceneCache(
                pairs,
                label_set=self.label_set,
                options=options,
                multiple=multiple,
                positions=self.config.knows_positions,
            )
            for pairs in (train, val)
        ]

    def _reporter(self) -> Reporter:
        return Reporter(
            self.run,
            config=self.config,
            label_set=self.label_set,
            images_seen=self.images_seen,
            processes=self.workers.size,
            sample_sheet=self.sample_sheet,
        )

    def _ask_to_stop(self, number: int, frame: Any) -> None:
        del frame
        self.stop_signal = number

    def _new_optimizers(self) -> tuple[paddle.optimizer.Optimizer, paddle.optimizer.Optimizer]:
        """Of generator and encoder, and of the discriminator."""
        options = self.config.optimizer
        return tuple(
            paddle.optimizer.Adam(
                learning_rate=rate,
                beta1=options.beta1,
                beta2=options.beta2,
                parameters=parameters,
            )
            for rate, parameters in (
                (options.generator_lr, self.networks.generator_parameters()),
                (options.discriminator_lr, self.networks.discriminator.parameters()),
            )
        )

    def _parts(self) -> Iterator[tuple[str, nn.Layer | paddle.optimizer.Optimizer]]:
        """Everything with a state of its own, by its name in a checkpoint."""
        yield from self.networks.trained()
        for name, network in self.averaged.trained():
            yield "average" if name == "generator" else f"average_{name}", network
        yield from zip(("optimizer_g", "optimizer_d"), self.optimizers)

    def _state(self) -> dict[str, Any]:
        parts = {name: part.state_dict() for name, part in self._parts()}
        return {**parts, "images_seen": self.images_seen, "seconds": self.seconds}

    def _resume(self) -> None:
        state = load_latest(self.run / "checkpoint", warn=tqdm.write)
        if state is None:
            return
        check_same_networks(self.run, self.config, self.label_set)
        for name, part in self._parts():
            part.set_state_dict(state[name])
        self.images_seen = state["images_seen"]
        self.seconds = state["seconds"]
        tqdm.write(f"going on from {self.images_seen} images in {self.run}")


def _feature_network(config: Config) -> FeatureNetwork | None:
    options = config.losses
    if options.perceptual_network == "none" or options.perceptual == 0:
        return None
    if options.perceptual_network == "vgg19":
        return VGG19Features(weights=options.perceptual_weights, resize=options.perceptual_resize)
    return SqueezeNetFeatures(weights=options.perceptual_weights)
