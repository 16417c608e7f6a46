"""One queue for all that the thread of Paddle does for requests: equal tasks are done once, and too
many are refused.

Who asks for little waits little: a task is due once PATIENCE times the pixels of what the same
address has waiting are done, that task with it, and those due first are done first. So a large
picture, or many of one address, cannot hold up the small ones of others for long, and neither can
those hold it up for ever.
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

# How much the newest picture counts in the mean time that Retry-After is estimated from.
_NEWEST = 0.2
PATIENCE = 4


class ClientGone(Exception):
    """Nobody waits for the task any more, so it was not done."""


class Task(Protocol):
    """What is asked for.

    Attributes:
        key: equal for tasks of one result, which has ``size_bytes``, what it costs to keep; None:
            equal to no other, and not kept.
        pixels: what it costs to do, in those that the painter paints in the same time.
        batch: equal for tasks that may be done at once.
    """

    @property
    def key(self) -> Hashable: ...  # noqa: D102

    @property
    def pixels(self) -> int: ...  # noqa: D102

    @property
    def batch(self) -> Hashable: ...  # noqa: D102


Work = Callable[[Sequence[Any]], Sequence[Any]]
"""The results of tasks of one ``batch``."""


@dataclass(eq=False)
class Client:
    """Who waits in one call of ``WorkQueue.do``.

    Attributes:
        is_there: whether the client still waits; asked before its tasks are done.
        address: what it shares its turn with others by.
    """

    is_there: Callable[[], bool] = lambda: True
    address: str | None = None


@dataclass(eq=False)
class _Job:
    """A task that waits or is being done, and all who want it, first who brought it."""

    key: Hashable
    task: Task
    work: Work
    brought_by: Client
    clients: set[Client]
    due: int  # in pixels done
    result: Future[Any] = field(default_factory=Future)


class WorkQueue:
    """Does one batch at a time in the thread of Paddle.

    Args:
        length: requests that may wait; one with several tasks counts once.
        max_wait_seconds: from ``do`` to the last result.
        batch_size: tasks done at once, at most.
        cache_bytes: memory for results. 0 does every task, equal or not.
        metrics: gives what is counted in, which is another once processes count together.
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
        # of results that are there, each as the future that gave it
        self._cache: LRUCache = LRUCache(cache_bytes, getsizeof=lambda one: one.result().size_bytes)
        self._jobs: dict[Hashable, _Job] = {}  # those that wait and those that are being done
        self._waiting: list[_Job] = []
        self._done_pixels = 0
        self._is_working = False  # ``_work`` goes on or is about to
        self._seconds_per_pixel = 0.0
        self._lock = threading.Lock()  # of all that stands above

    def do(
        self, tasks: Sequence[Task], work: Work, *, client: Client | None = None
    ) -> list[tuple[Any, bool]]:
        """The results of a request's tasks, each with whether an equal task had been there.

        Args:
            tasks: of one request.
            work: does them, in the thread of Paddle.
            client: who waits for them.

        Raises:
            RequestError: ``busy``: the queue is full, or the results took too long.
            ClientGone: it is no longer there.
            Exception: what ``work`` raises.
        """
        until = time.monotonic() + self._max_wait_seconds
        client = client or Client()
        entered = self._enter(tasks, work, client)
        try:
            return [
                (result.result(max(until - time.monotonic(), 0)), known)
                for result, known in entered
            ]
        except TookTooLong:
            raise self._busy(f"not done within {self._max_wait_seconds} seconds") from None
        finally:
            self._leave(client)

    def refuse_waiting(self) -> None:
        """Tell everybody who waits ``busy``, as the service ends; what is being done goes on."""
        with self._lock:
            for job in list(self._waiting):
                self._drop(job, self._busy("the service is being stopped"))

    def _enter(
        self, tasks: Sequence[Task], work: Work, client: Client
    ) -> list[tuple[Future[Any], bool]]:
        shared = self._cache.maxsize > 0
        # a key that is equal to no other
        keys = [task.key if shared and task.key is not None else object() for task in tasks]
        with self._lock:
            is_new = any(key not in self._cache and key not in self._jobs for key in keys)
            if is_new and self._is_full():
                self._drop_unwanted()
                if self._is_full() and not self._make_room(client):
                    raise self._busy(f"{self._length} requests wait already")
            return [self._find(key, task, work, client) for key, task in zip(keys, tasks)]

    def _find(
        self, key: Hashable, task: Task, work: Work, client: Client
    ) -> tuple[Future[Any], bool]:
        """One result to wait for, and whether it was there or on its way already."""
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
        self._tell_length()
        if not self._is_working:
            self._is_working = True
            paddle_thread.submit(self._work)
        return job.result, False

    def _due(self, pixels: int, client: Client) -> int:
        """Larger ones of the same address do not count: they are not its smaller ones' fault."""
        waiting = (job.task.pixels for job in self._of_address(client.address))
        return self._done_pixels + PATIENCE * (sum(n for n in waiting if n <= pixels) + pixels)

    def _of_address(self, address: str | None) -> list[_Job]:
        return [job for job in self._waiting if job.brought_by.address == address]

    def _leave(self, client: Client) -> None:
        with self._lock:
            for job in list(self._jobs.values()):
                job.clients.discard(client)
                if not job.clients and job in self._waiting:
                    self._drop(job, ClientGone())

    def _is_full(self) -> bool:
        clients = {job.brought_by for job in self._jobs.values()}
        return len(clients) >= self._length + self._batch_size

    def _drop_unwanted(self) -> None:
        for job in list(self._waiting):
            if not any(client.is_there() for client in job.clients):
                self._drop(job, ClientGone())

    def _make_room(self, client: Client) -> bool:
        """Refuse the newest request of an address that has two more waiting than this client's."""
        counts = Counter(one.address for one in {job.brought_by for job in self._waiting})
        if not counts:
            return False
        address, most = counts.most_common(1)[0]
        if most < counts[client.address] + 2:
            return False
        newest = self._of_address(address)[-1].brought_by
        for job in [job for job in self._waiting if job.clients == {newest}]:
            self._drop(job, self._busy("others have waited less often"))
        return not self._is_full()

    def _drop(self, job: _Job, error: Exception) -> None:
        self._waiting.remove(job)
        self._tell_length()
        del self._jobs[job.key]
        job.result.set_exception(error)

    def _work(self) -> None:
        """Do the next batch, and queue anew for the one after it, so that other work of the thread
        (a picture that Python asks for) need not wait for all."""
        with self._lock:
            self._drop_unwanted()
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
        """The task that is due first, and others of its kind."""
        if not self._waiting:
            return []
        in_turn = sorted(self._waiting, key=lambda job: job.due)
        kind = in_turn[0].task.batch
        batch = [job for job in in_turn if job.task.batch == kind][: self._batch_size]
        for job in batch:
            self._waiting.remove(job)
        self._tell_length()
        return batch

    def _do_batch(self, batch: list[_Job]) -> None:
        start = time.perf_counter()
        try:
            results = batch[0].work([job.task for job in batch])
        except Exception as error:
            if len(batch) > 1:  # what is wrong with one of them is not the others' fault
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
            self._done_pixels += pixels
            self._note_time(seconds / pixels)
            for job, result in zip(batch, results):
                job.result.set_result(result)
                if job.task.key is not None and result.size_bytes <= self._cache.maxsize:
                    self._cache[job.key] = job.result
                del self._jobs[job.key]

    def _tell_length(self) -> None:
        self._metrics().queue_length.set(len(self._waiting))

    def _note_time(self, seconds_per_pixel: float) -> None:
        share = _NEWEST if self._seconds_per_pixel else 1.0
        self._seconds_per_pixel += share * (seconds_per_pixel - self._seconds_per_pixel)

    def _busy(self, reason: str) -> RequestError:
        pixels = sum(job.task.pixels for job in list(self._jobs.values()))
        return RequestError(
            f"the service is busy: {reason}; try again in a moment",
            code="busy",
            queue_length=self._length,
            retry_after_seconds=max(math.ceil(pixels * self._seconds_per_pixel), 1),
        )
