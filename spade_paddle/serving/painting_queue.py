"""Requests queue round the painter: equal orders are painted once, and too many are refused."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from cachetools import LRUCache

from spade_paddle.errors import RequestError
from spade_paddle.serving.metrics import Metrics
from spade_paddle.serving.picture import Picture

# How much the newest picture counts in the mean time that Retry-After is estimated from.
_NEWEST = 0.2


class ClientGone(Exception):
    """Nobody waits for the picture any more, so it was not painted."""


@dataclass(frozen=True, eq=False)
class Order:
    """One picture that is asked for.

    ``label_map`` is ``uint8`` [H, W], checked; ``style`` a photo ``uint8`` [h, w, 3], a
    name, or numbers ``float32`` [D].
    """

    label_map: np.ndarray
    seed: int | None = None
    style: np.ndarray | str | None = None
    image_format: str = "png"

    @cached_property
    def key(self) -> bytes:
        """Equal for orders that get the same file."""
        is_array = isinstance(self.style, np.ndarray)
        style = self.style.shape if is_array else self.style
        digest = hashlib.sha256(
            repr((self.label_map.shape, self.seed, style, self.image_format)).encode()
        )
        digest.update(np.ascontiguousarray(self.label_map))
        if is_array:
            digest.update(np.ascontiguousarray(self.style))
        return digest.digest()


@dataclass(eq=False)
class _Request:
    """One call of ``PaintingQueue.paint``."""

    is_there: Callable[[], bool]


@dataclass(eq=False)
class _Job:
    """An order that waits or is being painted, and all requests that want it."""

    key: Hashable
    order: Order
    opened_by: _Request
    requests: set[_Request]
    picture: futures.Future = field(default_factory=futures.Future)


class PaintingQueue:
    """Paints one batch at a time in a thread of its own, which starts with the first order.

    Args:
        paint: pictures ``uint8`` [H, W, 3] of orders whose label maps have one size.
        length: requests that may wait; one with several orders counts once.
        max_wait_seconds: from ``paint`` to the last picture.
        batch_size: orders given to ``paint`` at once, at most.
        cache_bytes: memory for painted pictures. 0 paints every order, equal or not.
        metrics: gives what is counted in; asked for only when somebody paints.
    """

    def __init__(
        self,
        *,
        paint: Callable[[Sequence[Order]], Sequence[np.ndarray]],
        length: int,
        max_wait_seconds: float,
        batch_size: int = 1,
        cache_bytes: int = 0,
        metrics: Callable[[], Metrics],
    ) -> None:
        self._paint = paint
        self._length = length
        self._max_wait_seconds = max_wait_seconds
        self._batch_size = batch_size
        self._metrics = metrics
        self._cache: LRUCache = LRUCache(cache_bytes, getsizeof=lambda one: one.size_bytes)
        self._jobs: dict[Hashable, _Job] = {}  # those that wait and those that are being painted
        self._waiting: deque[_Job] = deque()
        self._seconds_per_pixel = 0.0
        self._lock = threading.Lock()  # of all that stands above
        self._thread = futures.ThreadPoolExecutor(1, thread_name_prefix="painting")

    def call(self, work: Callable[[], Any]) -> Any:
        """Do something else with the painter in its turn."""
        return self._thread.submit(work).result()

    def paint(
        self, orders: Sequence[Order], *, is_there: Callable[[], bool] = lambda: True
    ) -> list[tuple[Picture, bool]]:
        """The pictures of a request's orders, each with whether an equal order had been there.

        Args:
            orders: of one request.
            is_there: whether the client still waits; asked before its pictures are painted.

        Raises:
            RequestError: ``busy``: the queue is full, or the pictures took too long.
            ClientGone: ``is_there`` said no.
        """
        until = time.monotonic() + self._max_wait_seconds
        request = _Request(is_there)
        ordered = self._enter(orders, request)
        try:
            return [
                (picture.result(max(until - time.monotonic(), 0)), known)
                for picture, known in ordered
            ]
        except futures.TimeoutError:
            raise self._busy(f"no picture within {self._max_wait_seconds} seconds") from None
        finally:
            self._leave(request)

    def refuse_waiting(self) -> None:
        """Tell everybody who waits ``busy``, as the service ends; what is being painted goes on."""
        with self._lock:
            for job in list(self._waiting):
                self._drop(job, self._busy("the service is being stopped"))

    def _enter(
        self, orders: Sequence[Order], request: _Request
    ) -> list[tuple[futures.Future, bool]]:
        shared = self._cache.maxsize > 0
        # a key that is equal to no other
        keys = [order.key if shared else object() for order in orders]
        with self._lock:
            new = [key for key in keys if key not in self._cache and key not in self._jobs]
            if new and self._is_full():
                self._drop_unwanted()
                if self._is_full():
                    raise self._busy(f"{self._length} requests wait already")
            return [self._order(key, order, request) for key, order in zip(keys, orders)]

    def _order(self, key: Hashable, order: Order, request: _Request) -> tuple[futures.Future, bool]:
        """One picture to wait for, and whether it was there already."""
        painted = self._cache.get(key)
        if painted is not None:
            self._metrics().cache_hits.inc()
            done: futures.Future = futures.Future()
            done.set_result(painted)
            return done, True
        job = self._jobs.get(key)
        if job is not None:
            self._metrics().joined.inc()
            job.requests.add(request)
            return job.picture, True
        job = _Job(key=key, order=order, opened_by=request, requests={request})
        self._jobs[key] = job
        self._waiting.append(job)
        self._metrics().queue_length.set(len(self._waiting))
        self._thread.submit(self._work)
        return job.picture, False

    def _leave(self, request: _Request) -> None:
        with self._lock:
            for job in list(self._jobs.values()):
                job.requests.discard(request)
                if not job.requests and job in self._waiting:
                    self._drop(job, ClientGone())

    def _is_full(self) -> bool:
        requests = {job.opened_by for job in self._jobs.values()}
        return len(requests) >= self._length + self._batch_size

    def _drop_unwanted(self) -> None:
        for job in list(self._waiting):
            if not any(request.is_there() for request in job.requests):
                self._drop(job, ClientGone())

    def _drop(self, job: _Job, error: Exception) -> None:
        self._waiting.remove(job)
        self._finish(job)
        job.picture.set_exception(error)

    def _finish(self, job: _Job) -> None:
        del self._jobs[job.key]
        self._metrics().queue_length.set(len(self._waiting))

    def _work(self) -> None:
        """Paint the next batch. Called once for every order, so that none is left over."""
        with self._lock:
            self._drop_unwanted()
            batch = self._next_batch()
        if batch:
            self._paint_batch(batch)

    def _next_batch(self) -> list[_Job]:
        """The order that has waited longest, and others of its size."""
        if not self._waiting:
            return []
        size = self._waiting[0].order.label_map.shape
        same = [job for job in self._waiting if job.order.label_map.shape == size]
        batch = same[: self._batch_size]
        for job in batch:
            self._waiting.remove(job)
        self._metrics().queue_length.set(len(self._waiting))
        return batch

    def _paint_batch(self, batch: list[_Job]) -> None:
        start = time.perf_counter()
        try:
            images = self._paint([job.order for job in batch])
        except Exception as error:
            if len(batch) > 1:  # what is wrong with one of them is not the others' fault
                for job in batch:
                    self._paint_batch([job])
                return
            with self._lock:
                self._finish(batch[0])
            batch[0].picture.set_exception(error)
            return
        seconds = time.perf_counter() - start
        pictures = [
            Picture(image, image_format=job.order.image_format, seconds=seconds)
            for job, image in zip(batch, images)
        ]
        with self._lock:
            self._note_time(seconds / sum(job.order.label_map.size for job in batch))
            for job, picture in zip(batch, pictures):
                if picture.size_bytes <= self._cache.maxsize:
                    self._cache[job.key] = picture
                self._finish(job)
        self._metrics().painted(seconds, pictures=len(batch))
        for job, picture in zip(batch, pictures):
            job.picture.set_result(picture)

    def _note_time(self, seconds_per_pixel: float) -> None:
        share = _NEWEST if self._seconds_per_pixel else 1.0
        self._seconds_per_pixel += share * (seconds_per_pixel - self._seconds_per_pixel)

    def _busy(self, reason: str) -> RequestError:
        pixels = sum(job.order.label_map.size for job in list(self._jobs.values()))
        return RequestError(
            f"the painter is busy: {reason}; try again in a moment",
            code="busy",
            queue_length=self._length,
            retry_after_seconds=max(math.ceil(pixels * self._seconds_per_pixel), 1),
        )
