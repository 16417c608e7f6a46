"""Data parallelism: several processes train the same networks on different pictures.

Started by ``python -m paddle.distributed.launch``, with NCCL between GPUs and gloo between CPU
processes. Every process takes its share of each batch, and the gradients are averaged before each
update, so all processes keep the same weights.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import paddle
from paddle import distributed
from paddle.base import core
from tqdm import tqdm

from spade_paddle.engine.quiet import FLAG_MESSAGES, filter_stderr
from spade_paddle.errors import ConfigError


@dataclass
class Votes:
    """Logical OR of flags of all processes, through their key-value store.

    Not with ``all_reduce``, which with gloo fails after waiting 30 seconds for another process.

    Args:
        store: the ``TCPStore`` of all processes, or another object with its ``add``.
        size: the number of processes.
    """

    store: Any
    size: int
    _rounds: int = 0
    _set_before: list[int] = field(default_factory=lambda: [0, 0])

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; a collective call."""
        # Two alternating sets of counters: a process may start the next round while another one
        # still has to read the result of this one, but no process can be two rounds ahead.
        turn, needed = self._rounds % 2, (self._rounds // 2 + 1) * self.size
        self._rounds += 1
        if flag:
            self.store.add(f"spade_paddle/flags/{turn}", 1)
        arrived = self.store.add(f"spade_paddle/arrived/{turn}", 1)
        pause = 0.0001
        while arrived < needed:
            time.sleep(pause)
            pause = min(1.5 * pause, 0.02)
            arrived = self.store.add(f"spade_paddle/arrived/{turn}", 0)
        set_now = self.store.add(f"spade_paddle/flags/{turn}", 0)
        found = set_now > self._set_before[turn]
        self._set_before[turn] = set_now
        return found


@dataclass(frozen=True)
class Workers:
    """The processes that train together. ``rank`` (0..size-1) is that of this process; only rank 0
    writes files."""

    rank: int = 0
    size: int = 1
    launcher: int | None = None  # process id of Paddle's launcher
    votes: Votes | None = None  # with size > 1

    @classmethod
    def join(cls) -> Workers:
        """Join the other processes of Paddle's launcher; one process without a launcher."""
        if int(os.environ.get("PADDLE_TRAINERS_NUM", "1")) == 1:
            return cls()
        with filter_stderr(FLAG_MESSAGES):
            distributed.init_parallel_env()
        rank, size = distributed.get_rank(), distributed.get_world_size()
        votes = Votes(core.create_or_get_global_tcp_store(), size)
        return cls(rank=rank, size=size, launcher=os.getppid(), votes=votes)

    def say(self, *lines: str) -> None:
        """Print lines, in the first process only, without disturbing a progress bar."""
        if self.rank == 0:
            for line in lines:
                tqdm.write(line)

    @property
    def orphaned(self) -> bool:
        """Whether the launcher is gone; SIGTERM ends it without notice to its processes."""
        return self.launcher is not None and os.getppid() != self.launcher

    def share(self, start: int, count: int) -> tuple[int, int]:
        """Return this process's share (start, count) of the pictures start..start + count - 1.

        Raises:
            ConfigError: ``count`` is not a multiple of the number of processes.
        """
        if count % self.size:
            raise ConfigError(
                f"a batch of {count} pictures cannot be split evenly among {self.size} processes; "
                "choose batch_size and total_images as multiples of the number of processes",
                code="batch_not_divisible",
            )
        share = count // self.size
        return start + self.rank * share, share

    @paddle.no_grad()
    def average(self, gradients: Sequence[paddle.Tensor], values: paddle.Tensor) -> paddle.Tensor:
        """Average gradients and values over all processes, in one all-reduce.

        Args:
            gradients: averaged in place.
            values: float32 [k], further numbers to average.

        Returns:
            the means of ``values``.
        """
        if self.size == 1:
            return values
        tensors = [*gradients, values]
        flat = paddle.concat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        flat = flat / self.size
        parts = paddle.split(flat, [int(np.prod(tensor.shape)) for tensor in tensors])
        for gradient, part in zip(gradients, parts):
            gradient.set_value(part.reshape(gradient.shape))
        return parts[-1]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; a collective call.

        It waits without a time limit, because only the first process validates and saves.
        """
        return flag if self.votes is None else self.votes.any(flag)
