"""Label maps that have, each, something special, and their semantic maps."""

from __future__ import annotations

from typing import Optional

import numpy as np
import paddle

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.networks.semantics import SemanticLayout


def label_maps(ids: int, *, height: int = 18, width: int = 24) -> dict[str, np.ndarray]:
    """``uint8`` [H, W] of the ids 0..ids-1 and, in some, others; by what is special."""
    rng = np.random.default_rng(5)
    noise = rng.integers(0, ids, (height, width), dtype=np.uint8)
    quarter = np.ones((height // 2, width // 2), np.uint8)
    areas = np.kron(noise[:: height // 2, :: width // 2], quarter)
    lines, dots, frame, holes = areas.copy(), areas.copy(), np.zeros_like(areas), areas.copy()
    lines[height // 3] = lines[:, width // 4] = ids - 1
    np.fill_diagonal(lines, ids - 2)
    for row, column in ((0, 0), (1, 3), (height // 2, width // 2), (height - 1, width - 1)):
        dots[row, column] = (dots[row, column] + 1) % ids
    frame[[0, -1]] = frame[:, [0, -1]] = 1
    holes[2:5, width // 3 : width // 2] = holes[-1, -1] = DONT_CARE
    return {
        "noise": noise,
        "areas": areas,
        "lines": lines,
        "dots": dots,
        "frame": frame,
        "holes": holes,
        "holes in noise": np.where(noise % 3 == 1, np.uint8(DONT_CARE), noise),
        "one id": np.full_like(areas, ids - 1),
        "nothing known": np.full((7, 9), DONT_CARE, np.uint8),
        "every id": np.arange(256, dtype=np.uint8).reshape(16, 16),
        "one row": noise[:1],
        "one column": noise[:, :1],
        "one pixel": noise[:1, :1],
    }


def encoded(
    layout: SemanticLayout, label_map: np.ndarray, instance_map: Optional[np.ndarray] = None
) -> paddle.Tensor:
    """The semantic map [1, K, H, W], as the networks get it."""
    label_map, instance_map = (
        array if array is None else paddle.to_tensor(array.astype(np.int32)[None])
        for array in (label_map, instance_map)
    )
    return layout.encode(label_map, instance_map)
