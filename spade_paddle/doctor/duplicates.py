"""Findings about pictures that are in the data set twice.

Photos are compared by a difference hash: is a pixel of a 17x16 thumbnail brighter than the one to
its left? Copies that were shrunk or compressed anew differ in at most about 25 of the 256 answers,
different photos in 40 and more; and the thumbnails' colours must agree, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from spade_paddle.doctor.findings import Finding, shorten
from spade_paddle.doctor.survey import SceneFacts, Survey

MOST_BITS = 36  # of 256 that may differ
MOST_COLOUR = 12.0  # mean difference of the thumbnails, of 255
_ROWS = 1024  # photos compared at a time with all others
_SHOWN = 3


def check_duplicates(survey: Survey) -> Iterator[Finding]:
    """Every finding of this file."""
    twins = find_twins(survey.scenes)
    leaks = [(left, right) for left, right in twins if left.side != right.side]
    inside = [(left, right) for left, right in twins if left.side == right.side]
    if leaks:
        yield Finding(
            "photos_leak",
            f"photos of train are in val, too: {_told(leaks)}; pictures of val then look better "
            "than the model is",
            survey.names([scene.pair.photo for pair in leaks for scene in pair]),
            "take them out of train, as --fix does",
        )
    if inside:
        yield Finding(
            "photos_duplicate",
            f"the same photo several times: {_told(inside)}",
            survey.names([scene.pair.photo for pair in inside for scene in pair]),
            "keep one of each, as --fix does",
        )
    yield from _same_maps(survey, twins)


def find_twins(scenes: Sequence[SceneFacts]) -> list[tuple[SceneFacts, SceneFacts]]:
    """Scenes with the same photo: the one to leave out, the one to keep.

    A photo of train that is in val comes first; inside a part the later one does. No scene is
    left out twice.
    """
    known = [scene for scene in scenes if scene.photo.thumbnail is not None]
    order = sorted(known, key=lambda scene: scene.side != "val")  # val is kept
    found: dict[int, int] = {}  # the later -> the earlier
    if not order:
        return []
    thumbnails = np.stack([scene.photo.thumbnail for scene in order])
    for earlier, later in _alike(thumbnails):
        if earlier not in found and later not in found:
            found[later] = earlier
    return [(order[later], order[earlier]) for later, earlier in sorted(found.items())]


def _alike(thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    """Which of the thumbnails [P, 16, 17, 3] show one photo: index pairs, the smaller first."""
    grey = np.stack([cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY) for thumbnail in thumbnails])
    bits = (grey[:, :, 1:] > grey[:, :, :-1]).reshape(len(grey), -1)
    signs = np.where(bits, 1, -1).astype(np.float32)
    for start in range(0, len(signs), _ROWS):
        differing = (bits.shape[1] - signs[start : start + _ROWS] @ signs.T) / 2
        for row, later in np.argwhere(differing <= MOST_BITS):
            earlier = int(start + row)
            if earlier < later and _colour_difference(thumbnails, earlier, later) <= MOST_COLOUR:
                yield earlier, int(later)


def _colour_difference(thumbnails: np.ndarray, left: int, right: int) -> float:
    return float(np.abs(thumbnails[left].astype(np.int16) - thumbnails[right]).mean())


def _told(twins: list[tuple[SceneFacts, SceneFacts]]) -> str:
    told = [f"{one.pair.photo.name} is {other.pair.photo.name}" for one, other in twins]
    return shorten(told[:_SHOWN], told)


def _same_maps(survey: Survey, twins: list[tuple[SceneFacts, SceneFacts]]) -> Iterator[Finding]:
    """Different photos with one label map; maps of a single label may well be the same."""
    copies = {id(scene) for scene, _ in twins}
    groups: dict[str, list[SceneFacts]] = defaultdict(list)
    for scene in survey.scenes:
        if scene.label_map.digest and len(scene.label_map.ids) > 1 and id(scene) not in copies:
            groups[scene.label_map.digest].append(scene)
    same = [scene for group in groups.values() if len(group) > 1 for scene in group]
    if same:
        yield Finding(
            "label_maps_duplicate",
            "different photos have exactly the same label map",
            survey.names([scene.pair.label_map for scene in same]),
            "one of them was probably copied under a wrong name; draw it anew",
        )
