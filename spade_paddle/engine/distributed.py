"""Data parallelism: several processes train one pair of networks on different pictures.

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

from spade_paddle.engine.quiet import FLAGS, lines_left_out
from spade_paddle.errors import ConfigError


@dataclass
class Votes:
    """Flags of several processes brought together in the store that they have met by.

    Not by ``all_reduce``: with gloo that fails after 30 seconds of waiting for another process.

    Args:
        store: the ``TCPStore`` of all processes, or what else has its ``add``.
        size: the number of processes.
    """

    store: Any
    size: int
    _rounds: int = 0
    _set_before: list[int] = field(default_factory=lambda: [0, 0])

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; every process must call it equally often."""
        # Two sets of counters in turn: a process may begin the next round while another one has
        # yet to read this one's result, but none can be two rounds ahead.
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
    """This process among the others: ``rank`` 0..size-1. Rank 0 alone writes files."""

    rank: int = 0
    size: int = 1
    launcher: int | None = None  # process id of Paddle's launcher
    votes: Votes | None = None  # with size > 1

    @classmethod
    def join(cls) -> Workers:
        """Meet the other processes that the launcher has started; alone without a launcher."""
        if int(os.environ.get("PADDLE_TRAINERS_NUM", "1")) == 1:
            return cls()
        with lines_left_out(FLAGS):
            distributed.init_parallel_env()
        rank, size = distributed.get_rank(), distributed.get_world_size()
        votes = Votes(core.create_or_get_global_tcp_store(), size)
        return cls(rank=rank, size=size, launcher=os.getppid(), votes=votes)

    def say(self, *lines: str) -> None:
        """Print lines, once for all processes, without spoiling a progress bar."""
        if self.rank == 0:
            for line in lines:
                tqdm.write(line)

    @property
    def orphaned(self) -> bool:
        """The launcher is gone. SIGTERM ends it at once, and it tells nobody."""
        return self.launcher is not None and os.getppid() != self.launcher

    def share(self, start: int, count: int) -> tuple[int, int]:
        """This process's part (start, count) of the pictures start..start + count - 1.

        Raises:
            ConfigError: the pictures cannot be shared out evenly.
        """
        if count % self.size:
            raise ConfigError(
                f"a batch of {count} pictures cannot be shared evenly by {self.size} processes; "
                "choose batch_size and total_images as multiples of the number of processes",
                code="batch_not_divisible",
            )
        share = count // self.size
        return start + self.rank * share, share

    @paddle.no_grad()
    def average(self, gradients: Sequence[paddle.Tensor], values: paddle.Tensor) -> paddle.Tensor:
        """Put the mean over all processes into every gradient; one exchange for everything.

        Args:
            gradients: changed in place.
            values: float32 [k], more numbers to take the mean of.

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
        """Whether the flag is set in any process; all get the same answer.

        It waits for the slowest process without a limit: the first one judges and saves alone.
        """
        return flag if self.votes is None else self.votes.any(flag)
