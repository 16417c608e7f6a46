"""A table of painting times of generators, for each engine."""

from __future__ import annotations

import multiprocessing
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.compression.cost import macs_cost
from spade_paddle.compression.groups import widths_of
from spade_paddle.engine.quiet import import_paddle
from spade_paddle.inference.engines import EngineName
from spade_paddle.inference.native.kernels import openmp
from spade_paddle.inference.painter import Painter
from spade_paddle.inference.timing import interleaved, scene, seconds
from spade_paddle.model_card import ModelCard
from spade_paddle.onednn.library import OneDNNError, matrix_product

_PRODUCT = 1536  # rows and columns of the matrices whose product tells the peak


@dataclass(frozen=True)
class TimingRow:
    """One engine's times for one model.

    Attributes:
        engine: ``paddle``, ``native``, or ``native, known``: the same map was painted before.
        threads: CPU threads.
        milliseconds: the median for a picture.
        ratio: how often faster than Paddle with as many threads, the median of pairs.
        share: of the machine's peak in multiply-adds with as many threads; None: not known.
    """

    engine: str
    threads: int
    milliseconds: float
    ratio: float
    share: float | None


def time_model(
    folder: Path, *, side: int, threads: Sequence[int], rounds: int, peaks: dict[int, float]
) -> list[TimingRow]:
    """All engines with all numbers of threads, interleaved picture by picture.

    Args:
        folder: model folder.
        side: pixels of a square picture.
        threads: numbers of them.
        rounds: different label maps; one more before them is not timed.
        peaks: multiply-adds a second by threads, of ``peak``; empty: not known.
    """
    names, painters = [], []
    for count in threads:
        paddle = Painter.load(folder, threads=count, engine="paddle")
        names.append(("paddle", count))
        painters.append(paddle.paint)
        native = Painter.load(folder, threads=count)
        if native.engine == "native":
            names += [("native", count), ("native, known", count)]
            painters += [native.paint, native.paint]
    labels = len(paddle.label_set)
    maps = [scene(seed, height=side, width=side, labels=labels) for seed in range(rounds + 1)]
    times = dict(zip(names, interleaved(painters, maps)[1:].T))
    macs = macs_of(folder, side)
    return [
        TimingRow(
            engine,
            count,
            1000 * statistics.median(column),
            statistics.median(times["paddle", count] / column),
            macs / statistics.median(column) / peaks[count] if count in peaks else None,
        )
        for (engine, count), column in times.items()
    ]


def macs_of(folder: Path, side: int) -> float:
    """Multiply-adds of a picture by the dense graph."""
    card = ModelCard.read(folder)
    cost = macs_cost(card.config, num_labels=len(card.label_set), height=side, width=side)
    return cost.of(widths_of(card.config))


def peak(threads: Sequence[int]) -> dict[int, float]:
    """Multiply-adds a second of a large float32 matrix product by oneDNN, by number of threads.

    Empty where the library is not there.
    """
    left, right, out = (np.ones((_PRODUCT, _PRODUCT), np.float32) for _ in range(3))
    sizes = (_PRODUCT, _PRODUCT, _PRODUCT)

    def multiply(_: object) -> None:
        matrix_product(left.ctypes.data, right.ctypes.data, out.ctypes.data, sizes=sizes)

    found = {}
    try:
        for count in threads:
            openmp().omp_set_num_threads(count)
            found[count] = _PRODUCT**3 / min(seconds(multiply, left) for _ in range(5))
    except (OSError, OneDNNError):
        return {}
    return found


def memory(folder: Path, engine: EngineName, *, side: int, pictures: int = 3) -> float:
    """MiB that a process has at most while it paints pictures of different maps, above what it has
    before the model is loaded."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=import_paddle) as process:
        return process.submit(_memory, folder, engine, side, pictures).result()


def _memory(folder: Path, engine: EngineName, side: int, pictures: int) -> float:
    before = _most_mib()
    painter = Painter.load(folder, threads=1, engine=engine)
    for seed in range(pictures):
        labels = len(painter.label_set)
        painter.paint(scene(seed, height=side, width=side, labels=labels))
    return _most_mib() - before


def _most_mib() -> float:
    # not getrusage's, which begins with what the parent process had
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024  # of kB
