"""Contact sheets: rows of pictures side by side, to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sheet(rows: Sequence[Sequence[np.ndarray]], *, gap: int = 4) -> np.ndarray:
    """Arrange rows of pictures in a grid on white, each at the top left of its cell.

    Args:
        rows: each a sequence of ``uint8`` [H, W, 3]; cells have the largest H and W.
        gap: pixels between cells.

    Returns:
        ``uint8`` [H', W', 3].
    """
    height, width = (max(picture.shape[axis] for row in rows for picture in row) for axis in (0, 1))
    columns = max(len(row) for row in rows)
    canvas = np.full(
        (len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8
    )
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = i * (height + gap), j * (width + gap)
            canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas
