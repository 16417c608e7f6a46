"""Statistics of a data set, and suggested lines of a configuration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spade_paddle.config import Config
from spade_paddle.data.labels import DONT_CARE, LABELS_FILE, LabelSet
from spade_paddle.doctor.survey import Survey
from spade_paddle.errors import ConfigError

_LARGEST_CROP = 256
_LOAD = 286 / 256  # short side over crop


@dataclass(frozen=True)
class PartSummary:
    """Statistics of one part of a data set. Sizes are (width, height) of upright photos: of the one
    with the shortest side, and of the median and largest by area.

    ``shares`` has the mean share of pixels of every label, 0..1, and ``maps`` the number of label
    maps that contain it; don't care comes last. Both are over ``maps_read`` label maps.
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
        """The JSON-serializable form, with the labels' names."""
        names = [*(label.name_en for label in label_set.labels), "255"]
        counts = [
            {"label": name, "share": round(share, 6), "maps": maps}
            for name, share, maps in zip(names, self.shares, self.maps)
        ]
        content = {**dataclasses.asdict(self), "shares": counts}
        del content["maps"]  # included in the shares
        return content


def summarize(
    name: str,
    *,
    sizes: Sequence[tuple[int, int]],
    counts: Sequence[dict[int, int]],
    num_labels: int,
) -> PartSummary:
    """Compute the statistics of one part.

    Args:
        name: name of the part.
        sizes: (width, height) of its photos.
        counts: for each label map that was read, pixels by value.
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


def suggest(survey: Survey, parts: Sequence[PartSummary]) -> tuple[str, ...]:
    """Suggest a ``data:`` section; empty if there are no photos."""
    sizes = [part.smallest for part in parts if part.scenes]
    if not sizes:
        return ()
    smallest = min(sizes, key=min)
    config = survey.config or Config()
    multiple = config.generator.multiple
    crop = max(multiple, min(_LARGEST_CROP, min(smallest) // multiple * multiple))
    load = max(crop, min(round(crop * _LOAD), min(smallest)))
    if any(part.maps[-1] for part in parts):
        dont_care = f"true  # {DONT_CARE} occurs"
    elif config.data.drop_label_probability > 0 and survey.config:
        dont_care = "true  # needed by drop_label_probability"
    else:
        dont_care = f"false  # no {DONT_CARE}; true is needed by drop_label_probability"
    edges = all(scene.instance_map is not None for scene in survey.scenes)
    why = f"there are {'' if edges else 'no '}instance maps"
    return (
        "data:",
        f"  labels: {_labels_file(survey)}  # {len(survey.label_set)} labels",
        f"  crop_size: {crop}",
        f"  load_size: {load}  # the smallest photo is {smallest[0]}x{smallest[1]}",
        f"  dont_care: {dont_care}",
        f"  instance_edges: {str(edges).lower()}  # {why}",
    )


def _labels_file(survey: Survey) -> str:
    own = survey.folder / LABELS_FILE
    try:
        if own.is_file() and LabelSet.load(own) == survey.label_set:
            return str(own.resolve())
    except ConfigError:  # an invalid file, which was not asked for
        pass
    return f"labels/{survey.label_set.name}.yaml"
