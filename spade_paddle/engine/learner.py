"""The training state: networks, their averages, optimizers, progress."""

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
from spade_paddle.engine.schedule import fade_in, is_due, linear_decay
from spade_paddle.engine.steps import ExtraLoss, Losses, Networks, StepInput
from spade_paddle.engine.updates import Optimizers, Updater
from spade_paddle.losses.color import ColorBalance
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.weights import freeze


class Learner:
    """Builds networks and optimizers from a configuration, trains them, and manages their state.

    Attributes:
        networks: generator, discriminator and optionally encoder and perceptual loss; in training
            mode.
        statistics: recomputed batch norm statistics of the averaged generator, used instead of its
            own for painting and export. Empty: not recomputed.
        teachers: the teachers of a distillation.
        convolutions: which library computes the convolutions of a step.
        images_seen: number of training images so far.
        seconds: training time so far.

    Args:
        config: the configuration.
        num_labels: number of labels in the label set.
        workers: the processes that train together.
        networks: networks to use instead of those of the configuration; in training mode, with
            the same attributes, and with the same weights in every process.
        averaged: generator and encoder of the same structure, without spectral norm, for the
            averaged weights.
        optimizers: optimizers of generator (with encoder) and discriminator, over the parameters
            of ``networks``, to use instead of Adam; their rates follow the configuration.
        extra_losses: added to those of the networks.
        teacher: result of engine/teachers.py; None without a trained teacher.
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
        np.random.seed(config.seed)  # paddle samples some initial weights with NumPy
        self._config = config
        self._workers = workers
        self.networks = networks or Networks(
            generator=build_generator(config, num_labels=num_labels),
            encoder=build_encoder(config),
            discriminator=build_discriminator(config, num_labels=num_labels),
            perceptual=build_perceptual_loss(config.losses),
        )
        if self.networks.encoder is not None and not config.optimizer.train_encoder:
            freeze(self.networks.encoder)
        if config.losses.color_balance:
            self.networks.color_balance = self._color_balance(num_labels)
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
        self.convolutions.apply(self._first_order_networks())
        self._guard = BufferGuard(layer for _, layer in (*self.trained(), *self._losses()))
        self.start_averages()

    def start_averages(self) -> None:
        """Reset the averaged weights to the current weights."""
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
        """Train one step on this process's micro-batches; ``parts`` as in Updater.step.

        Returns:
            the losses of the step by name, and the learning rate ``lr``.

        Raises:
            NotFinite: the step was skipped, and running statistics were restored. Its images
                still count as seen, so that training continues after them.
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
        """Context with the averaged networks as exported: with the recomputed statistics."""
        averaged = self.averaged
        with statistics(averaged.generator, self.statistics):
            yield averaged

    def _r1_weight(self, images: int) -> float:
        """Return the R1 weight of a step, scaled up if R1 is not applied in every step."""
        options = self._config.regularization
        every = options.r1_every_images
        if not is_due(every, self.images_seen, self.images_seen + images):
            return 0.0
        return options.r1_gamma / 2 * max(every / images, 1.0)

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        parts = {name: part.state_dict() for name, part in self._stateful()}
        return {
            **parts,
            "statistics": self.statistics,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Restore a state of ``state``."""
        for name, part in self._stateful():
            if name in state or not isinstance(part, (LossScale, ColorBalance)):
                part.set_state_dict(state[name])  # older checkpoints may not have those two
        self.statistics = state.get("statistics", {})
        self.images_seen = state["images_seen"]
        self.seconds = state["seconds"]

    def _color_balance(self, num_labels: int) -> ColorBalance:
        workers = self._workers
        return ColorBalance(
            SemanticLayout.of(self._config, num_labels).channels,
            average=lambda values: workers.average([], values.flatten()).reshape(values.shape),
            num_processes=workers.size,
        )

    def _losses(self) -> Iterator[tuple[str, nn.Layer]]:
        """Yield the losses with a state, by their names in a checkpoint."""
        students = self.teachers if self._config.distillation.method == "omgd" else [self.networks]
        for networks in students:
            if networks.color_balance is not None:
                yield f"{networks.prefix}color_balance", networks.color_balance

    def _teachers(self, teacher: Networks | None, *, num_labels: int) -> list[Networks]:
        """Return the teachers of a distillation; add its losses and adapters to the networks."""
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
        """Yield the trained networks, by their names in a checkpoint."""
        yield from self.networks.trained()
        if self._config.distillation.method == "omgd":
            for teacher in self.teachers:
                yield f"{teacher.prefix}generator", teacher.generator
                if teacher.discriminator is not self.networks.discriminator:
                    yield f"{teacher.prefix}discriminator", teacher.discriminator

    def _first_order_networks(self) -> Iterator[nn.Layer]:
        """Yield the networks of a training step that need no second derivative."""
        for name, network in self.trained():
            if not (name.endswith("discriminator") and self._config.regularization.r1_gamma):
                yield network
        if self._config.distillation.method == "cat":
            yield from (network for teacher in self.teachers for _, network in teacher.trained())
        yield from self.networks.discriminator.feature_networks()
        if self.networks.perceptual is not None:
            yield self.networks.perceptual.network

    def _stateful(self) -> Iterator[tuple[str, Any]]:
        """Yield all objects with a state dict, by their names in a checkpoint."""
        yield from self.trained()
        yield from self._losses()
        for name, network in self.averaged.trained():
            yield "average" if name == "generator" else f"average_{name}", network
        yield from self._updater.stateful()
