"""The colors of a color mask, and the labels they belong to.

Legend: N colors of the table; U other colors. A packed color is red * 65536 + green * 256 + blue.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.errors import ConfigError

FIRST_UNKNOWN = 256  # groups from here on are colors of no label, one group each


def pack(pixels: np.ndarray) -> np.ndarray:
    """Pack RGB colors ``uint8`` [..., 3] into ``int32`` [...]; further channels are ignored."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return (red << 16) | (green << 8) | blue


def unpack(packed: np.ndarray) -> np.ndarray:
    """Unpack colors [...] into RGB ``int32`` [..., 3]; the inverse of ``pack``."""
    return np.stack([packed >> 16, (packed >> 8) & 255, packed & 255], axis=-1)


class ColorTable:
    """Colors by index: those of the labels, then that of "don't care", then all others found.

    Args:
        label_set: the labels; their colors must differ.
        tolerance: largest difference in a channel at which a color still counts as a label's.

    Attributes:
        packed: ``int32`` [N], the colors.
        groups: ``int32`` [N], the group of each color: a label's id, 255 for "don't care", or a
            number from 256 on for a color of no label.
        official: number of colors that are exactly a label's or that of "don't care".

    Raises:
        ConfigError: two labels have the same color.
    """

    def __init__(self, label_set: LabelSet, *, tolerance: int) -> None:
        for one, other in combinations(label_set.labels, 2):
            if one.color == other.color:
                raise ConfigError(
                    f"label set '{label_set.name}': '{one.name_en}' and '{other.name_en}' have the "
                    f"same color {one.hex_color}, so a color mask cannot tell them apart; change "
                    "one of them",
                    code="label_colors_equal",
                )
        palette = label_set.palette()
        self._labels = len(label_set)
        self._tolerance = tolerance
        self.packed = pack(np.append(palette[: self._labels], palette[[DONT_CARE]], axis=0))
        self.groups = np.append(np.arange(self._labels), DONT_CARE)
        self.official = len(self.packed)

    def find(self, packed: np.ndarray) -> np.ndarray:
        """Indices ``int32`` [...] of packed colors [...]; -1 if not in the table."""
        order = np.argsort(self.packed, kind="stable")  # a label takes precedence over "don't care"
        place = np.searchsorted(self.packed, packed, sorter=order).clip(max=len(order) - 1)
        index = order[place].astype(np.int32)
        return np.where(self.packed[index] == packed, index, np.int32(-1))

    def add(self, packed: np.ndarray) -> np.ndarray:
        """As ``find``, but new colors are added first: in the group of the nearest label within the
        tolerance, or else in one of their own."""
        new = np.unique(packed[self.find(packed) < 0])
        labels, near = self._nearest(unpack(new))
        unknown = FIRST_UNKNOWN + len(self.packed) + np.arange(len(new))
        self.packed = np.append(self.packed, new)
        self.groups = np.append(self.groups, np.where(near, labels, unknown))
        return self.find(packed)

    def nearest(self, packed: np.ndarray) -> np.ndarray:
        """Indices ``int32`` [U] of the label colors that are nearest to packed colors [U]."""
        return self._nearest(unpack(packed))[0]

    def _nearest(self, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For colors [U, 3]: the nearest label, and whether it is within the tolerance."""
        best = np.full(len(colors), 2**30)
        labels = np.zeros(len(colors), np.int32)
        for label, own in enumerate(unpack(self.packed[: self._labels])):
            difference = np.abs(colors - own)
            # by the largest difference of a channel; ties by the sum
            score = difference.max(axis=1) * 1024 + difference.sum(axis=1)
            closer = score < best
            labels[closer], best[closer] = label, score[closer]
        return labels, best // 1024 <= self._tolerance
