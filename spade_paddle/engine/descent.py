"""One optimizer step: gradients are accumulated, all-reduced, checked, clipped and applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.engine.adam import Adam
from spade_paddle.engine.compute import on_gpu
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.loss_scale import LossScale
from spade_paddle.engine.steps import Losses


class NotFinite(Exception):
    """A loss or a gradient was NaN or infinite, and its update was skipped.

    Args:
        losses: losses by name, and the norm of the gradient.
    """

    def __init__(self, losses: Losses) -> None:
        super().__init__(
            ", ".join(name for name, value in losses.items() if not np.isfinite(value))
        )
        self.losses = losses


class Descent:
    """Gradient descent on some parameters with Adam: clipping, loss scaling and data parallelism.

    Args:
        parameters: the weights; duplicates are ignored.
        rate: the base learning rate.
        optimizer: the optimizer to use instead of Adam.
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
        self._optimizer = optimizer or Adam(
            rate, beta1=options.beta1, beta2=options.beta2, parameters=self.parameters
        )
        self._rate = rate
        self._limit = options.gradient_clip
        self._workers = workers
        # bfloat16 has the range of float32 and needs no loss scaling
        self._scale = LossScale(enabled=half_precision(config) == "float16")

    def stateful(self, name: str) -> Iterator[tuple[str, Any]]:
        """Yield all objects with a state dict, by their names in a checkpoint."""
        yield f"optimizer_{name}", self._optimizer
        yield f"scale_{name}", self._scale

    def set_rate(self, factor: float) -> None:
        """Set the learning rate to ``factor`` times the base learning rate."""
        self._optimizer.set_lr(self._rate * factor)

    def backward(self, loss: paddle.Tensor, *, parts: int) -> None:
        """Accumulate the gradient of the loss of one micro-batch, one of ``parts`` in a step."""
        factor = self._scale.factor / parts
        (loss if factor == 1 else loss * factor).backward()

    def apply(self, collected: Sequence[Losses], *, norm_name: str) -> Losses:
        """All-reduce, check and clip the gradients, update the weights, and clear the gradients.

        Args:
            collected: the losses of every micro-batch by name, all with the same names.
            norm_name: the name of the gradient norm in the result.

        Returns:
            the losses, averaged over micro-batches and processes, and the gradient norm before
            clipping.

        Raises:
            NotFinite: a loss or gradient is NaN or infinite; no weight was changed.
        """
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        parts = [paddle.stack([v.detach().cast("float32") for v in c.values()]) for c in collected]
        values = self._workers.average(gradients, sum(parts[1:], parts[0]) / len(parts))
        losses = dict(zip(collected[0], values.tolist()))
        if self._scale.enabled:
            for gradient in gradients:
                gradient.set_value(gradient / self._scale.factor)
        has_losses = np.isfinite(list(losses.values())).all()
        losses[norm_name] = norm = _norm(gradients)
        has_gradient = has_losses and np.isfinite(norm)
        # expected with loss scaling: skip the update and reduce the scale
        overflow = self._scale.enabled and has_losses and not has_gradient
        if has_gradient:
            if self._limit is not None and norm > self._limit:
                for gradient in gradients:
                    gradient.set_value(gradient * (self._limit / norm))
            self._optimizer.step()
        self._optimizer.clear_grad(set_to_zero=False)
        if not (has_gradient or overflow):
            raise NotFinite(losses)
        self._scale.update(overflow=overflow)
        return losses


def half_precision(config: Config) -> str | None:
    """Return the half-precision type of training steps, ``float16`` or ``bfloat16``; None: float32,
    as always on a CPU."""
    return (config.compute.amp or None) if on_gpu() else None


def _norm(gradients: Sequence[paddle.Tensor]) -> float:
    """Return the global L2 norm of all gradients."""
    flat = [gradient.flatten() for gradient in gradients]
    # on a CPU a dot product is nearly twenty times as fast as squaring and summing
    return float(paddle.stack([paddle.dot(values, values) for values in flat]).sum().sqrt())
