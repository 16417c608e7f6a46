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
    """Within it the first SIGTERM or Ctrl-C is noted; a second Ctrl-C raises KeyboardInterrupt.

    That also holds where Ctrl-C was ignored before, as it is in what a shell starts in the
    background.

    Args:
        workers: the processes that train together.

    Attributes:
        signal: the number of the signal that asked, 15 for SIGTERM; 0: none did.
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

    def asked(self) -> bool:
        """Whether this process has been asked to stop, if only by the death of its launcher.

        Raises:
            KeyboardInterrupt: where that of a second Ctrl-C was lost: an exception goes no further
                than Paddle where Paddle has called Python back.
        """
        if self._at_once:
            raise KeyboardInterrupt
        if self._workers.orphaned:
            self.signal = self.signal or signal.SIGTERM
        return self.signal != 0

    def agreed(self) -> bool:
        """Whether any process has been asked; every one must call it, and gets the same answer."""
        return self._workers.any(self.asked())

    def together(self, do: Callable[[], Result]) -> Result:
        """What ``do`` gives; every process must call it.

        Raises:
            UserError: of ``do``, in this process.
            RunError: it has failed in another one.
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
            # not print: the signal may have come in the middle of another print
            os.write(2, b"\nstopping after this step (a second Ctrl-C: at once, unsaved)\n")
