"""The update of one set of weights: gradients added up, exchanged, checked, clipped and applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.engine.compute import on_gpu
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.steps import Losses


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


class Descent:
    """Moves some weights against their gradients, by Adam.

    Args:
        parameters: the weights; each counts once, however often it is given.
        rate: the learning rate of the configuration.
        optimizer: another one in Adam's place.
    """

    def __init__(
        self,
        parameters: Sequence[paddle.Tensor],
        config: Config,
        *,
        rate: float,
        workers: Workers,
        optimizer: paddle.optimizer.Optimizer | None = None,
    ) -> None:
        options = config.optimizer
        self.parameters = list({id(parameter): parameter for parameter in parameters}.values())
        self._optimizer = optimizer or paddle.optimizer.Adam(
            learning_rate=rate,
            beta1=options.beta1,
            beta2=options.beta2,
            parameters=self.parameters,
        )
        self._rate = rate
        self._limit = options.gradient_clip
        self._workers = workers
        self._half = half_precision(config)
        self._scaler = paddle.amp.GradScaler(enable=self._half)

    def parts(self, name: str) -> Iterator[tuple[str, Any]]:
        """Everything with a state of its own, by its name in a checkpoint."""
        yield f"optimizer_{name}", self._optimizer
        if self._half:
            yield f"scaler_{name}", self._scaler

    def set_rate(self, factor: float) -> None:
        """Set the learning rate to this share of the configuration's."""
        self._optimizer.set_lr(self._rate * factor)

    def backward(self, loss: paddle.Tensor, *, parts: int) -> None:
        """Add the gradient of a loss, one of so many parts of a step whose mean counts."""
        self._scaler.scale(loss if parts == 1 else loss / parts).backward()

    def apply(self, collected: Sequence[Losses], *, norm_name: str) -> Losses:
        """Exchange, check and clip the gradients, move the weights, and forget the gradients.

        Args:
            collected: the losses of every part by name, of the same names.
            norm_name: that of the gradient's norm among the losses.

        Returns:
            the losses, means over the parts and over all processes, and the norm before clipping.

        Raises:
            NotFinite: nothing was moved.
        """
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        parts = [paddle.stack([v.detach().cast("float32") for v in c.values()]) for c in collected]
        values = self._workers.average(gradients, sum(parts[1:], parts[0]) / len(parts))
        self._scaler.unscale_(self._optimizer)
        norm = _norm(gradients)
        losses = {**dict(zip(collected[0], values.tolist())), norm_name: norm}
        # with loss scaling an infinite gradient is ordinary: the scaler leaves the update out and
        # scales less next time
        unusual = list(losses.values())[: -1 if self._half else None]
        if not np.isfinite(unusual).all():
            self._optimizer.clear_grad(set_to_zero=False)
            raise NotFinite(losses)
        if self._limit is not None and norm > self._limit:
            for gradient in gradients:
                gradient.set_value(gradient * (self._limit / norm))
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.clear_grad(set_to_zero=False)
        return losses


def half_precision(config: Config) -> bool:
    """Whether steps are computed in half precision, which only a GPU has."""
    return config.compute.amp and on_gpu()


def _norm(gradients: Sequence[paddle.Tensor]) -> float:
    """Euclidean norm of all gradients together."""
    flat = [gradient.flatten() for gradient in gradients]
    # a dot product reads each once; squaring and summing takes nearly twenty times as long on a CPU
    return float(paddle.stack([paddle.dot(values, values) for values in flat]).sum().sqrt())
