"""Everything that training changes: networks, their averages, optimizers, progress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle
from paddle import nn

from spade_paddle.config import Config
from spade_paddle.engine.cat import FeatureDistillation
from spade_paddle.engine.compute import search_convolutions
from spade_paddle.engine.convolutions import Convolutions
from spade_paddle.engine.descent import NotFinite
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.feature_networks import build_perceptual_loss
from spade_paddle.engine.loss_scale import LossScale
from spade_paddle.engine.nan_guard import BufferGuard
from spade_paddle.engine.omgd import OnlineUpdater, teachers_of
from spade_paddle.engine.recalibrate import Statistics, statistics
from spade_paddle.engine.schedule import fade_in, linear_decay, passed
from spade_paddle.engine.steps import ExtraLoss, Losses, Networks, StepInput
from spade_paddle.engine.updates import Optimizers, Updater
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator


class Learner:
    """Builds what learns from a configuration, moves it, and gives and takes its state.

    Attributes:
        networks: generator, discriminator, maybe encoder and perceptual loss; in training mode.
        statistics: batch-norm statistics of the averaged generator that were measured anew; what
            is painted or exported uses them in place of its own. Empty: none were.
        teachers: what the generator learns from beside photos, or instead of them.
        convolutions: which library computes the convolutions of a step.
        images_seen: pictures learned from.
        seconds: how long that took.

    Args:
        workers: the processes that learn together.
        networks: in place of the configuration's; in training mode, each with the attributes of
            ours, and with the same weights in every process.
        averaged: generator and encoder like those, without spectral norm, to hold their averages.
        optimizers: the generator's (with the encoder's) and the discriminator's, over the
            parameters of ``networks``, in Adam's place; their rates follow the configuration.
        extra_losses: added to those that the networks have.
        teacher: what is read of ``distillation.teacher`` (engine/teachers.py); None without.
    """

    def __init__(
        self,
        config: Config,
        *,
        num_labels: int,
        workers: Workers,
        networks: Networks | None = None,
        averaged: Networks | None = None,
        optimizers: Optimizers | None = None,
        extra_losses: Sequence[ExtraLoss] = (),
        teacher: Networks | None = None,
    ) -> None:
        search_convolutions()
        paddle.seed(config.seed)
        np.random.seed(config.seed)  # paddle draws some initial weights from NumPy's state
        self._config = config
        self._workers = workers
        self.networks = networks or Networks(
            generator=build_generator(config, num_labels=num_labels),
            encoder=build_encoder(config),
            discriminator=build_discriminator(config, num_labels=num_labels),
            perceptual=build_perceptual_loss(config.losses),
        )
        self.networks.extra_losses = [*self.networks.extra_losses, *extra_losses]
        self.teachers = self._teachers(teacher, num_labels=num_labels)
        self._averaged = averaged or Networks(
            generator=build_generator(config, num_labels=num_labels, spectral_norm=False),
            encoder=build_encoder(config, spectral_norm=False),
        )
        self.statistics: Statistics = {}
        self.images_seen = 0
        self.seconds = 0.0
        self._updater = (
            OnlineUpdater(self.networks, self.teachers, config, workers=workers)
            if config.distillation.method == "omgd"
            else Updater([self.networks], config, workers=workers, optimizers=optimizers)
        )
        self.convolutions = Convolutions.choose(config)
        self.convolutions.apply(self._convolving())
        self._guard = BufferGuard(network for _, network in self.trained())
        self.start_averages()

    def start_averages(self) -> None:
        """Let the averages begin with the networks' weights of now."""
        self._averages = [
            WeightAverage(
                getattr(self.networks, name),
                average,
                halflife_images=self._config.ema_halflife_images,
                halflife_share=self._config.ema_halflife_share,
            )
            for name, average in self._averaged.trained()
        ]

    @property
    def averaged(self) -> Networks:
        """The averaged generator and encoder, without spectral norm; in evaluation mode."""
        for average in self._averages:
            average.catch_up()
        return self._averaged

    def learn(self, parts: Sequence[StepInput]) -> Losses:
        """One step on this process's pictures; ``parts`` as in Updater.step.

        Raises:
            NotFinite: the step was left out; running statistics are as they were before it. It
                counts as seen all the same, so that training goes past it.
        """
        options = self._config.optimizer
        images = sum(part.photo.shape[0] for part in parts) * self._workers.size
        rate = linear_decay(
            self.images_seen,
            start=options.decay_start_images,
            end=options.decay_end_images or self._config.total_images,
            floor=options.decay_floor,
        )
        self._updater.set_rates(rate)
        fade = fade_in(self.images_seen, over=self._config.fade_in_images)
        self.networks.generator.fade = self._averaged.generator.fade = fade
        self._guard.remember()
        try:
            losses = self._updater.step(
                parts, images_seen=self.images_seen, r1_weight=self._r1_weight(images)
            )
        except NotFinite:
            self._guard.restore()
            raise
        finally:
            self.images_seen += images
        for average in self._averages:
            average.update(images, images_seen=self.images_seen)
        return {**losses, "lr": options.generator_lr * rate}

    @contextmanager
    def exported(self) -> Iterator[Networks]:
        """The averaged networks as they are exported: with the statistics measured anew."""
        averaged = self.averaged
        with statistics(averaged.generator, self.statistics):
            yield averaged

    def _r1_weight(self, images: int) -> float:
        """What R1 counts in a step of so many images: the more, the more rarely it is counted."""
        options = self._config.regularization
        every = options.r1_every_images
        if not passed(every, self.images_seen, self.images_seen + images):
            return 0.0
        return options.r1_gamma / 2 * max(every / images, 1.0)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        parts = {name: part.state_dict() for name, part in self._parts()}
        return {
            **parts,
            "statistics": self.statistics,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave."""
        for name, part in self._parts():
            # a checkpoint of before loss scaling has none
            part.set_state_dict(state.get(name, {}) if isinstance(part, LossScale) else state[name])
        self.statistics = state.get("statistics", {})
        self.images_seen = state["images_seen"]
        self.seconds = state["seconds"]

    def _teachers(self, teacher: Networks | None, *, num_labels: int) -> list[Networks]:
        """The teachers of a distillation; what it adds to the networks is added to them."""
        config = self._config
        if config.distillation.method == "omgd":
            wider = None if teacher is None else teacher.generator
            return teachers_of(config, self.networks, num_labels=num_labels, wider=wider)
        if teacher is None:
            return []
        distillation = FeatureDistillation(
            self.networks, teacher, config.distillation, workers=self._workers
        )
        self.networks.adapters = distillation.adapters
        self.networks.extra_losses = [*self.networks.extra_losses, distillation]
        return [teacher]

    def trained(self) -> Iterator[tuple[str, nn.Layer]]:
        """The networks that learn, by their names in a checkpoint."""
        yield from self.networks.trained()
        if self._config.distillation.method == "omgd":
            for teacher in self.teachers:
                yield f"{teacher.prefix}generator", teacher.generator
                if teacher.discriminator is not self.networks.discriminator:
                    yield f"{teacher.prefix}discriminator", teacher.discriminator

    def _convolving(self) -> Iterator[nn.Layer]:
        """The networks of a training step that need no second derivative."""
        for name, network in self.trained():
            if not (name.endswith("discriminator") and self._config.regularization.r1_gamma):
                yield network
        if self._config.distillation.method == "cat":
            yield from (network for teacher in self.teachers for _, network in teacher.trained())
        yield from self.networks.discriminator.feature_networks()
        if self.networks.perceptual is not None:
            yield self.networks.perceptual.network

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """Everything with a state of its own, by its name in a checkpoint."""
        yield from self.trained()
        for name, network in self.averaged.trained():
            yield "average" if name == "generator" else f"average_{name}", network
        yield from self._updater.parts()
