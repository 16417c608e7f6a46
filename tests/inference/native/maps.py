"""Label maps that have, each, something special."""

from __future__ import annotations

import numpy as np


def label_maps(ids: int, *, height: int = 18, width: int = 24) -> dict[str, np.ndarray]:
    """``uint8`` maps [H, W] of the ids 0..ids-1, by what is special about them."""
    rng = np.random.default_rng(5)
    noise = rng.integers(0, ids, (height, width), dtype=np.uint8)
    areas = np.kron(noise[:: height // 2, :: width // 2], np.ones((height // 2, width // 2)))
    areas = areas.astype(np.uint8)
    lines, dots, frame = areas.copy(), areas.copy(), np.zeros_like(areas)
    lines[height // 3] = lines[:, width // 4] = ids - 1
    np.fill_diagonal(lines, ids - 2)
    for row, column in ((0, 0), (1, 3), (height // 2, width // 2), (height - 1, width - 1)):
        dots[row, column] = (dots[row, column] + 1) % ids
    frame[[0, -1]] = frame[:, [0, -1]] = 1
    return {
        "noise": noise,
        "areas": areas,
        "lines": lines,
        "dots": dots,
        "frame": frame,
        "one id": np.full_like(areas, ids - 1),
        "one row": noise[:1],
        "one column": noise[:, :1],
        "one pixel": noise[:1, :1],
    }
