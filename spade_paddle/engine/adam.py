"""Adam; on a GPU it updates all weights in one call."""

from __future__ import annotations

import paddle

from spade_paddle.engine.compute import on_gpu


class Adam(paddle.optimizer.Adam):
    """Paddle's Adam; on a GPU with ``use_multi_tensor``, one call for all weights instead of one
    for each.

    Its states have the same names and take each other's. On a CPU the results differ by rounding,
    and nothing is gained: it is not used there. Paddle keeps the list of weights of the first step
    and would pair them with other gradients once a weight has none, or has its first: from such a
    step on each weight is moved alone.

    The class must have this name: Paddle looks for it.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        parameters: list[paddle.Tensor],
        multi_tensor: bool | None = None,
        **options: float,
    ) -> None:
        multi_tensor = on_gpu() if multi_tensor is None else multi_tensor
        super().__init__(
            learning_rate, parameters=parameters, use_multi_tensor=multi_tensor, **options
        )
        self._moved: list[int] | None = None

    def step(self) -> None:
        """Move the weights that have a gradient."""
        moving = [id(p) for p in self._parameter_list if p.grad is not None]
        self._moved = self._moved or moving
        if moving != self._moved:
            self._use_multi_tensor = False
        super().step()
