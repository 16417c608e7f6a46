"""Issues of photos, of their sizes and those of their maps, and of photos that are there twice.

Photos are compared by a difference hash: is a pixel of a 17x16 thumbnail brighter than the one to
its left? Copies that were shrunk or compressed anew differ in at most about 25 of the 256 answers,
different photos in 40 and more; and the thumbnails' colors must agree, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from spade_paddle.doctor.findings import Issue
from spade_paddle.doctor.survey import SceneFacts, Survey

_EXTREME_ASPECT = 4.0  # longer side over shorter one
_MOST_BITS = 36  # of 256 that may differ
_MOST_COLOR = 12.0  # mean difference of the thumbnails, of 255
_ROWS = 1024  # photos compared at a time with all others


def check_photos(survey: Survey) -> Iterator[Issue]:
    """The issues of single photos."""
    readable = []
    for scene in survey.scenes:
        photo, path = scene.photo, scene.pair.photo
        if photo.problem:
            yield Issue("photo_unreadable", [path], f"{path.name}: {photo.problem}")
            continue
        readable.append(scene)
        yield from _sizes(scene)
        if photo.orientation != 1 and not scene.label_map.size == photo.stored != photo.size:
            yield Issue("photo_rotated", [path])
    kinds = dict.fromkeys(scene.photo.converted for scene in readable if scene.photo.converted)
    for kind in kinds:
        photos = [scene.pair.photo for scene in readable if scene.photo.converted == kind]
        yield Issue("photo_mode", photos, f"{len(photos)} {kind}")
    long = {
        scene.pair.photo: scene.photo.size
        for scene in readable
        if max(scene.photo.size) > _EXTREME_ASPECT * min(scene.photo.size)
    }
    if long:
        width, height = max(long.values(), key=lambda size: max(size) / min(size))
        told = f"{_EXTREME_ASPECT:g} times as long as wide, the most extreme {width}x{height}"
        yield Issue("photo_aspect", list(long), told)
    data = survey.config and survey.config.data
    if data and (data.crops or data.load_mode == "fixed"):
        wanted = data.crop_size, data.crop_height
        sizes = {scene.pair.photo: scene.photo.size for scene in readable}
        small = {p: s for p, s in sizes.items() if s[0] < wanted[0] or s[1] < wanted[1]}
        if small:
            smallest = min(small.values(), key=min)
            told = "of {}x{} pixels (the smallest is {}x{})".format(*wanted, *smallest)
            yield Issue("photo_small", list(small), told)


def _sizes(scene: SceneFacts) -> Iterator[Issue]:
    photo, pair = scene.photo, scene.pair
    maps = ((pair.label_map, scene.label_map), (pair.instance_map, scene.instance_map))
    for path, facts in maps:
        if facts is not None and not facts.problem and facts.size != photo.size:
            code = "sizes_differ_exif" if facts.size == photo.stored else "sizes_differ"
            sizes = "the map is {}x{} pixels but its photo {}x{}".format(*facts.size, *photo.size)
            yield Issue(code, [path], sizes)


def check_duplicates(survey: Survey) -> Iterator[Issue]:
    """Photos that are there twice, and different photos with one label map."""
    twins = find_twins(survey.scenes)
    for one, other in twins:
        photos = [one.pair.photo, other.pair.photo]
        code = "photos_duplicate" if one.side == other.side else "photos_leak"
        yield Issue(code, photos, f"{photos[0].name} is {photos[1].name}")
    copies = {one.pair.photo for one, _ in twins}
    same: dict[str, list[SceneFacts]] = defaultdict(list)
    for scene in survey.scenes:
        # maps of a single label may well be the same
        if len(scene.label_map.ids) > 1 and scene.pair.photo not in copies:
            same[scene.label_map.digest].append(scene)
    for digest, scenes in same.items():
        if digest and len(scenes) > 1:
            yield Issue("label_maps_duplicate", [scene.pair.label_map for scene in scenes])


def find_twins(scenes: Sequence[SceneFacts]) -> list[tuple[SceneFacts, SceneFacts]]:
    """Scenes with the same photo: the one to leave out, the one to keep.

    A photo of train that is in val comes first; inside a part the later one does. No scene is
    left out twice.
    """
    known = [scene for scene in scenes if scene.photo.thumbnail is not None]
    order = sorted(known, key=lambda scene: scene.side != "val")  # val is kept
    found: dict[int, int] = {}  # the later -> the earlier
    for earlier, later in _alike([scene.photo.thumbnail for scene in order]):
        if earlier not in found and later not in found:
            found[later] = earlier
    return [(order[later], order[earlier]) for later, earlier in sorted(found.items())]


def _alike(thumbnails: list[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Which thumbnails, each [16, 17, 3], show one photo: index pairs, the smaller first."""
    if not thumbnails:
        return
    gray = np.stack([cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY) for thumbnail in thumbnails])
    bits = (gray[:, :, 1:] > gray[:, :, :-1]).reshape(len(gray), -1)
    signs = np.where(bits, 1, -1).astype(np.float32)
    for start in range(0, len(signs), _ROWS):
        differing = (bits.shape[1] - signs[start : start + _ROWS] @ signs.T) / 2
        for row, later in np.argwhere(differing <= _MOST_BITS).tolist():
            earlier = start + row
            if earlier < later:
                difference = np.abs(thumbnails[earlier].astype(np.int16) - thumbnails[later])
                if difference.mean() <= _MOST_COLOR:
                    yield earlier, later
