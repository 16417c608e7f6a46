"""Measures painting times on this machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

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
"""Most generators that are exported and timed when searching for one budget."""


def latency_cost(
    config: Config, label_set: LabelSet, *, height: int, width: int, rounds: int = 9
) -> Cost:
    """Milliseconds per picture as a cost of generator widths, the median of some rounds.

    Each candidate is exported with random weights, whose values do not affect the time, and timed
    with the painter.

    Args:
        config: configuration of the generator; its widths are replaced.
        label_set: its labels.
        height: of the picture in pixels.
        width: of the picture in pixels.
        rounds: pictures to time, after two for warm-up.
    """

    def measure(widths: GeneratorWidths) -> float:
        student = student_config(config, widths)
        with tempfile.TemporaryDirectory() as folder:
            painter = Painter.load(export_untrained(student, label_set, Path(folder) / "model"))
            label_map = synthetic_label_map(0, height=height, width=width, labels=len(label_set))
            times = [seconds(painter.paint, label_map) for _ in range(2 + rounds)]
        return 1000 * statistics.median(times[2:])

    return Cost(measure, "ms", evaluations=EVALUATIONS)


def synthetic_label_map(seed: int, *, height: int, width: int, labels: int) -> np.ndarray:
    """Draw a random label map, ``uint8`` [height, width]: bands with rough edges, and patches.

    At 256 x 256 it has about as many distinct 5 x 5 patterns as label maps of photos, which the
    native engine's time depends on.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    label_map = np.full((height, width), rng.integers(labels), np.uint8)
    for band in range(1, 5):
        steps = rng.normal(0, 1, width) * (rng.random(width) < 0.25)
        edge = height * band / 5 + np.cumsum(steps - steps.mean())
        label_map[rows > edge] = rng.integers(labels)
    for _ in range(7):
        y, x = rng.integers(height), rng.integers(width)
        high, wide = rng.uniform(0.01, 0.06) * height, rng.uniform(0.02, 0.1) * width
        roughness = rng.normal(1, 0.02, (height, width))
        inside = ((rows - y) / high) ** 2 + ((columns - x) / wide) ** 2 < roughness
        label_map[inside] = rng.integers(labels)
    return label_map


def seconds(paint: Callable[[np.ndarray], object], label_map: np.ndarray) -> float:
    """Time one picture."""
    started = time.perf_counter()
    paint(label_map)
    return time.perf_counter() - started


def interleaved(
    painters: Sequence[Callable[[np.ndarray], object]],
    label_maps: Sequence[np.ndarray],
) -> np.ndarray:
    """Time every painter on the first map, then on the second, and so on.

    Other load on the machine then slows all painters alike, so ratios stay valid.

    Returns:
        Seconds [label maps, painters].
    """
    return np.array([[seconds(paint, each) for paint in painters] for each in label_maps])


def export_untrained(config: Config, label_set: LabelSet, folder: Path) -> Path:
    """Export a generator with random weights as a model folder, for timing."""
    network = LabelsToPicture.of(config, num_labels=len(label_set))
    encoder = build_encoder(config, spectral_norm=False)
    return export_generator(
        network.generator.state_dict(),
        folder,
        config=config,
        label_set=label_set,
        name="timed",
        version="0",
        training={"config": without_folders(config.to_dict())},
        encoder_state=None if encoder is None else encoder.state_dict(),
    )
