"""The one thread of a process in which Paddle computes.

Two predictors of Paddle 3.2.2 that are called in turn from changing threads, as a server does, fail
now and then with "std::exception". And whether Paddle runs eagerly or builds static graphs is a
state of each thread, which a new one takes from its parent, where PaddleHub may have changed it; in
this one Paddle always runs eagerly.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import paddle

Result = TypeVar("Result")


def in_paddle_thread(work: Callable[[], Result]) -> Result:
    """Do ``work`` in that thread, after what others have given it, and wait for its result.

    Never call it from within ``work``: it would wait for itself.
    """
    return _thread_of(os.getpid()).submit(work).result()


@functools.cache
def _thread_of(process: int) -> ThreadPoolExecutor:
    """A forked process gets its own: threads do not survive the fork."""
    name = f"paddle-{process}"
    return ThreadPoolExecutor(1, thread_name_prefix=name, initializer=paddle.disable_static)
