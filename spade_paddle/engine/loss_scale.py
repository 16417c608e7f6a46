"""Loss scaling, so that small gradients survive float16 (Micikevicius et al., ICLR 2018).

Our own, because Paddle's cannot skip a step with NaN losses and cannot be tested on a CPU.
"""

from __future__ import annotations

from typing import Any

GROWS_AFTER = 2000  # steps in a row without overflow


class LossScale:
    """The factor of the loss: halved after an overflow, doubled after ``GROWS_AFTER`` good steps.

    Attributes:
        factor: what a loss is multiplied by, and gradients divided by.
    """

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.factor = 2.0**16 if enabled else 1.0
        self._good_steps = 0

    def update(self, *, overflow: bool) -> None:
        """After a step: an overflow made its gradients infinite or NaN."""
        self._good_steps = 0 if overflow else self._good_steps + 1
        if overflow:
            self.factor /= 2
        elif self._good_steps == GROWS_AFTER:
            self.factor *= 2
            self._good_steps = 0

    def state_dict(self) -> dict[str, Any]:
        """What ``set_state_dict`` takes."""
        return {"factor": self.factor, "good_steps": self._good_steps} if self.enabled else {}

    def set_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave; nothing of a run in another precision."""
        if self.enabled and state:
            self.factor, self._good_steps = state["factor"], state["good_steps"]
