"""Integer codes for the semantic input of a pixel.

Legend: H, W size of a label map, K channels of the semantic map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.inference.native.kernels import CodeArray, FloatArray
from spade_paddle.networks.semantics import SemanticLayout


@dataclass(frozen=True)
class Codes:
    """A code combines the class of a pixel with whether it is on an instance edge.

    Attributes:
        layout: of the semantic map.
    """

    layout: SemanticLayout

    @property
    def unknown(self) -> int:
        """The class of pixels that set no channel: don't care, where it has no channel."""
        return self.layout.classes

    @property
    def outside(self) -> int:
        """The code of zero padding beyond the border of the picture."""
        return 2 * (self.layout.classes + 1)

    @property
    def count(self) -> int:
        """The number of codes."""
        return self.outside + 1

    def encode(self, label_map: np.ndarray, instance_map: np.ndarray | None) -> CodeArray:
        """The code of each pixel, for the semantic map of ``SemanticLayout.encode``.

        Args:
            label_map: integers [H, W], 0..num_labels-1 or 255; other ids are ``unknown``.
            instance_map: integers [H, W]; None: edges are those of the label map.

        Returns:
            ``uint16`` [H, W].
        """
        known = np.arange(self.layout.num_labels)
        table = np.full(256, self.unknown, np.uint16)
        table[known] = known
        if self.layout.dont_care:
            table[DONT_CARE] = self.layout.num_labels
        codes = table[label_map]
        if self.layout.edges:
            codes[_edges(label_map if instance_map is None else instance_map)] += self.unknown + 1
        return codes

    def class_of(self, codes: np.ndarray) -> np.ndarray:
        """The class of each code, or ``unknown``; shape and type of ``codes``."""
        return codes % (self.unknown + 1)

    def on_edge(self, codes: np.ndarray) -> npt.NDArray[np.bool_]:
        """Whether each code is that of a pixel on an edge; shape of ``codes``."""
        return codes > self.unknown

    def channels(self) -> FloatArray:
        """The semantic channels of every code, ``float32`` [count, K], zeros or ones."""
        codes, layout = np.arange(self.outside), self.layout
        channels = np.zeros((self.count, layout.channels), np.float32)
        classes = self.class_of(codes)
        known = classes < self.unknown
        channels[codes[known], classes[known]] = 1
        if layout.edges:
            channels[codes, layout.classes] = self.on_edge(codes)
        return channels


def _edges(instances: np.ndarray) -> npt.NDArray[np.bool_]:
    """Whether a pixel's instance differs from that of one of its four neighbors."""
    edges = np.zeros(instances.shape, bool)
    across, down = instances[:, 1:] != instances[:, :-1], instances[1:] != instances[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges
