"""How much of a picture's texture is locked to a raster of 8 pixels: the weave of generators.

Legend: H, W height and width of a picture.
"""

from __future__ import annotations

import numpy as np

PERIOD = 8
"""Pixels. Patterns of 2 and 4 pixels, of finer upsamplings, repeat after 8, too."""
WINDOW = 7 * PERIOD
"""Side of the parts that are looked at one by one: wide enough for seven repeats, and so narrow
that snow and trees, which are woven differently, mostly have parts of their own."""
_AROUND = PERIOD + 1  # odd, so that it has a middle
_GRAY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def grid_energy(picture: np.ndarray) -> float:
    """Share of the high-passed energy at the frequencies ``(i / 8, j / 8)`` a pixel, i and j in
    0..7 and not both 0; 0..1.

    High-passed is the gray picture minus its mean over the 9 x 9 pixels around (where they all are
    in the picture). It is cut into windows of 56 x 56 pixels, and the share is the mean of theirs,
    so that a faint weave in the sky counts as a strong one in trees does. Energy at those 63
    frequencies is that of the part that repeats every 8 pixels in both directions, so no spectrum
    is needed: with ``tile`` the mean of a window's 8 x 8 tiles,

        share = var(tile) / var(window)

    by Parseval's theorem. A pattern of period 8 (or 4, or 2) gives 1; white noise gives ``63 /
    56^2``, 2.0 %, as does nearly whatever has no reason to know where pixel 0 is. So photos give
    little more than that, and a generator that paints the same dots wherever its coarse pixels lie
    gives much more. The formula is ours.

    Args:
        picture: ``uint8`` [H, W, 3], 16 pixels a side or more. Below 64 the windows are smaller,
            and the share of noise is larger: compare only with pictures of the same size.

    Returns:
        The share; a window without any texture counts as 0.
    """
    x = _high_passed(picture @ _GRAY)
    sides = [min(WINDOW, size // PERIOD * PERIOD) for size in x.shape]
    rows, columns = (size // side for size, side in zip(x.shape, sides))
    x = x[: rows * sides[0], : columns * sides[1]]
    tiles = x.reshape(rows, sides[0] // PERIOD, PERIOD, columns, sides[1] // PERIOD, PERIOD)
    repeated = tiles.mean(axis=(1, 4)).var(axis=(1, 3))  # [rows, columns]
    whole = tiles.var(axis=(1, 2, 4, 5))
    textured = whole > 1e-12  # what rounding makes of a uniform window has none
    return float(np.where(textured, repeated / np.where(textured, whole, 1), 0).mean())


def _high_passed(gray: np.ndarray) -> np.ndarray:
    """[H, W] -> [H - 8, W - 8]: minus the mean of the window around each pixel."""
    sums = np.pad(gray, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    size, margin = _AROUND, _AROUND // 2
    window = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return gray[margin:-margin, margin:-margin] - window / size**2
