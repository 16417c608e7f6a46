"""Checks photos, their sizes and those of their maps, and finds duplicate photos.

Photos are compared by a difference hash: whether each pixel of a 17x16 thumbnail is brighter than
the one to its left. Resized or recompressed copies differ in at most about 25 of the 256 bits,
different photos in 40 and more. The colors of the thumbnails must agree as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from spade_paddle.config import Config
from spade_paddle.data.picture_sizes import loaded_size
from spade_paddle.doctor.findings import Issue
from spade_paddle.doctor.survey import SceneFacts, Survey

_EXTREME_ASPECT = 4.0  # longer side over shorter one
_MAX_BITS = 36  # differing bits of 256
_MAX_COLOR = 12.0  # mean absolute difference of the thumbnails, 0..255
_ROUNDING = 1.01  # sides are rounded to whole pixels
_ROWS = 1024  # photos per batch that are compared with all others


def check_photos(survey: Survey) -> Iterator[Issue]:
    """Find the issues of single photos."""
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
        detail = f"more than {_EXTREME_ASPECT:g} times the short one (up to {width}x{height})"
        yield Issue("photo_aspect", list(long), detail)
    if survey.config is not None:
        yield from _enlarged(readable, survey.config)


def _enlarged(scenes: Sequence[SceneFacts], config: Config) -> Iterator[Issue]:
    """Find photos smaller than a crop, or than the size at which they are loaded."""
    data, multiple = config.data, config.generator.multiple
    sizes = {scene.pair.photo: scene.photo.size for scene in scenes}
    small = {}
    if data.crops or data.load_mode == "fixed":
        wanted = data.crop_size, data.crop_height
        small = {p: s for p, s in sizes.items() if s[0] < wanted[0] or s[1] < wanted[1]}
        if small:
            smallest = min(small.values(), key=min)
            detail = "of {}x{} pixels (the smallest is {}x{})".format(*wanted, *smallest)
            yield Issue("photo_small", list(small), detail)
    if not data.has_load_size:
        return
    factors = {}
    for path, (width, height) in sizes.items():
        rows, columns = loaded_size((height, width), data, multiple=multiple)
        factors[path] = min(rows / height, columns / width)
    enlarged = [path for path in sizes if path not in small and factors[path] > _ROUNDING]
    if enlarged:
        most = max(factors[path] for path in enlarged)
        detail = f"by up to {most:.2f} (data.load_size is {data.load_size})"
        yield Issue("photo_enlarged", enlarged, detail)


def _sizes(scene: SceneFacts) -> Iterator[Issue]:
    photo, pair = scene.photo, scene.pair
    maps = ((pair.label_map, scene.label_map), (pair.instance_map, scene.instance_map))
    for path, facts in maps:
        if facts is not None and not facts.problem and facts.size != photo.size:
            code = "sizes_differ_exif" if facts.size == photo.stored else "sizes_differ"
            sizes = "the map is {}x{} pixels but its photo {}x{}".format(*facts.size, *photo.size)
            yield Issue(code, [path], sizes)


def check_duplicates(survey: Survey) -> Iterator[Issue]:
    """Find duplicate photos, and different photos with identical label maps."""
    duplicates = find_duplicate_photos(survey.scenes)
    for one, other in duplicates:
        photos = [one.pair.photo, other.pair.photo]
        code = "photos_duplicate" if one.side == other.side else "photos_leak"
        yield Issue(code, photos, f"{photos[0].name} is {photos[1].name}")
    copies = {one.pair.photo for one, _ in duplicates}
    same: dict[str, list[SceneFacts]] = defaultdict(list)
    for scene in survey.scenes:
        # maps of a single label are often identical
        if len(scene.label_map.ids) > 1 and scene.pair.photo not in copies:
            same[scene.label_map.digest].append(scene)
    for digest, scenes in same.items():
        if digest and len(scenes) > 1:
            yield Issue("label_maps_duplicate", [scene.pair.label_map for scene in scenes])


def find_duplicate_photos(scenes: Sequence[SceneFacts]) -> list[tuple[SceneFacts, SceneFacts]]:
    """Find scenes with the same photo: pairs of the one to leave out and the one to keep.

    Scenes of val are kept before those of train, and earlier ones before later ones. No scene is
    left out twice.
    """
    known = [scene for scene in scenes if scene.photo.thumbnail is not None]
    order = sorted(known, key=lambda scene: scene.side != "val")  # val is kept
    found: dict[int, int] = {}  # the later -> the earlier
    for earlier, later in _similar_pairs([scene.photo.thumbnail for scene in order]):
        if earlier not in found and later not in found:
            found[later] = earlier
    return [(order[later], order[earlier]) for later, earlier in sorted(found.items())]


def _similar_pairs(thumbnails: list[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Index pairs of thumbnails [16, 17, 3] that show the same photo, the smaller index first."""
    if not thumbnails:
        return
    gray = np.stack([cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY) for thumbnail in thumbnails])
    bits = (gray[:, :, 1:] > gray[:, :, :-1]).reshape(len(gray), -1)
    signs = np.where(bits, 1, -1).astype(np.float32)
    for start in range(0, len(signs), _ROWS):
        differing = (bits.shape[1] - signs[start : start + _ROWS] @ signs.T) / 2
        for row, later in np.argwhere(differing <= _MAX_BITS).tolist():
            earlier = start + row
            if earlier < later:
                difference = np.abs(thumbnails[earlier].astype(np.int16) - thumbnails[later])
                if difference.mean() <= _MAX_COLOR:
                    yield earlier, later
