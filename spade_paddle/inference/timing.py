"""How long a generator of given widths takes for a picture on this machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Callable

import numpy as np

from spade_paddle.compression.clipping import student_config
from spade_paddle.compression.cost import Cost
from spade_paddle.config import Config
from spade_paddle.data.labels import LabelSet
from spade_paddle.inference.export import LabelsToPicture, export_generator, without_folders
from spade_paddle.inference.painter import Painter
from spade_paddle.networks.build import build_encoder
from spade_paddle.networks.widths import GeneratorWidths

EVALUATIONS = 10
"""So often at most a generator is exported and timed for one budget."""


def latency_cost(
    config: Config, label_set: LabelSet, *, height: int, width: int, rounds: int = 9
) -> Cost:
    """Milliseconds for one picture by the painter, the median of so many rounds.

    Every generator that is asked for is exported with fresh weights, which take as long as others,
    and painted with.

    Args:
        config: what kind of generator it is; its own widths do not count.
        label_set: its labels.
        height: of the picture, as is ``width``.
        rounds: pictures that are timed, after two that are not.
    """

    def measure(widths: GeneratorWidths) -> float:
        student = student_config(config, widths)
        with tempfile.TemporaryDirectory() as folder:
            painter = _untrained_painter(student, label_set, Path(folder) / "model")
            label_map = stripes(height, width, labels=len(label_set))
            times = [seconds(painter.paint, label_map) for _ in range(2 + rounds)]
        return 1000 * statistics.median(times[2:])

    return Cost(measure, "ms", evaluations=EVALUATIONS)


def stripes(height: int, width: int, *, labels: int) -> np.ndarray:
    """A label map ``uint8`` [height, width] of four horizontal stripes."""
    bands = np.arange(height) * 4 // height % labels
    return np.repeat(bands.astype(np.uint8), width).reshape(height, width)


def seconds(paint: Callable[[np.ndarray], object], label_map: np.ndarray) -> float:
    """How long one picture takes."""
    started = time.perf_counter()
    paint(label_map)
    return time.perf_counter() - started


def _untrained_painter(config: Config, label_set: LabelSet, folder: Path) -> Painter:
    network = LabelsToPicture.of(config, num_labels=len(label_set))
    encoder = build_encoder(config, spectral_norm=False)
    export_generator(
        network.generator.state_dict(),
        folder,
        config=config,
        label_set=label_set,
        name="timed",
        version="0",
        training={"config": without_folders(config.to_dict())},
        encoder_state=None if encoder is None else encoder.state_dict(),
    )
    return Painter.load(folder)
