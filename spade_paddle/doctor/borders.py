"""Label maps that were resized as if ids were brightness.

Between sky (1) and tree (5) an interpolation puts ids 2, 3 and 4: ramps of one or two pixels along
nearly every border. Thin things of a true map stand between neighbours of any id.
"""

from __future__ import annotations

import numpy as np

from spade_paddle.data.labels import DONT_CARE

# Of true maps at most an eighth of the borders are ramps (small ones, by chance), of interpolated
# ones a third and more.
MANY_RAMPS = 0.2
_BETWEEN = 0.5  # of the thin runs, how many lie between their neighbours; a third by chance


def ramp_share(values: np.ndarray) -> float:
    """Ramp pixels for each border of a map [H, W]: 0 for clear borders, about 1 for ramps
    everywhere; 0 too when its thin runs do not mostly lie between their neighbours."""
    borders = thin = ramps = 0
    for rows in (values, np.ascontiguousarray(values.T)):
        borders += int((rows[:, 1:] != rows[:, :-1]).sum())
        for step in (1, 2):
            left, middle, right = rows[:, : -2 * step], rows[:, step:-step], rows[:, 2 * step :]
            differs = (left != middle) & (middle != right)
            differs &= (left != DONT_CARE) & (right != DONT_CARE)  # the largest id by chance only
            left, middle, right = left[differs], middle[differs], right[differs]
            thin += len(middle)
            rises = (left < middle) & (middle < right)
            falls = (left > middle) & (middle > right)
            ramps += int((rises | falls).sum())
    return ramps / borders if ramps > _BETWEEN * thin else 0.0
