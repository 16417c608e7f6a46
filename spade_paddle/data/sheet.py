"""Contact sheets: rows of pictures side by side, to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sheet(rows: Sequence[Sequence[np.ndarray]], *, gap: int = 4) -> np.ndarray:
    """Lay out rows of equally large pictures on white.

    Args:
        rows: each a sequence of ``uint8`` [H, W, 3]; all pictures have one size.
        gap: white pixels between pictures.

    Returns:
        ``uint8`` [H', W', 3].
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    canvas = np.full(
        (len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8
    )
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = i * (height + gap), j * (width + gap)
            canvas[top : top + height, left : left + width] = picture
    return canvas
