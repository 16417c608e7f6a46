"""Several processes that train one pair of networks on different pictures (data parallelism).

Started by ``python -m paddle.distributed.launch``; NCCL joins GPUs, gloo joins CPU processes.
Every process takes its share of each batch, the gradients are averaged before each update, and so
all processes keep the same weights.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import paddle
from paddle import distributed
from tqdm import tqdm

from spade_paddle.errors import ConfigError


@dataclass(frozen=True)
class Workers:
    """This process among the others: ``rank`` 0..size-1. Rank 0 alone writes files."""

    rank: int = 0
    size: int = 1
    launcher: int | None = None  # process id of Paddle's launcher

    @classmethod
    def join(cls) -> Workers:
        """Meet the other processes that the launcher has started; alone without a launcher."""
        if int(os.environ.get("PADDLE_TRAINERS_NUM", "1")) == 1:
            return cls()
        distributed.init_parallel_env()
        rank, size = distributed.get_rank(), distributed.get_world_size()
        return cls(rank=rank, size=size, launcher=os.getppid())

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
        """Whether the flag is set in any process; all get the same answer."""
        if self.size == 1:
            return flag
        total = paddle.to_tensor([int(flag)], dtype="int32")
        distributed.all_reduce(total)
        return int(total) > 0
