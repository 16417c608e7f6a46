"""The one thread of a process in which Paddle computes.

When two predictors of Paddle 3.2.2 are called in turn from changing threads, as in a server, they
occasionally fail with "std::exception". Also, whether Paddle runs eagerly or builds static graphs
is a state of each thread. A new thread inherits it from its parent, where PaddleHub may have
changed it; in this thread Paddle always runs eagerly.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_here = threading.local()
_thread: ThreadPoolExecutor


def submit(work: Callable[[], Result]) -> Future[Result]:
    """Have ``work`` done in that thread after what others have given it; does not wait."""
    return _thread.submit(work)


def in_paddle_thread(work: Callable[[], Result]) -> Result:
    """Do ``work`` in that thread, after what others have given it, and wait for its result.

    Within work of that thread it is done at once.
    """
    return work() if hasattr(_here, "is_paddle_thread") else submit(work).result()


def _begin() -> None:
    import paddle  # takes seconds, and many who import this module never paint

    paddle.disable_static()
    _here.is_paddle_thread = True


def _create() -> None:
    """Start when something is to be done; a forked process gets its own, for threads do not
    survive the fork."""
    global _thread
    _thread = ThreadPoolExecutor(1, thread_name_prefix="paddle", initializer=_begin)


_create()
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_create)
