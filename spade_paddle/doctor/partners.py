"""Photos and label maps that seem to belong together although their names differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from spade_paddle.data.dataset import Pair
from spade_paddle.doctor.listing import OTHER_PICTURES, Folder, Part

_WORDS = (
    r"masks?|labels?|label_?(?:train_?)?ids?|ids?|seg(?:mentation)?|semantic|gt_?(?:fine|coarse)"
    r"|gt|annotations?|ann|colou?rs?|palette|instances?|instance_?ids?|photo|images?|img|rgb"
    r"|leftimg8bit|original|orig|input|target|real"
)
_END = re.compile(rf"[-_. ]+(?:{_WORDS})$", re.IGNORECASE)
_START = re.compile(rf"^(?:{_WORDS})[-_. ]+", re.IGNORECASE)


@dataclass(frozen=True)
class Partners:
    """A photo and a label map that training does not bring together, and why (a code)."""

    pair: Pair
    code: str


def find_partners(part: Part) -> list[Partners]:
    """Likely pairs among what stands alone, each file in one of them at most."""
    photos = _alone(part.images, part.labels)
    label_maps = _alone(part.labels, part.images)
    found = []
    for key in (_stem, _core):
        for photo, label_map in _matches(photos, label_maps, key):
            photos.remove(photo)
            label_maps.remove(label_map)
            pair = Pair(photo.stem, photo, label_map, part.instance_map(photo.stem))
            found.append(Partners(pair, _reason(part, pair)))
    return sorted(found, key=lambda partners: partners.pair.stem)


def _alone(folder: Folder, other: Folder) -> list[Path]:
    """The first file of every stem that the other folder lacks, and pictures not looked at."""
    alone = [files[0] for stem, files in folder.by_stem.items() if stem not in other.by_stem]
    pictures = [
        path
        for path in folder.others
        if path.suffix.lower() in OTHER_PICTURES and path.stem not in folder.by_stem
    ]
    return alone + pictures


def _matches(
    photos: Iterable[Path], label_maps: Iterable[Path], key: Callable[[Path], str]
) -> list[tuple[Path, Path]]:
    """Where one photo and one label map alone share a key."""
    groups: dict[str, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    for index, paths in enumerate((photos, label_maps)):
        for path in paths:
            groups[key(path)][index].append(path)
    return [(left[0], right[0]) for left, right in groups.values() if len(left) == len(right) == 1]


def _stem(path: Path) -> str:
    return path.stem


def _core(path: Path) -> str:
    """The name without case and without words such as _mask or _leftImg8bit."""
    core, before = path.stem.lower(), ""
    while core != before:
        core, before = _END.sub("", _START.sub("", core)), core
    return core


def _reason(part: Part, pair: Pair) -> str:
    if pair.label_map in part.labels.others:
        jpeg = pair.label_map.suffix.lower() in (".jpg", ".jpeg")
        return "label_map_jpeg" if jpeg else "label_map_ending"
    if pair.photo in part.images.others:
        return "photo_ending"
    return "names_differ"
