"""Grid (checkerboard) artifacts: how much of a picture's texture repeats every 8 pixels.

Legend: H, W height and width of a picture.
"""

from __future__ import annotations

import numpy as np

from spade_paddle.data.photos import LUMA

PERIOD = 8
"""In pixels. Patterns of period 2 and 4, from later upsamplings, also repeat after 8 pixels."""
WINDOW = 7 * PERIOD
"""Side of the windows, which are scored separately: large enough for seven repetitions, and small
enough that regions with different patterns, such as snow and trees, mostly have their own."""
_AROUND = PERIOD + 1  # odd, so that the filter is centered


def grid_energy(picture: np.ndarray) -> float:
    """Share of the high-frequency energy that repeats every 8 pixels, 0..1.

    The gray picture is high-pass filtered by subtracting the mean of the 9 x 9 pixels around each
    pixel (without padding) and divided into windows of 56 x 56 pixels. The result is the mean over
    the windows, so a weak pattern in a smooth sky counts as much as a strong one in trees. With
    ``tile`` the mean of a window's 8 x 8 tiles,

        share = var(tile) / var(window)

    which by Parseval's theorem is the share of the energy at the 63 frequencies ``(i / 8, j / 8)``
    per pixel, i and j in 0..7 and not both 0. A pattern of period 8, 4 or 2 gives 1. White noise
    gives ``63 / 56^2``, 2.0 %, and photos, whose content is not aligned with the pixel grid, little
    more; grid (checkerboard) artifacts of a generator give much more. The measure is our own.

    Args:
        picture: ``uint8`` [H, W, 3], at least 16 pixels a side. Below 64 the windows are smaller
            and the share of noise is larger: compare only pictures of the same size.

    Returns:
        The share, in which uniform windows count as 0.
    """
    x = _high_passed(picture @ LUMA)
    sides = [min(WINDOW, size // PERIOD * PERIOD) for size in x.shape]
    rows, columns = (size // side for size, side in zip(x.shape, sides))
    x = x[: rows * sides[0], : columns * sides[1]]
    tiles = x.reshape(rows, sides[0] // PERIOD, PERIOD, columns, sides[1] // PERIOD, PERIOD)
    repeated = tiles.mean(axis=(1, 4)).var(axis=(1, 3))  # [rows, columns]
    whole = tiles.var(axis=(1, 2, 4, 5))
    textured = whole > 1e-12  # not merely rounding errors of a uniform window
    return float(np.where(textured, repeated / np.where(textured, whole, 1), 0).mean())


def _high_passed(gray: np.ndarray) -> np.ndarray:
    """Subtract the mean of the 9 x 9 pixels around each pixel: [H, W] -> [H - 8, W - 8]."""
    sums = np.pad(gray, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    size, margin = _AROUND, _AROUND // 2
    window = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return gray[margin:-margin, margin:-margin] - window / size**2
