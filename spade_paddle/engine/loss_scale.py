"""Loss scaling, so that small gradients survive float16 (Micikevicius et al., ICLR 2018).

Our own, because Paddle's cannot skip a step with NaN losses and cannot be tested on a CPU.
"""

from __future__ import annotations

from typing import Any

GROWS_AFTER = 2000  # consecutive steps without overflow


class LossScale:
    """Dynamic loss scale: halved after an overflow, doubled after ``GROWS_AFTER`` good steps.

    Args:
        enabled: if False, the scale stays 1.

    Attributes:
        factor: the factor to multiply the loss by, and to divide gradients by.
    """

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.factor = 2.0**16 if enabled else 1.0
        self._good_steps = 0

    def update(self, *, overflow: bool) -> None:
        """Adapt the scale after a step.

        Args:
            overflow: whether the gradients of the step were NaN or infinite.
        """
        self._good_steps = 0 if overflow else self._good_steps + 1
        if overflow:
            self.factor /= 2
        elif self._good_steps == GROWS_AFTER:
            self.factor *= 2
            self._good_steps = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the state; empty if disabled."""
        return {"factor": self.factor, "good_steps": self._good_steps} if self.enabled else {}

    def set_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state; ignored if disabled, or if the state is that of a disabled scale."""
        if self.enabled and state:
            self.factor, self._good_steps = state["factor"], state["good_steps"]
