"""One update of the generator and one of the discriminator, on the same pictures."""

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
    """Moves the weights: Adam for the generator with the encoder, Adam for the discriminator.

    Args:
        trained: networks in training mode; several, whose losses are summed, may share some of
            their layers (the two teachers of OMGD).
        optimizers: other ones in Adam's place, the generator's and the discriminator's.
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
        self._copies = workers.size
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

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Everything with a state of its own, by its name in a checkpoint."""
        yield from self.generator.parts("g")
        yield from self.discriminator.parts("d")

    def set_rates(self, factor: float) -> None:
        """Set the learning rates to this share of the configuration's."""
        self.generator.set_rate(factor)
        self.discriminator.set_rate(factor)

    def step(
        self, parts: Sequence[StepInput], *, images_seen: int = 0, r1_weight: float = 0.0
    ) -> Losses:
        """Update the generator (and the encoder), then the discriminator, on the same pictures.

        Args:
            parts: this process's pictures; the gradients of several parts of equal size are
                averaged, as if it were one batch (but for batch norm, which sees the parts).
            images_seen: before the step; here it does not matter.
            r1_weight: what the R1 penalty counts in this step; 0: it is not computed.

        Returns:
            every part of the two losses by name, ``g_grad_norm`` and ``d_grad_norm`` (before
            clipping) and ``d_accuracy``; means over the parts and over all processes.

        Raises:
            NotFinite: the update of the generator, and with it that of the discriminator, or the
                latter alone was left out. The forward passes have changed running statistics.
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
        """Add the generators' gradients; what they painted goes to ``fakes``."""
        losses, painted = {}, []
        for networks in self._trained:
            with precision(self._config):
                loss, values, fake_photo = generator_losses(
                    networks, part, self._config.losses, copies=self._copies * parts
                )
            self.generator.backward(loss, parts=parts)
            losses.update(networks.named(values))
            painted.append(fake_photo.detach())
        fakes.append(painted)
        return losses

    def _judge_part(
        self, part: StepInput, painted: Sequence[paddle.Tensor], *, parts: int, r1_weight: float
    ) -> Losses:
        """Add the discriminators' gradients."""
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
        """Spare the gradients of weights that a step does not update."""
        for parameter in self.discriminator.parameters:
            parameter.stop_gradient = not required


def precision(config: Config) -> AbstractContextManager:
    """Within it half precision is used where it is safe, if the configuration wants it."""
    half = half_precision(config)
    return paddle.amp.auto_cast(enable=half is not None, level="O1", dtype=half or "float16")
