"""The training run: a configuration and a data set in, a run folder out.

    config.yaml       the resolved configuration        metrics.jsonl   losses, one line a report
    labels.json       the label set                     vdl/            the same for VisualDL
    environment.json  versions, seed, command           samples/        label map | generated | photo
    checkpoint/       everything needed to go on; the same command again resumes
"""

from __future__ import annotations

import json
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import yaml
from tqdm import tqdm

import spade_paddle
from spade_paddle.config import Config, read_config
from spade_paddle.data.batches import Batch, BatchSource, SceneCache, stack
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.sheet import sheet
from spade_paddle.data.transforms import center_crop, resize_short_side
from spade_paddle.engine.checkpoint import load_latest, save_checkpoint, write_text_atomically
from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.log import RunLog
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
        self._stop_signal: int | None = None
        cache = {"label_set": label_set, "short_side": config.data.short_side}
        train_scenes = SceneCache(find_pairs(data, "train"), **cache)
        self.batches = BatchSource(train_scenes, options=config.data, seed=config.seed)
        self.val_scenes = SceneCache(find_pairs(data, "val"), **cache)
        paddle.seed(config.seed)
        np.random.seed(config.seed)  # paddle draws some initial weights from NumPy's state
        self.networks = Networks(
            generator=build_generator(config, num_labels=len(label_set)),
            discriminator=build_discriminator(config, num_labels=len(label_set)),
            features=_feature_network(config),
        )
        self.average = WeightAverage(
            self.networks.generator,
            build_generator(config, num_labels=len(label_set)),
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
        config = self.config
        self._write_run_files()
        log = RunLog(self.run, images_seen=self.images_seen)
        previous = {s: signal.signal(s, self._ask_to_stop) for s in (signal.SIGINT, signal.SIGTERM)}
        reported: list[dict[str, float]] = []
        progress = tqdm(
            total=config.total_images, initial=self.images_seen, unit="img", smoothing=0.05
        )
        try:
            while self.images_seen < config.total_images and self._stop_signal is None:
                before = self.images_seen
                count = min(config.batch_size, config.total_images - before)
                reported.append(self._step(self.batches.at(before, count)))
                progress.update(count)
                if self._passed(config.log_every_images, before):
                    means = {k: float(np.mean([r[k] for r in reported])) for k in reported[0]}
                    reported.clear()
                    log.scalars(self.images_seen, means)
                    progress.set_postfix({k: f"{v:.2f}" for k, v in means.items() if k != "lr"})
                if self._passed(config.sample_every_images, before):
                    log.picture(self.images_seen, "samples", self.sample_sheet())
                if self._passed(config.checkpoint_every_images, before):
                    self.save()
            if self._stop_signal is not None or self.images_seen % config.checkpoint_every_images:
                self.save()
        finally:
            progress.close()
            log.close()
            for number, handler in previous.items():
                signal.signal(number, handler)
        return self._stop_signal is None

    def sample_sheet(self) -> np.ndarray:
        """The first validation scenes as label map | generated by the average | photo."""
        rows = []
        for index in range(min(SAMPLE_SCENES, len(self.val_scenes))):
            size = self.config.data.short_side
            size -= size % self.average.average.multiple
            scene = center_crop(resize_short_side(self.val_scenes[index], size), size)
            picture = paint_batch(self, stack([scene]))[0]
            rows.append([self.label_set.colorize(scene.label_map), picture, scene.photo])
        return sheet(rows)

    def save(self) -> Path:
        """Write a checkpoint of everything that training changes."""
        return save_checkpoint(
            self.run / "checkpoint", self._state(), images_seen=self.images_seen
        )

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

    def _step(self, batch: Batch) -> dict[str, float]:
        started = time.monotonic()
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
            regenerate_fake=self.config.regenerate_fake,
        )
        count = len(batch.photo)
        self.average.update(count)
        self.images_seen += count
        seconds = time.monotonic() - started
        self.seconds += seconds
        return {**losses, "lr": options.generator_lr * factor, "images_per_s": count / seconds}

    def _passed(self, every: int, before: int) -> bool:
        return self.images_seen // every > before // every

    def _ask_to_stop(self, number: int, frame: Any) -> None:
        del frame
        self._stop_signal = number

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

    def _write_run_files(self) -> None:
        texts = {
            "config.yaml": yaml.safe_dump(self.config.to_dict(), sort_keys=False),
            "labels.json": json.dumps(self.label_set.to_dict(), ensure_ascii=False, indent=1),
            "environment.json": json.dumps(_environment(self.config), indent=1),
        }
        for name, text in texts.items():
            write_text_atomically(self.run / name, text)


@paddle.no_grad()
def paint_batch(trainer: Trainer, batch: Batch) -> np.ndarray:
    """Paint with the averaged generator: ``uint8`` [N, H, W, 3], 8 bits by rounding."""
    picture = trainer.average.average(trainer.semantics(batch)).numpy()
    return np.rint((picture.transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)


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


def _environment(config: Config) -> dict[str, Any]:
    return {
        "spade_paddle": spade_paddle.__version__,
        "paddle": paddle.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "device": paddle.device.get_device(),
        "seed": config.seed,
        "command": sys.argv,
    }
