"""The queue of work for the Paddle thread: bounded, and equal tasks are processed once.

Tasks are ordered by deadline, with time counted in processed pixels. The deadline of a new task is
now + PATIENCE * n, where n are the pixels of the task and of those queued by the same address that
are no larger. So a large picture, or many from one address, cannot delay the small ones of others
for long, and it still gets its turn.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field
from typing import Any, Protocol

from cachetools import LRUCache

from spade_paddle.errors import RequestError
from spade_paddle.inference import paddle_thread
from spade_paddle.serving.prometheus_metrics import Metrics

# Weight of the newest batch in the moving average of seconds per pixel, for Retry-After.
_NEWEST = 0.2
PATIENCE = 4


class ClientGone(Exception):
    """All clients of a task have disconnected, so it was not processed."""


class Task(Protocol):
    """A unit of work.

    Attributes:
        key: equal for tasks with the same result, which must have ``size_bytes``, its memory in the
            cache. None: unlike any other task, and not cached.
        pixels: cost, as the number of pixels that the painter paints in the same time.
        batch: equal for tasks that can be processed as a batch.
    """

    @property
    def key(self) -> Hashable: ...  # noqa: D102

    @property
    def pixels(self) -> int: ...  # noqa: D102

    @property
    def batch(self) -> Hashable: ...  # noqa: D102


Work = Callable[[Sequence[Any]], Sequence[Any]]
"""Processes tasks of equal ``batch``; returns their results."""


@dataclass(eq=False)
class Client:
    """The client of one call of ``WorkQueue.do``.

    Attributes:
        is_connected: whether the client still waits; called before its tasks are processed.
        address: clients with the same address share their turns.
    """

    is_connected: Callable[[], bool] = lambda: True
    address: str | None = None


@dataclass(eq=False)
class _Job:
    """A task that is queued or running; ``owner`` submitted it, ``clients`` wait for it."""

    key: Hashable
    task: Task
    work: Work
    owner: Client
    clients: set[Client]
    due: int  # deadline in processed pixels
    result: Future[Any] = field(default_factory=Future)


class WorkQueue:
    """Processes one batch at a time in the Paddle thread.

    Args:
        length: most requests that may wait; a request with several tasks counts once.
        max_wait_seconds: longest time from ``do`` to the last result.
        batch_size: most tasks in a batch.
        cache_bytes: memory for results; 0 processes every task, even equal ones.
        metrics: returns the metrics to update, which are replaced when processes share them.
    """

    def __init__(
        self,
        *,
        length: int,
        max_wait_seconds: float,
        batch_size: int = 1,
        cache_bytes: int = 0,
        metrics: Callable[[], Metrics],
    ) -> None:
        self._length = length
        self._max_wait_seconds = max_wait_seconds
        self._batch_size = batch_size
        self._metrics = metrics
        # finished futures by key
        self._cache: LRUCache = LRUCache(cache_bytes, getsizeof=lambda one: one.result().size_bytes)
        self._jobs: dict[Hashable, _Job] = {}  # queued and running
        self._waiting: list[_Job] = []
        self._processed_pixels = 0
        self._is_working = False  # ``_work`` is running or submitted
        self._seconds_per_pixel = 0.0
        self._lock = threading.Lock()  # guards the attributes above

    def do(
        self, tasks: Sequence[Task], work: Work, *, client: Client | None = None
    ) -> list[tuple[Any, bool]]:
        """Process the tasks of one request and wait for their results.

        Args:
            tasks: the tasks.
            work: processes a batch of them, in the Paddle thread.
            client: the client that waits.

        Returns:
            For each task its result, and whether an equal task was already known.

        Raises:
            RequestError: ``busy``: the queue is full, or the results took too long.
            ClientGone: the client disconnected.
            Exception: any that ``work`` raises.
        """
        deadline = time.monotonic() + self._max_wait_seconds
        client = client or Client()
        entered = self._enter(tasks, work, client)
        try:
            return [
                (result.result(max(deadline - time.monotonic(), 0)), known)
                for result, known in entered
            ]
        except TookTooLong:
            raise self._busy(f"not finished within {self._max_wait_seconds} seconds") from None
        finally:
            self._leave(client)

    def refuse_waiting(self) -> None:
        """Fail all queued tasks with ``busy``, as the service stops; the running batch goes on."""
        with self._lock:
            for job in list(self._waiting):
                self._drop(job, self._busy("it is being stopped"))

    def _enter(
        self, tasks: Sequence[Task], work: Work, client: Client
    ) -> list[tuple[Future[Any], bool]]:
        shared = self._cache.maxsize > 0
        # object() is unlike any other key
        keys = [task.key if shared and task.key is not None else object() for task in tasks]
        with self._lock:
            is_new = any(key not in self._cache and key not in self._jobs for key in keys)
            if is_new and self._is_full():
                self._drop_abandoned()
                if self._is_full() and not self._make_room(client):
                    raise self._busy(f"{self._length} requests are waiting")
            return [self._find(key, task, work, client) for key, task in zip(keys, tasks)]

    def _find(
        self, key: Hashable, task: Task, work: Work, client: Client
    ) -> tuple[Future[Any], bool]:
        """Find or queue a task: the future of its result, and whether an equal task was known."""
        if key in self._cache:
            self._metrics().cache_hits.inc()
            return self._cache[key], True
        job = self._jobs.get(key)
        if job is not None:
            self._metrics().joined.inc()
            job.clients.add(client)
            return job.result, True
        due = self._due(task.pixels, client)
        job = self._jobs[key] = _Job(key, task, work, client, {client}, due)
        self._waiting.append(job)
        self._update_queue_length()
        if not self._is_working:
            self._is_working = True
            paddle_thread.submit(self._work)
        return job.result, False

    def _due(self, pixels: int, client: Client) -> int:
        """The deadline of a new task, see the module's docstring."""
        waiting = (job.task.pixels for job in self._of_address(client.address))
        return self._processed_pixels + PATIENCE * (sum(n for n in waiting if n <= pixels) + pixels)

    def _of_address(self, address: str | None) -> list[_Job]:
        return [job for job in self._waiting if job.owner.address == address]

    def _leave(self, client: Client) -> None:
        with self._lock:
            for job in list(self._jobs.values()):
                job.clients.discard(client)
                if not job.clients and job in self._waiting:
                    self._drop(job, ClientGone())

    def _is_full(self) -> bool:
        clients = {job.owner for job in self._jobs.values()}
        return len(clients) >= self._length + self._batch_size

    def _drop_abandoned(self) -> None:
        for job in list(self._waiting):
            if not any(client.is_connected() for client in job.clients):
                self._drop(job, ClientGone())

    def _make_room(self, client: Client) -> bool:
        """Drop the newest request of the address with the most queued ones, if it has at least two
        more than this client's address; whether the queue has room now."""
        counts = Counter(one.address for one in {job.owner for job in self._waiting})
        if not counts:
            return False
        address, most = counts.most_common(1)[0]
        if most < counts[client.address] + 2:
            return False
        newest = self._of_address(address)[-1].owner
        for job in [job for job in self._waiting if job.clients == {newest}]:
            self._drop(job, self._busy("other addresses have fewer requests waiting"))
        return not self._is_full()

    def _drop(self, job: _Job, error: Exception) -> None:
        self._waiting.remove(job)
        self._update_queue_length()
        del self._jobs[job.key]
        job.result.set_exception(error)

    def _work(self) -> None:
        """Process the next batch, and submit this method again for the one after it, so that other
        work of the Paddle thread (such as ``paint_array``) gets its turn in between."""
        with self._lock:
            self._drop_abandoned()
            batch = self._next_batch()
        try:
            if batch:
                self._do_batch(batch)
        finally:
            with self._lock:
                self._is_working = bool(self._waiting)
                if self._is_working:
                    paddle_thread.submit(self._work)

    def _next_batch(self) -> list[_Job]:
        """Take the task with the earliest deadline, and others that fit its batch."""
        if not self._waiting:
            return []
        in_turn = sorted(self._waiting, key=lambda job: job.due)
        kind = in_turn[0].task.batch
        batch = [job for job in in_turn if job.task.batch == kind][: self._batch_size]
        for job in batch:
            self._waiting.remove(job)
        self._update_queue_length()
        return batch

    def _do_batch(self, batch: list[_Job]) -> None:
        start = time.perf_counter()
        try:
            results = batch[0].work([job.task for job in batch])
        except Exception as error:
            if len(batch) > 1:  # one at a time, so that only the faulty one fails
                for job in batch:
                    self._do_batch([job])
                return
            with self._lock:
                del self._jobs[batch[0].key]
            batch[0].result.set_exception(error)
            return
        seconds = time.perf_counter() - start
        with self._lock:
            pixels = sum(job.task.pixels for job in batch)
            self._processed_pixels += pixels
            self._update_speed(seconds / pixels)
            for job, result in zip(batch, results):
                job.result.set_result(result)
                if job.task.key is not None and result.size_bytes <= self._cache.maxsize:
                    self._cache[job.key] = job.result
                del self._jobs[job.key]

    def _update_queue_length(self) -> None:
        self._metrics().queue_length.set(len(self._waiting))

    def _update_speed(self, seconds_per_pixel: float) -> None:
        weight = _NEWEST if self._seconds_per_pixel else 1.0
        self._seconds_per_pixel += weight * (seconds_per_pixel - self._seconds_per_pixel)

    def _busy(self, reason: str) -> RequestError:
        pixels = sum(job.task.pixels for job in list(self._jobs.values()))
        return RequestError(
            f"the service is busy: {reason}; try again in a moment",
            code="busy",
            queue_length=self._length,
            retry_after_seconds=max(math.ceil(pixels * self._seconds_per_pixel), 1),
        )
