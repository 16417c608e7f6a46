"""Stops a run on SIGTERM or Ctrl-C, or because another process has failed.

All processes agree to stop at the same step, between two updates.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Callable, TypeVar

from spade_paddle.engine.distributed import Workers
from spade_paddle.errors import RunError, UserError

Result = TypeVar("Result")


class Stopping:
    """Context that records the first SIGTERM or Ctrl-C; a second Ctrl-C raises KeyboardInterrupt.

    This also works in processes that ignored Ctrl-C before, such as background jobs of a shell.

    Args:
        workers: the processes that train together.

    Attributes:
        signal: the number of the signal received, 15 for SIGTERM; 0: none.
    """

    def __init__(self, workers: Workers) -> None:
        self.signal = 0
        self._workers = workers
        self._at_once = False
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Stopping:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        """Whether this process was asked to stop, by a signal or because its launcher is gone.

        Raises:
            KeyboardInterrupt: after a second Ctrl-C, in case the exception raised by the signal
                handler was swallowed: it does not propagate through Paddle's callbacks.
        """
        if self._at_once:
            raise KeyboardInterrupt
        if self._workers.orphaned:
            self.signal = self.signal or signal.SIGTERM
        return self.signal != 0

    def agreed(self) -> bool:
        """Whether any process was asked to stop; a collective call with the same result for all."""
        return self._workers.any(self.requested())

    def together(self, do: Callable[[], Result]) -> Result:
        """Return the result of ``do``, if it succeeds in all processes; a collective call.

        Raises:
            UserError: raised by ``do`` in this process.
            RunError: ``do`` failed in another process.
        """
        result, problem = None, None
        try:
            result = do()
        except UserError as error:
            problem = error
        if self._workers.any(problem is not None):
            raise problem or RunError(
                "another process has stopped; its log says why", code="peer_failed"
            )
        return result

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT == self.signal:
            self._at_once = True
            raise KeyboardInterrupt
        if not self.signal:  # Paddle's launcher sends SIGTERM three times in a row
            self.signal = number
            # not print, which is not reentrant: the signal may interrupt another print
            os.write(2, b"\nstopping after this step (Ctrl-C again: immediately, without saving)\n")
