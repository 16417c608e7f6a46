"""One label map as the norms of a generator use it.

Legend: H, W size of the picture, P pixels at one of its coarser sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class View:
    """What the norms of blocks of one size need to know of a picture.

    Attributes:
        size: height and width.
        rows: ``int32`` [P], the row of each pixel in the tables of the norms of that size.
        edges: ``float32`` [P], 1 on instance edges; None without.
        positions: ``float32`` [P, 2], where in its region a pixel lies; None without.
    """

    size: tuple[int, int]
    rows: np.ndarray
    edges: np.ndarray | None = None
    positions: np.ndarray | None = None


Views = Mapping[int, View]  # by stride: so many pixels of the picture is one of the view wide


@dataclass(frozen=True)
class Modulation:
    """Gain and offset of every pixel, for ``kernels.modulate``; see there."""

    table: np.ndarray
    index: np.ndarray
    factors: np.ndarray | None = None
    edges: np.ndarray | None = None
