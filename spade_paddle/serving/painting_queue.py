"""Orders queue before the painter: equal ones are painted once, and too many are refused.

Who asks for little waits little: an order is due once the painter has painted PATIENCE times the
pixels of what the same address has waiting, that order with it, and those due first are painted
first. So a large picture, or many of one address, cannot hold up the small ones of others for
long, and neither can those hold it up for ever.
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

import numpy as np
from cachetools import LRUCache

from spade_paddle.errors import RequestError
from spade_paddle.inference import paddle_thread
from spade_paddle.serving.metrics import Metrics
from spade_paddle.serving.orders import Order, Picture

# How much the newest picture counts in the mean time that Retry-After is estimated from.
_NEWEST = 0.2
PATIENCE = 4


class ClientGone(Exception):
    """Nobody waits for the picture any more, so it was not painted."""


@dataclass(eq=False)
class Client:
    """Who waits in one call of ``PaintingQueue.paint``.

    Attributes:
        is_there: whether the client still waits; asked before its pictures are painted.
        address: what it shares its turn with others by.
    """

    is_there: Callable[[], bool] = lambda: True
    address: str | None = None


@dataclass(eq=False)
class _Job:
    """An order that waits or is being painted, and all who want it, first who brought it."""

    key: Hashable
    order: Order
    brought_by: Client
    clients: set[Client]
    due: int  # in pixels painted
    picture: Future[Picture] = field(default_factory=Future)

    @property
    def pixels(self) -> int:
        return self.order.label_map.size


class PaintingQueue:
    """Paints one batch at a time in the thread of Paddle.

    Args:
        paint: pictures ``uint8`` [H, W, 3] of orders whose label maps have one size.
        length: requests that may wait; one with several orders counts once.
        max_wait_seconds: from ``paint`` to the last picture.
        batch_size: orders given to ``paint`` at once, at most.
        cache_bytes: memory for painted pictures. 0 paints every order, equal or not.
        metrics: gives what is counted in, which is another once processes count together.
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
        # of pictures that are there, each as the future that gave it
        self._cache: LRUCache = LRUCache(cache_bytes, getsizeof=lambda one: one.result().size_bytes)
        self._jobs: dict[Hashable, _Job] = {}  # those that wait and those that are being painted
        self._waiting: list[_Job] = []
        self._painted_pixels = 0
        self._is_working = False  # ``_work`` goes on or is about to
        self._seconds_per_pixel = 0.0
        self._lock = threading.Lock()  # of all that stands above

    def paint(
        self, orders: Sequence[Order], *, client: Client | None = None
    ) -> list[tuple[Picture, bool]]:
        """The pictures of a request's orders, each with whether an equal order had been there.

        Args:
            orders: of one request.
            client: who waits for them.

        Raises:
            RequestError: ``busy``: the queue is full, or the pictures took too long.
            ClientGone: it is no longer there.
        """
        until = time.monotonic() + self._max_wait_seconds
        client = client or Client()
        entered = self._enter(orders, client)
        try:
            return [
                (picture.result(max(until - time.monotonic(), 0)), known)
                for picture, known in entered
            ]
        except TookTooLong:
            raise self._busy(f"no picture within {self._max_wait_seconds} seconds") from None
        finally:
            self._leave(client)

    def refuse_waiting(self) -> None:
        """Tell everybody who waits ``busy``, as the service ends; what is being painted goes on."""
        with self._lock:
            for job in list(self._waiting):
                self._drop(job, self._busy("the service is being stopped"))

    def _enter(self, orders: Sequence[Order], client: Client) -> list[tuple[Future[Picture], bool]]:
        shared = self._cache.maxsize > 0
        # a key that is equal to no other
        keys = [order.key if shared else object() for order in orders]
        with self._lock:
            is_new = any(key not in self._cache and key not in self._jobs for key in keys)
            if is_new and self._is_full():
                self._drop_unwanted()
                if self._is_full() and not self._make_room(client):
                    raise self._busy(f"{self._length} requests wait already")
            return [self._find(key, order, client) for key, order in zip(keys, orders)]

    def _find(self, key: Hashable, order: Order, client: Client) -> tuple[Future[Picture], bool]:
        """One picture to wait for, and whether it was there or on its way already."""
        if key in self._cache:
            self._metrics().cache_hits.inc()
            return self._cache[key], True
        job = self._jobs.get(key)
        if job is not None:
            self._metrics().joined.inc()
            job.clients.add(client)
            return job.picture, True
        due = self._due(order, client)
        job = self._jobs[key] = _Job(key, order, brought_by=client, clients={client}, due=due)
        self._waiting.append(job)
        self._tell_length()
        if not self._is_working:
            self._is_working = True
            paddle_thread.submit(self._work)
        return job.picture, False

    def _due(self, order: Order, client: Client) -> int:
        """Larger ones of the same address do not count: they are not its smaller ones' fault."""
        pixels = order.label_map.size
        ahead = (job.pixels for job in self._of_address(client.address) if job.pixels <= pixels)
        return self._painted_pixels + PATIENCE * (sum(ahead) + pixels)

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
        job.picture.set_exception(error)

    def _work(self) -> None:
        """Paint the next batch, and queue anew for the one after it, so that other work of the
        thread (a photo to annotate) need not wait for all."""
        with self._lock:
            self._drop_unwanted()
            batch = self._next_batch()
        try:
            if batch:
                self._paint_batch(batch)
        finally:
            with self._lock:
                self._is_working = bool(self._waiting)
                if self._is_working:
                    paddle_thread.submit(self._work)

    def _next_batch(self) -> list[_Job]:
        """The order that is due first, and others of its size."""
        if not self._waiting:
            return []
        in_turn = sorted(self._waiting, key=lambda job: job.due)
        size = in_turn[0].order.label_map.shape
        same = [job for job in in_turn if job.order.label_map.shape == size]
        batch = same[: self._batch_size]
        for job in batch:
            self._waiting.remove(job)
        self._tell_length()
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
                del self._jobs[batch[0].key]
            batch[0].picture.set_exception(error)
            return
        seconds = time.perf_counter() - start
        self._metrics().painting_seconds.observe(seconds)
        self._metrics().pictures.inc(len(batch))
        with self._lock:
            pixels = sum(job.pixels for job in batch)
            self._painted_pixels += pixels
            self._note_time(seconds / pixels)
            for job, image in zip(batch, images):
                picture = Picture(image, image_format=job.order.image_format, seconds=seconds)
                job.picture.set_result(picture)
                if picture.size_bytes <= self._cache.maxsize:
                    self._cache[job.key] = job.picture
                del self._jobs[job.key]

    def _tell_length(self) -> None:
        self._metrics().queue_length.set(len(self._waiting))

    def _note_time(self, seconds_per_pixel: float) -> None:
        share = _NEWEST if self._seconds_per_pixel else 1.0
        self._seconds_per_pixel += share * (seconds_per_pixel - self._seconds_per_pixel)

    def _busy(self, reason: str) -> RequestError:
        pixels = sum(job.pixels for job in list(self._jobs.values()))
        return RequestError(
            f"the painter is busy: {reason}; try again in a moment",
            code="busy",
            queue_length=self._length,
            retry_after_seconds=max(math.ceil(pixels * self._seconds_per_pixel), 1),
        )
