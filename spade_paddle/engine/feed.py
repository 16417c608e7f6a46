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

_LOOK_UP_SECONDS = 0.2
_PATIENCE_SECONDS = 10


class Feed:
    """Gives the batches of a run in order; leaving it waits for the thread that reads.

    What a batch holds depends on its place alone, so it is the same whoever has read it, and when.

    Args:
        networks: tell which noise they take.
        workers: the processes that share each batch.

    Attributes:
        batches: all pictures of the run by their place.

    Raises:
        ConfigError, DataError: the pictures of a batch would have different sizes.
        DataError: a label map cannot be read; ``data.label_balance`` reads all.
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
        self._place: int | None = None  # of the batch that was begun last
        self._next: Future[list[Batch]] = Future()

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # a thread within OpenCV while the interpreter ends would abort the process; one that waits
        # for a disk for good does no harm, and whoever presses Ctrl-C twice is not kept waiting
        if self._place is not None and kind is not KeyboardInterrupt:
            wait([self._next], timeout=_PATIENCE_SECONDS)

    def wait(self, images_seen: int, *, unless: Callable[[], bool]) -> None:
        """Wait until the batch after so many images is there or cannot be read, or ``unless``."""
        self._begin(images_seen)
        while not unless() and not wait([self._next], timeout=_LOOK_UP_SECONDS).done:
            pass

    def take(self, images_seen: int) -> list[Batch]:
        """This process's share of the batch after so many images; the next one is begun.

        It comes in the parts that go through the networks at once: as few of equal size as may be.

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
        """As ``take``, of the run's first batches, all full, of at least so many images."""
        size = self._config.batch_size
        return [part for start in range(0, images, size) for part in self._parts(start, size)]

    def inputs(self, parts: Iterable[Batch]) -> Iterator[StepInput]:
        """As the networks take them."""
        for part in parts:
            yield StepInput.of(part, self._layout)

    def _parts(self, images_seen: int, count: int) -> list[Batch]:
        start, share = self._workers.share(images_seen, count)
        parts = self._workers.size * self._config.compute.accumulation
        most = max(self._config.batch_size // parts, 1)
        size = next(size for size in range(min(most, share), 0, -1) if share % size == 0)
        return [self.batches.at(place, size) for place in range(start, start + share, size)]

    def _count(self, images_seen: int) -> int:
        return min(self._config.batch_size, self._config.total_images - images_seen)

    def _begin(self, images_seen: int) -> None:
        """Let a thread read the batch, unless it was begun before."""
        if images_seen == self._place:
            return
        future: Future[list[Batch]] = Future()

        def read() -> None:
            try:
                future.set_result(self._parts(images_seen, self._count(images_seen)))
            except BaseException as error:  # raised again where the batch is needed
                future.set_exception(error)

        self._place, self._next = images_seen, future
        # no thread of concurrent.futures: the end of the interpreter would wait for it
        threading.Thread(target=read, daemon=True).start()
