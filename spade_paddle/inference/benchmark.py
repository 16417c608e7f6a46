"""Measures the painting times of generators, for each engine."""

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
from spade_paddle.inference.timing import interleaved, seconds, synthetic_label_map
from spade_paddle.model_card import ModelCard
from spade_paddle.onednn.library import OneDNNError, matrix_product

_MATRIX_SIZE = 1536  # of the square matrices whose product measures the peak


@dataclass(frozen=True)
class TimingRow:
    """Timings of one engine on one model.

    Attributes:
        engine: ``paddle``, ``native``, or ``native, known``: the same map was painted before.
        threads: CPU threads.
        milliseconds: median per picture.
        ratio: speedup over Paddle with the same number of threads, median over label maps.
        share: fraction of the machine's peak multiply-add rate with the same number of threads;
            None if the peak is unknown.
    """

    engine: str
    threads: int
    milliseconds: float
    ratio: float
    share: float | None


def time_model(
    folder: Path, *, side: int, threads: Sequence[int], rounds: int, peaks: dict[int, float]
) -> list[TimingRow]:
    """Time all engines with every number of threads, interleaved picture by picture.

    Args:
        folder: model folder.
        side: height and width of the picture in pixels.
        threads: the numbers of threads to time.
        rounds: label maps to time, after one for warm-up.
        peaks: multiply-adds per second by number of threads, see ``peak``; empty if unknown.
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
    maps = [
        synthetic_label_map(seed, height=side, width=side, labels=labels)
        for seed in range(rounds + 1)
    ]
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
    """Count the multiply-adds of one picture in the dense graph."""
    card = ModelCard.read(folder)
    cost = macs_cost(card.config, num_labels=len(card.label_set), height=side, width=side)
    return cost.of(widths_of(card.config))


def peak(threads: Sequence[int]) -> dict[int, float]:
    """Measure the multiply-adds per second of oneDNN's float32 matrix product.

    Returns:
        The rate by number of threads; empty if oneDNN is not available.
    """
    left, right, out = (np.ones((_MATRIX_SIZE, _MATRIX_SIZE), np.float32) for _ in range(3))
    sizes = (_MATRIX_SIZE, _MATRIX_SIZE, _MATRIX_SIZE)

    def multiply(_: object) -> None:
        matrix_product(left.ctypes.data, right.ctypes.data, out.ctypes.data, sizes=sizes)

    found = {}
    try:
        for count in threads:
            openmp().omp_set_num_threads(count)
            found[count] = _MATRIX_SIZE**3 / min(seconds(multiply, left) for _ in range(5))
    except (OSError, OneDNNError):
        return {}
    return found


def memory(folder: Path, engine: EngineName, *, side: int, pictures: int = 3) -> float:
    """Measure the peak memory in MiB that loading a model and painting different maps adds to a
    new process."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=import_paddle) as process:
        return process.submit(_memory, folder, engine, side, pictures).result()


def _memory(folder: Path, engine: EngineName, side: int, pictures: int) -> float:
    before = _peak_mib()
    painter = Painter.load(folder, threads=1, engine=engine)
    for seed in range(pictures):
        labels = len(painter.label_set)
        painter.paint(synthetic_label_map(seed, height=side, width=side, labels=labels))
    return _peak_mib() - before


def _peak_mib() -> float:
    # not getrusage, whose peak starts with that of the parent process
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024  # of kB
