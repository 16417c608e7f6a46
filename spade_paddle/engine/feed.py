"""The training data of a process: its share of every batch, with the next batch prefetched."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Callable

from spade_paddle.config import Config
from spade_paddle.data.batches import Batch, BatchSource, SceneCache
from spade_paddle.data.picture_sizes import check_one_size
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.steps import Networks, StepInput
from spade_paddle.networks.semantics import SemanticLayout

_POLL_SECONDS = 0.2
_EXIT_TIMEOUT_SECONDS = 10


class Feed:
    """Provides the batches of a run in order; exiting the context waits for the reading thread.

    The content of a batch depends on its position alone, not on when and by which thread it is
    read.

    Args:
        scenes: the training scenes.
        networks: the networks to train, which determine the noise inputs.
        config: the configuration.
        layout: the channels of the semantic map.
        workers: the processes that share each batch.

    Attributes:
        batches: all pictures of the run by their position.

    Raises:
        ConfigError, DataError: the pictures of a batch would have different sizes.
        DataError: a label map cannot be read (``data.label_balance`` reads all of them).
    """

    def __init__(
        self,
        scenes: SceneCache,
        *,
        networks: Networks,
        config: Config,
        layout: SemanticLayout,
        workers: Workers,
    ) -> None:
        options, multiple = config.data, config.generator.multiple
        share = math.ceil(config.batch_size / workers.size)
        check_one_size(scenes.sizes(), options, multiple=multiple, pictures=share)
        self.batches = BatchSource(
            scenes,
            options=options,
            seed=config.seed,
            multiple=multiple,
            noise_strides=networks.generator.noise_strides,
            style_dim=config.encoder.style_dim,
            augmentation=config.regularization,
            weights=scenes.weights(),
            shift=config.losses.perceptual_shift,
        )
        self._config = config
        self._layout = layout
        self._workers = workers
        self._position: int | None = None  # of the batch whose reading was started last
        self._next: Future[list[Batch]] = Future()

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A thread inside OpenCV at interpreter exit would abort the process, so wait for it. One
        # that hangs on a disk does no harm, hence the timeout. A second Ctrl-C does not wait.
        if self._position is not None and kind is not KeyboardInterrupt:
            wait([self._next], timeout=_EXIT_TIMEOUT_SECONDS)

    def wait(self, images_seen: int, *, cancelled: Callable[[], bool]) -> None:
        """Wait until the next batch after ``images_seen`` images is ready or has failed, or until
        ``cancelled`` returns true."""
        self._begin(images_seen)
        while not cancelled() and not wait([self._next], timeout=_POLL_SECONDS).done:
            pass

    def take(self, images_seen: int) -> list[Batch]:
        """Return this process's share of the next batch, and start reading the following one.

        The share is split into as few micro-batches of equal size as possible.

        Args:
            images_seen: images seen before this batch.

        Raises:
            DataError, LabelMapError: a scene cannot be read.
        """
        self._begin(images_seen)
        parts = self._next.result()
        following = images_seen + self._count(images_seen)
        if following < self._config.total_images:
            self._begin(following)
        return parts

    def first(self, images: int) -> list[Batch]:
        """Return at least ``images`` images, as micro-batches (see ``take``) of the run's first
        batches, which all have the full size."""
        size = self._config.batch_size
        return [part for start in range(0, images, size) for part in self._parts(start, size)]

    def inputs(self, parts: Iterable[Batch]) -> Iterator[StepInput]:
        """Convert batches to network inputs."""
        for part in parts:
            yield StepInput.of(part, self._layout)

    def _parts(self, images_seen: int, count: int) -> list[Batch]:
        start, share = self._workers.share(images_seen, count)
        parts = self._workers.size * self._config.compute.accumulation
        maximum = max(self._config.batch_size // parts, 1)
        size = next(size for size in range(min(maximum, share), 0, -1) if share % size == 0)
        return [self.batches.at(index, size) for index in range(start, start + share, size)]

    def _count(self, images_seen: int) -> int:
        return min(self._config.batch_size, self._config.total_images - images_seen)

    def _begin(self, images_seen: int) -> None:
        """Start reading a batch in a thread, if it was not started before."""
        if images_seen == self._position:
            return
        future: Future[list[Batch]] = Future()

        def read() -> None:
            try:
                future.set_result(self._parts(images_seen, self._count(images_seen)))
            except BaseException as error:  # raised again when the batch is needed
                future.set_exception(error)

        self._position, self._next = images_seen, future
        # not a ThreadPoolExecutor: the interpreter would wait for its threads at exit
        threading.Thread(target=read, daemon=True).start()
