"""One number for everything that the generator sees of a pixel.

Legend: H height, W width of a map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.networks.semantics import SemanticLayout


@dataclass(frozen=True)
class Codes:
    """A code is the channel that is 1 in the semantic map, and whether the pixel is on an edge.

    Attributes:
        layout: of the semantic map.
    """

    layout: SemanticLayout

    @property
    def unknown(self) -> int:
        """Of a pixel that sets no class: 255 where there is no channel for it."""
        return self.layout.classes

    @property
    def outside(self) -> int:
        """Beyond the border of the picture, where the semantic map is 0 and features are, too."""
        return 2 * (self.layout.classes + 1)

    @property
    def count(self) -> int:
        """How many codes there are."""
        return self.outside + 1

    def of(self, label_map: np.ndarray, instance_map: np.ndarray | None) -> np.ndarray:
        """``uint16`` [H, W] of ids and, for the edges, instances; as SemanticLayout.encode."""
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
        """The channel of each code, or ``unknown``."""
        return codes % (self.unknown + 1)

    def on_edge(self, codes: np.ndarray) -> np.ndarray:
        """Whether each code is of an edge."""
        return codes > self.unknown

    def channels(self) -> np.ndarray:
        """The semantic channels of every code, ``float32`` [count, K]."""
        codes, layout = np.arange(self.outside), self.layout
        channels = np.zeros((self.count, layout.channels), np.float32)
        classes = self.class_of(codes)
        seen = classes < self.unknown
        channels[codes[seen], classes[seen]] = 1
        if layout.edges:
            channels[codes, layout.classes] = self.on_edge(codes)
        return channels


def _edges(instances: np.ndarray) -> np.ndarray:
    """Where a pixel's instance differs from one beside, above or below it."""
    edges = np.zeros(instances.shape, bool)
    across, down = instances[:, 1:] != instances[:, :-1], instances[1:] != instances[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges
