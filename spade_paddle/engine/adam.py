"""Adam; on a GPU it updates all weights in one call."""

from __future__ import annotations

import paddle

from spade_paddle.engine.compute import on_gpu


class Adam(paddle.optimizer.Adam):
    """Paddle's Adam; on a GPU with ``use_multi_tensor``: one call for all weights.

    State dicts with and without it are interchangeable. On a CPU it brings no gain, and results
    would differ by rounding, so it is not used. Paddle caches the list of weights at the first step
    and would pair them with the wrong gradients if the set of weights with a gradient changes; from
    such a step on, each weight is updated separately.

    The class must be named ``Adam``: Paddle checks the name.
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
        self._updated: list[int] | None = None  # ids of the weights updated in the first step

    def step(self) -> None:
        """Update the weights that have a gradient."""
        updated = [id(p) for p in self._parameter_list if p.grad is not None]
        self._updated = self._updated or updated
        if updated != self._updated:
            self._use_multi_tensor = False
        super().step()
