"""A training step: one update of the generator and one of the discriminator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import paddle

from spade_paddle.config import Config
from spade_paddle.engine.descent import Descent, half_precision
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.steps import (
    Losses,
    Networks,
    StepInput,
    discriminator_losses,
    generator_losses,
    paint,
)

Optimizers = tuple[paddle.optimizer.Optimizer, paddle.optimizer.Optimizer]


class Updater:
    """Updates the weights: one Adam for generator and encoder, one for the discriminator.

    Args:
        trained: networks in training mode. Losses of several are summed, and they may share layers
            (the two teachers of OMGD).
        config: the configuration.
        workers: the processes that train together.
        optimizers: optimizers of generator and discriminator to use instead of Adam.
    """

    def __init__(
        self,
        trained: Sequence[Networks],
        config: Config,
        *,
        workers: Workers,
        optimizers: Optimizers | None = None,
    ) -> None:
        self._trained = trained
        self._config = config
        self._num_processes = workers.size
        first, second = optimizers or (None, None)
        rates = config.optimizer
        self.generator = Descent(
            [p for networks in trained for p in networks.generator_parameters()],
            config,
            rate=rates.generator_lr,
            workers=workers,
            optimizer=first,
        )
        self.discriminator = Descent(
            [p for networks in trained for p in networks.discriminator.parameters()],
            config,
            rate=rates.discriminator_lr,
            workers=workers,
            optimizer=second,
        )

    def stateful(self) -> Iterator[tuple[str, Any]]:
        """Yield all objects with a state dict, by their names in a checkpoint."""
        yield from self.generator.stateful("g")
        yield from self.discriminator.stateful("d")

    def set_rates(self, factor: float) -> None:
        """Set the learning rates to ``factor`` times those of the configuration."""
        self.generator.set_rate(factor)
        self.discriminator.set_rate(factor)

    def step(
        self, parts: Sequence[StepInput], *, images_seen: int = 0, r1_weight: float = 0.0
    ) -> Losses:
        """Update the generator (and encoder), then the discriminator, on the same pictures.

        Args:
            parts: this process's micro-batches, of equal size. Their gradients are averaged, which
                is equivalent to one batch except for batch norm statistics.
            images_seen: images seen before the step; not used here (see OnlineUpdater).
            r1_weight: weight of the R1 penalty in this step; 0: not computed.

        Returns:
            all terms of the two losses by name, ``g_grad_norm`` and ``d_grad_norm`` (before
            clipping) and ``d_accuracy``; averaged over micro-batches and processes.

        Raises:
            NotFinite: the update of the discriminator, or of both networks, was skipped. The
                forward passes have changed running statistics.
        """
        fakes: list[list[paddle.Tensor]] = []
        self._require_gradients(False)
        collected = [self._paint_part(part, fakes, parts=len(parts)) for part in parts]
        self._require_gradients(True)
        losses = self.generator.apply(collected, norm_name="g_grad_norm")
        collected = [
            self._judge_part(part, painted, parts=len(parts), r1_weight=r1_weight)
            for part, painted in zip(parts, fakes)
        ]
        return {**losses, **self.discriminator.apply(collected, norm_name="d_grad_norm")}

    def _paint_part(
        self, part: StepInput, fakes: list[list[paddle.Tensor]], *, parts: int
    ) -> Losses:
        """Accumulate the generators' gradients; append the generated pictures to ``fakes``."""
        losses, painted = {}, []
        for networks in self._trained:
            with precision(self._config):
                loss, values, fake_photo = generator_losses(
                    networks, part, self._config.losses, num_batches=self._num_processes * parts
                )
            self.generator.backward(loss, parts=parts)
            losses.update(networks.named(values))
            painted.append(fake_photo.detach())
        fakes.append(painted)
        return losses

    def _judge_part(
        self, part: StepInput, painted: Sequence[paddle.Tensor], *, parts: int, r1_weight: float
    ) -> Losses:
        """Accumulate the discriminators' gradients."""
        losses = {}
        for networks, fake_photo in zip(self._trained, painted):
            if self._config.regenerate_fake:
                with paddle.no_grad(), precision(self._config):
                    fake_photo, _ = paint(networks, part)
            with precision(self._config):
                loss, values = discriminator_losses(
                    networks, part, fake_photo, self._config.losses, r1_weight=r1_weight
                )
            self.discriminator.backward(loss, parts=parts)
            losses.update(networks.named(values))
        return losses

    def _require_gradients(self, required: bool) -> None:
        """Enable or disable gradients of the discriminators' weights."""
        for parameter in self.discriminator.parameters:
            parameter.stop_gradient = not required


def precision(config: Config) -> AbstractContextManager:
    """Context with automatic mixed precision (level O1), if the configuration enables it."""
    half = half_precision(config)
    return paddle.amp.auto_cast(enable=half is not None, level="O1", dtype=half or "float16")
