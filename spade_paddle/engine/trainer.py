"""The training run: a configuration and a data set in, a run folder out.

The same command again goes on from the newest checkpoint; engine/reporter.py lists the files.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import yaml
from tqdm import tqdm

from spade_paddle.config import Config, read_config
from spade_paddle.data.batches import Batch, BatchSource, SceneCache, stack, to_pixels
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.sheet import sheet
from spade_paddle.data.transforms import center_crop, resize_short_side
from spade_paddle.engine.checkpoint import load_latest, save_checkpoint
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.reporter import Reporter, passed
from spade_paddle.engine.schedule import linear_decay
from spade_paddle.engine.steps import Networks, train_step
from spade_paddle.errors import ConfigError
from spade_paddle.losses.perceptual import FeatureNetwork, SqueezeNetFeatures, VGG19Features
from spade_paddle.networks.build import build_discriminator, build_generator
from spade_paddle.networks.semantics import semantic_input

SAMPLE_SCENES = 4


class Trainer:
    """Trains in a run folder; goes on where an earlier run there stopped.

    Args:
        config: the configuration.
        label_set: the labels of the data set.
        data: folder with train/ and val/ (see data/dataset.py).
        run: the run folder; made when it is not there.
    """

    def __init__(self, config: Config, *, label_set: LabelSet, data: Path, run: Path) -> None:
        self.config = config
        self.label_set = label_set
        self.run = run
        self.images_seen = 0
        self.seconds = 0.0
        self.stop_signal = 0  # the signal that asked to stop, 15 for SIGTERM
        self.workers = Workers.join()
        cache = {"label_set": label_set, "short_side": config.data.short_side}
        train_scenes = SceneCache(find_pairs(data, "train"), **cache)
        self.val_scenes = SceneCache(find_pairs(data, "val"), **cache)
        paddle.seed(config.seed)
        np.random.seed(config.seed)  # paddle draws some initial weights from NumPy's state
        self.networks = Networks(
            generator=build_generator(config, num_labels=len(label_set)),
            discriminator=build_discriminator(config, num_labels=len(label_set)),
            features=_feature_network(config),
        )
        self.batches = BatchSource(
            train_scenes,
            options=config.data,
            seed=config.seed,
            noise_channels=self.networks.generator.noise_channels,
        )
        self.average = WeightAverage(
            self.networks.generator,
            build_generator(config, num_labels=len(label_set), spectral_norm=False),
            halflife_images=config.ema_halflife_images,
        )
        self.optimizers = tuple(
            paddle.optimizer.Adam(
                learning_rate=rate,
                beta1=config.optimizer.beta1,
                beta2=config.optimizer.beta2,
                parameters=network.parameters(),
            )
            for rate, network in (
                (config.optimizer.generator_lr, self.networks.generator),
                (config.optimizer.discriminator_lr, self.networks.discriminator),
            )
        )
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

    def sample_sheet(self) -> np.ndarray:
        """The first validation scenes as label map | generated by the average | photo."""
        rows = []
        for index in range(min(SAMPLE_SCENES, len(self.val_scenes))):
            size = self.config.data.short_side
            size -= size % self.average.average.multiple
            scene = center_crop(resize_short_side(self.val_scenes[index], size), size)
            channels = self.average.average.noise_channels
            noise = [noise_maps(0, channels=channels, height=size, width=size)]
            picture = paint_batch(self, stack([scene], noise=noise if channels else ()))[0]
            rows.append([self.label_set.colorize(scene.label_map), picture, scene.photo])
        return sheet(rows)

    def save(self) -> Path:
        """Write a checkpoint of everything that training changes."""
        return save_checkpoint(self.run / "checkpoint", self._state(), images_seen=self.images_seen)

    def semantics(self, batch: Batch) -> paddle.Tensor:
        """The semantic input of a batch: float32 [N, K, H, W]."""
        instance_map = batch.instance_map
        return semantic_input(
            paddle.to_tensor(batch.label_map),
            num_labels=len(self.label_set),
            dont_care=self.config.data.dont_care,
            edges=self.config.data.instance_edges,
            instance_map=None if instance_map is None else paddle.to_tensor(instance_map),
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
            self.semantics(batch),
            paddle.to_tensor(batch.photo),
            self.config.losses,
            noise=None if batch.noise is None else paddle.to_tensor(batch.noise),
            regenerate_fake=self.config.regenerate_fake,
            workers=self.workers,
        )
        self.average.update(count)
        self.images_seen += count
        seconds = time.monotonic() - started
        self.seconds += seconds
        return {**losses, "lr": options.generator_lr * factor, "images_per_s": count / seconds}

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

    def _state(self) -> dict[str, Any]:
        return {
            "generator": self.networks.generator.state_dict(),
            "discriminator": self.networks.discriminator.state_dict(),
            "average": self.average.average.state_dict(),
            "optimizer_g": self.optimizers[0].state_dict(),
            "optimizer_d": self.optimizers[1].state_dict(),
            "images_seen": self.images_seen,
            "seconds": self.seconds,
        }

    def _resume(self) -> None:
        state = load_latest(self.run / "checkpoint", warn=tqdm.write)
        if state is None:
            return
        check_same_networks(self.run, self.config, self.label_set)
        self.networks.generator.set_state_dict(state["generator"])
        self.networks.discriminator.set_state_dict(state["discriminator"])
        self.average.average.set_state_dict(state["average"])
        for optimizer, name in zip(self.optimizers, ("optimizer_g", "optimizer_d")):
            optimizer.set_state_dict(state[name])
        self.images_seen = state["images_seen"]
        self.seconds = state["seconds"]
        tqdm.write(f"going on from {self.images_seen} images in {self.run}")


@paddle.no_grad()
def paint_batch(trainer: Trainer, batch: Batch) -> np.ndarray:
    """Paint with the averaged generator: ``uint8`` [N, H, W, 3]."""
    noise = None if batch.noise is None else paddle.to_tensor(batch.noise)
    return to_pixels(trainer.average.average(trainer.semantics(batch), noise).numpy())


def check_same_networks(run: Path, config: Config, label_set: LabelSet) -> None:
    """Refuse to go on with networks or labels other than the run's.

    Raises:
        ConfigError: names what differs.
    """
    old = read_config(
        yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8")),
        where=str(run / "config.yaml"),
    )
    old_labels = LabelSet.load(run / "labels.json")
    differences = [
        f"{section}.{name} was {value}, is {getattr(getattr(config, section), name)}"
        for section in ("generator", "discriminator")
        for name, value in vars(getattr(old, section)).items()
        if value != getattr(getattr(config, section), name)
    ]
    for name in ("dont_care", "instance_edges"):
        if getattr(old.data, name) != getattr(config.data, name):
            differences.append(f"data.{name} was {getattr(old.data, name)}")
    if old_labels.fingerprint() != label_set.fingerprint():
        differences.append("the label set is another one")
    if differences:
        raise ConfigError(
            f"{run}: this run was started with other networks: {'; '.join(differences)}; "
            "use another --run folder or the old configuration",
            code="run_differs",
        )


def _feature_network(config: Config) -> FeatureNetwork | None:
    options = config.losses
    if options.perceptual_network == "none" or options.perceptual == 0:
        return None
    if options.perceptual_network == "vgg19":
        return VGG19Features(weights=options.perceptual_weights)
    return SqueezeNetFeatures(weights=options.perceptual_weights)
