"""Being asked to stop: by SIGTERM or Ctrl-C, at the next moment where nothing is half done."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType


class StopRequest:
    """Within it the first SIGTERM or Ctrl-C is noted; a second Ctrl-C raises KeyboardInterrupt.

    That also holds where Ctrl-C was ignored before, as it is in what a shell starts in the
    background.

    Attributes:
        signal: the number of the signal that asked, 15 for SIGTERM; 0: none did.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._at_once = False
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> StopRequest:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt where that of a second Ctrl-C was lost: an exception goes no
        further than Paddle where Paddle has called Python back."""
        if self._at_once:
            raise KeyboardInterrupt

    def ask(self, number: int) -> None:
        """Ask by another way than a signal; the first one counts."""
        self.signal = self.signal or number

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT == self.signal:
            self._at_once = True
            raise KeyboardInterrupt
        first = not self.signal  # Paddle's launcher sends SIGTERM three times in a row
        self.ask(number)
        if first:
            # not print: the signal may have come in the middle of another print
            os.write(2, b"\nstopping after this step (a second Ctrl-C: at once, unsaved)\n")
