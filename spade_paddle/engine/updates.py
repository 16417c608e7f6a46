"""One update of the generator and one of the discriminator: gradients, their checks, Adam."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import paddle
from paddle import nn

from spade_paddle.config import Config
from spade_paddle.engine.compute import on_gpu
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


class NotFinite(Exception):
    """A loss or a gradient was NaN or infinite; the update it belongs to was left out.

    Args:
        losses: by name, the norm of the gradient among them.
    """

    def __init__(self, losses: Losses) -> None:
        super().__init__(
            ", ".join(name for name, value in losses.items() if not np.isfinite(value))
        )
        self.losses = losses


class Updater:
    """Moves the weights: Adam for the generator with the encoder, Adam for the discriminator.

    Args:
        networks: in training mode.
        optimizers: other ones in Adam's place, the generator's and the discriminator's.
    """

    def __init__(
        self,
        networks: Networks,
        config: Config,
        *,
        workers: Workers,
        optimizers: Optimizers | None = None,
    ) -> None:
        self._networks = networks
        self._config = config
        self._workers = workers
        options = config.optimizer
        self.optimizers = optimizers or [
            paddle.optimizer.Adam(
                learning_rate=rate, beta1=options.beta1, beta2=options.beta2, parameters=parameters
            )
            for rate, parameters in (
                (options.generator_lr, networks.generator_parameters()),
                (options.discriminator_lr, networks.discriminator.parameters()),
            )
        ]
        # loss scaling does nothing without half precision, which only a GPU has
        self._half = config.compute.amp and on_gpu()
        self.scalers = [paddle.amp.GradScaler(enable=self._half) for _ in self.optimizers]

    def parts(self) -> Iterator[tuple[str, paddle.optimizer.Optimizer | paddle.amp.GradScaler]]:
        """Everything with a state of its own, by its name in a checkpoint."""
        yield from zip(("optimizer_g", "optimizer_d"), self.optimizers)
        if self._half:
            yield from zip(("scaler_g", "scaler_d"), self.scalers)

    def set_rates(self, factor: float) -> None:
        """Set the learning rates to this share of the configuration's."""
        options = self._config.optimizer
        for optimizer, rate in zip(
            self.optimizers, (options.generator_lr, options.discriminator_lr)
        ):
            optimizer.set_lr(rate * factor)

    def step(self, parts: Sequence[StepInput], *, r1_weight: float = 0.0) -> Losses:
        """Update the generator (and the encoder), then the discriminator, on the same pictures.

        Args:
            parts: this process's pictures; the gradients of several parts of equal size are
                averaged, as if it were one batch (but for batch norm, which sees the parts).
            r1_weight: what the R1 penalty counts in this step; 0: it is not computed.

        Returns:
            every part of the two losses by name, ``g_grad_norm`` and ``d_grad_norm`` (before
            clipping) and ``d_accuracy``; means over the parts and over all processes.

        Raises:
            NotFinite: the update of the generator, and with it that of the discriminator, or the
                latter alone was left out. The forward passes have changed running statistics.
        """
        networks, weights = self._networks, self._config.losses
        copies = self._workers.size * len(parts)
        collected, fakes = [], []
        _require_gradients(networks.discriminator, False)
        for part in parts:
            with self._precision():
                loss, values, fake_photo = generator_losses(networks, part, weights, copies=copies)
            self._backward(0, loss, parts=len(parts))
            collected.append(values)
            fakes.append(fake_photo.detach())
        _require_gradients(networks.discriminator, True)
        losses = self._apply(0, networks.generator_parameters(), collected, name="g_grad_norm")

        collected = []
        for part, fake_photo in zip(parts, fakes):
            if self._config.regenerate_fake:
                with paddle.no_grad(), self._precision():
                    fake_photo, _ = paint(networks, part)
            with self._precision():
                loss, values = discriminator_losses(
                    networks, part, fake_photo, weights, r1_weight=r1_weight
                )
            self._backward(1, loss, parts=len(parts))
            collected.append(values)
        parameters = networks.discriminator.parameters()
        return {**losses, **self._apply(1, parameters, collected, name="d_grad_norm")}

    def _precision(self) -> AbstractContextManager:
        return paddle.amp.auto_cast(enable=self._half, level="O1")

    def _backward(self, index: int, loss: paddle.Tensor, *, parts: int) -> None:
        self.scalers[index].scale(loss if parts == 1 else loss / parts).backward()

    def _apply(
        self,
        index: int,
        parameters: Sequence[paddle.Tensor],
        collected: Sequence[Losses],
        *,
        name: str,
    ) -> Losses:
        """Exchange, check and clip the gradients of one network, and move its weights."""
        optimizer, scaler = self.optimizers[index], self.scalers[index]
        gradients = [p.grad for p in parameters if p.grad is not None]
        parts = [paddle.stack([v.detach().cast("float32") for v in c.values()]) for c in collected]
        values = self._workers.average(gradients, sum(parts[1:], parts[0]) / len(parts))
        scaler.unscale_(optimizer)
        norm = _norm(gradients)
        losses = {**dict(zip(collected[0], values.tolist())), name: norm}
        # with loss scaling an infinite gradient is ordinary: the scaler leaves the update out and
        # scales less next time
        unusual = list(losses.values())[: -1 if self._half else None]
        if not np.isfinite(unusual).all():
            optimizer.clear_grad(set_to_zero=False)
            raise NotFinite(losses)
        limit = self._config.optimizer.gradient_clip
        if limit is not None and norm > limit:
            for gradient in gradients:
                gradient.set_value(gradient * (limit / norm))
        scaler.step(optimizer)
        scaler.update()
        optimizer.clear_grad(set_to_zero=False)
        return losses


def _norm(gradients: Sequence[paddle.Tensor]) -> float:
    """Euclidean norm of all gradients together."""
    flat = [gradient.flatten() for gradient in gradients]
    # a dot product reads each once; squaring and summing takes nearly twenty times as long on a CPU
    return float(paddle.stack([paddle.dot(values, values) for values in flat]).sum().sqrt())


def _require_gradients(network: nn.Layer, required: bool) -> None:
    """Spare the gradients of weights that a step does not update."""
    for parameter in network.parameters():
        parameter.stop_gradient = not required
