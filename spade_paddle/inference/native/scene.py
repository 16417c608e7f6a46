"""A label map as the norms of a generator use it.

Legend: P pixels of a label map at the resolution of a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spade_paddle.inference.native.kernels import FloatArray, IndexArray


@dataclass(frozen=True)
class View:
    """A label map at the resolution of some blocks.

    Attributes:
        size: (height, width), P = height * width.
        rows: ``int32`` [P], the row of each pixel in the tables of the norms.
        edges: ``float32`` [P], 1 on instance edges, else 0; None without edges.
        positions: ``float32`` [P, 2], the positional encoding of CLADE-ICPE; None without it.
    """

    size: tuple[int, int]
    rows: IndexArray
    edges: FloatArray | None = None
    positions: FloatArray | None = None


Views = Mapping[int, View]  # by stride, in pixels of the label map


@dataclass(frozen=True)
class Modulation:
    """Gain and offset of every pixel: arguments of ``kernels.modulate``, documented there."""

    table: FloatArray
    index: IndexArray
    factors: FloatArray | None = None
    edges: FloatArray | None = None
