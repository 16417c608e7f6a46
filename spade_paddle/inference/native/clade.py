"""CLADE with trained weights: gain and offset are rows of its class tables (layers/clade.py).

Legend: H, W size of a label map, P pixels of a view, C modulated channels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.kernels import CodeArray, FloatArray
from spade_paddle.inference.native.scene import Modulation, View, Views


class CladeNorm:
    """One CLADE layer.

    Args:
        weights: ``float32`` by name, as in the layer: weight and bias [classes, C], optionally
            those of the 1x1 convolutions ``edge_conv``, ``position_weight`` and ``position_bias``.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        table = np.concatenate([weights["weight"], weights["bias"]], axis=1)
        # the last row: pixels without a class
        self._table = np.concatenate([table, np.zeros_like(table[:1])])
        self._edge: tuple[float, float] | None = None  # slope and intercept
        self._positions: tuple[FloatArray, FloatArray] | None = None  # [2, 2], [2]
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
        """Gain and offset of every pixel of a view from ``clade_views``."""
        factors = edges = None
        if self._positions is not None:
            slopes, intercepts = self._positions
            assert view.positions is not None
            factors = view.positions @ slopes + intercepts
        if self._edge is not None:
            slope, intercept = self._edge
            assert view.edges is not None
            edges = view.edges * np.float32(slope) + np.float32(intercept)
        return Modulation(self._table, view.rows, factors, edges)


def clade_views(
    code_map: CodeArray, codes: Codes, *, strides: Collection[int], positions: FloatArray | None
) -> Views:
    """Views for CladeNorms, whose table rows are classes.

    Args:
        code_map: ``uint16`` [H, W], from ``codes.encode``.
        codes: of the label maps.
        strides: of the blocks, in pixels.
        positions: positional encoding, ``float32`` [2, H, W]; None without it.
    """
    views = {}
    for stride in strides:
        coarse = code_map[::stride, ::stride]
        height, width = coarse.shape
        views[stride] = View(
            size=(height, width),
            rows=codes.class_of(coarse).astype(np.int32).ravel(),
            edges=codes.on_edge(coarse).astype(np.float32).ravel() if codes.layout.edges else None,
            positions=None
            if positions is None
            else np.ascontiguousarray(positions[:, ::stride, ::stride].reshape(2, -1).T),
        )
    return views
