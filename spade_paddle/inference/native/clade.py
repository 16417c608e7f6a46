"""CLADE with trained weights: only its own tables are looked up (layers/clade.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.scene import Modulation, View, Views


class CladeNorm:
    """One CLADE layer.

    Args:
        weights: of the layer, by the names that they have in it.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        table = np.concatenate([weights["weight"], weights["bias"]], axis=1)
        # the last row is that of a pixel without a class
        self._table = np.concatenate([table, np.zeros_like(table[:1])])
        self._edge = self._positions = None
        if "edge_conv.weight" in weights:
            self._edge = weights["edge_conv.weight"].item(), weights["edge_conv.bias"].item()
        if "position_weight.weight" in weights:
            convolutions = ("position_weight", "position_bias")
            slopes = [weights[f"{name}.weight"].reshape(2) for name in convolutions]
            self._positions = (
                np.stack(slopes, axis=1),
                1 + np.concatenate([weights[f"{name}.bias"] for name in convolutions]),
            )

    def modulation(self, view: View) -> Modulation:
        """Of every pixel of a view of ``clade_views``."""
        factors = edges = None
        if self._positions is not None:
            slopes, start = self._positions
            factors = view.positions @ slopes + start
        if self._edge is not None:
            slope, start = self._edge
            edges = view.edges * np.float32(slope) + np.float32(start)
        return Modulation(self._table, view.rows, factors, edges)


def clade_views(
    codes: np.ndarray, book: Codes, *, strides: Sequence[int], positions: np.ndarray | None
) -> Views:
    """Views for CladeNorms: a row is a class.

    Args:
        codes: ``uint16`` [H, W], of ``book``.
        strides: of the blocks.
        positions: ``float32`` [2, H, W], or None.
    """
    views = {}
    for stride in strides:
        seen = codes[::stride, ::stride]
        views[stride] = View(
            size=seen.shape,
            rows=book.class_of(seen).astype(np.int32).ravel(),
            edges=book.on_edge(seen).astype(np.float32).ravel() if book.layout.edges else None,
            positions=None
            if positions is None
            else np.ascontiguousarray(positions[:, ::stride, ::stride].reshape(2, -1).T),
        )
    return views
