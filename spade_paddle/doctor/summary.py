"""What a data set consists of: sizes, and how much and how often each label occurs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spade_paddle.data.labels import DONT_CARE, LabelSet


@dataclass(frozen=True)
class PartSummary:
    """One part of a data set. Sizes are (width, height) of upright photos: that with the shortest
    short side, and the middle one and the largest by area.

    ``shares`` holds of every label, and last of don't care, its mean share of a picture, 0..1;
    ``maps`` how many label maps have it at all. Both count ``maps_read`` label maps.
    """

    name: str
    scenes: int
    smallest: tuple[int, int]
    middle: tuple[int, int]
    largest: tuple[int, int]
    maps_read: int
    shares: tuple[float, ...]
    maps: tuple[int, ...]

    def to_dict(self, label_set: LabelSet) -> dict[str, Any]:
        """The JSON-serialisable form, with the labels' names."""
        names = [*(label.name_en for label in label_set.labels), "255"]
        counts = [
            {"label": name, "share": round(share, 6), "maps": maps}
            for name, share, maps in zip(names, self.shares, self.maps)
        ]
        content = {**dataclasses.asdict(self), "shares": counts}
        del content["maps"]  # stands in the shares
        return content


def summarize(
    name: str,
    *,
    sizes: Sequence[tuple[int, int]],
    counts: Sequence[dict[int, int]],
    num_labels: int,
) -> PartSummary:
    """Sum up one part.

    Args:
        name: of the part.
        sizes: (width, height) of its photos.
        counts: of each label map read, the pixels of every value.
        num_labels: K.
    """
    by_area = sorted(sizes, key=math.prod) or [(0, 0)]
    shares = np.zeros((max(len(counts), 1), num_labels + 1))
    for row, pixels in enumerate(counts):
        for value, number in pixels.items():
            if value < num_labels or value == DONT_CARE:
                shares[row, min(value, num_labels)] = number / sum(pixels.values())
    return PartSummary(
        name=name,
        scenes=len(sizes),
        smallest=min(by_area, key=min),
        middle=by_area[len(by_area) // 2],
        largest=by_area[-1],
        maps_read=len(counts),
        shares=tuple(shares.mean(axis=0).tolist()),
        maps=tuple((shares > 0).sum(axis=0).tolist()),
    )
