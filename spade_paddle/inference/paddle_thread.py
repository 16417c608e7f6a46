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

from spade_paddle.engine.cpu import limit_spinning

Result = TypeVar("Result")

_local = threading.local()
_executor: ThreadPoolExecutor


def submit(work: Callable[[], Result]) -> Future[Result]:
    """Queue ``work`` for the Paddle thread without waiting for it."""
    return _executor.submit(work)


def in_paddle_thread(work: Callable[[], Result]) -> Result:
    """Run ``work`` in the Paddle thread, after the work queued earlier, and return its result.

    Called from the Paddle thread itself, it runs immediately.
    """
    return work() if hasattr(_local, "is_paddle_thread") else submit(work).result()


def _begin() -> None:
    import paddle  # here, because it takes seconds and not every process paints

    paddle.disable_static()
    limit_spinning()
    _local.is_paddle_thread = True


def _create() -> None:
    """Create the executor, which starts its thread on first use. A forked process needs its own,
    because threads do not survive a fork."""
    global _executor
    _executor = ThreadPoolExecutor(1, thread_name_prefix="paddle", initializer=_begin)


_create()
if hasattr(os, "register_at_fork"):  # missing on Windows, which has no fork
    os.register_at_fork(after_in_child=_create)
