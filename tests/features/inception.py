"""Inception-v3 as weights files of random numbers, and what it gives for them.

``inception_layers.txt`` has the convolutions of torchvision 0.19.1's ``inception_v3`` (which has
the names of the usual weights file of FID), each with its shape. FEATURES and the moments below are
what that network gave in float64 for ``random_arrays`` and ``picture``, once its average poolings
left the padding out of the count and its last block pooled by maximum.
"""

from __future__ import annotations

import functools
import zlib
from pathlib import Path

import numpy as np

from tests.features.weights import write_weights

LAYERS = Path(__file__).with_name("inception_layers.txt")
SIDE = 107  # pixels; the last maps have 2 x 2 places
FEATURES = {
    **{11: 0.120672, 108: 1.322432, 205: 1.537346, 302: 0.0, 399: 1.214901, 496: 2.425301},
    **{593: 5.698819, 690: 0.0, 787: 1.766856, 884: 2.181425, 981: 0.0, 1078: 0.152865},
    **{1175: 0.261117, 1272: 0.396288, 1369: 1.919222, 1466: 0.125913, 1563: 1.586761},
    **{1660: 0.050614, 1757: 0.573033, 1854: 0.280821, 1951: 0.0},
}
BRANCH_MEANS = {(0, 320): 1.546978, (320, 1088): 1.672451, (1088, 1856): 1.177404}
BRANCH_MEANS[1856, 2048] = 2.447675  # of the pooled one
DEVIATION = 2.203808


def layers() -> dict[str, tuple[int, ...]]:
    """Shapes of the convolutions' weights by name."""
    lines = (line.split() for line in LAYERS.read_text(encoding="utf-8").splitlines())
    return {name: tuple(map(int, shape)) for name, *shape in lines}


def random_layer(name: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """A convolution and its batch norm, by the names of the file."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    scale = np.sqrt(2 / np.prod(shape[1:]))
    values = {
        "conv.weight": scale * rng.standard_normal(shape, dtype=np.float32),
        "bn.weight": rng.uniform(0.5, 1.5, shape[0]),
        "bn.bias": 0.2 * rng.standard_normal(shape[0]),
        "bn.running_mean": 0.2 * rng.standard_normal(shape[0]),
        "bn.running_var": rng.uniform(0.5, 1.5, shape[0]),
    }
    return {f"{name}.{kind}": value.astype(np.float32) for kind, value in values.items()}


@functools.cache
def random_arrays() -> dict[str, np.ndarray]:
    """All arrays of the file; those of the classifier, which are not used, are zeros."""
    arrays = {"fc.weight": np.zeros((1008, 1), np.float32), "fc.bias": np.zeros(1008, np.float32)}
    for name, shape in layers().items():
        arrays.update(random_layer(name, shape))
        arrays[f"{name}.bn.num_batches_tracked"] = np.array(0)
    return arrays


def inception_file(folder: Path, **changes: np.ndarray | None) -> Path:
    return write_weights(folder / "inception.npz", random_arrays(), **changes)


def picture() -> np.ndarray:
    """float32 [3, 107, 107] in -1..1."""
    return np.random.default_rng(0).uniform(-1, 1, (3, SIDE, SIDE)).astype(np.float32)
