"""Checks folders and names: missing, unmatched, duplicate and ignored files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from spade_paddle.data.dataset import PARTS, Folder, Pair, Part
from spade_paddle.data.photos import CAMERA_ENDINGS
from spade_paddle.doctor.findings import Issue, shorten
from spade_paddle.doctor.survey import Survey

# formats that training ignores, but --fix can read
_OTHER_PICTURES = (*CAMERA_ENDINGS, ".gif", ".ppm", ".tga")
_WORDS = (
    r"masks?|labels?|label_?(?:train_?)?ids?|ids?|seg(?:mentation)?|semantic|gt_?(?:fine|coarse)"
    r"|gt|annotations?|ann|colou?rs?|palette|instances?|instance_?ids?|photo|images?|img|rgb"
    r"|leftimg8bit|original|orig|input|target|real"
)
_END = re.compile(rf"[-_. ]+(?:{_WORDS})$")
_START = re.compile(rf"^(?:{_WORDS})[-_. ]+")


def check_names(survey: Survey) -> Iterator[Issue]:
    """Find the issues of folders and file names."""
    for part in survey.parts:
        images, labels, instances = part.folders
        partners = find_partners(part)
        matched = {path for _, pair in partners for path in (pair.photo, pair.label_map)}
        yield from _folders(part, has_partners=bool(partners))
        for code, pair in partners:
            files = [pair.photo, pair.label_map]
            yield Issue(code, files, f"{pair.photo.name} and {pair.label_map.name}")
        if partners or (images.by_stem and labels.by_stem):
            for code, files in (
                ("photo_alone", images.without(labels)),
                ("label_map_alone", labels.without(images)),
                ("instance_map_missing", part.without_instances),
                ("instance_map_alone", instances.without(images)),
            ):
                yield Issue(code, [path for path in files if path not in matched])
        for folder in part.folders:
            yield Issue("stem_twice", folder.duplicates)
            yield Issue("files_ignored", [path for path in folder.others if path not in matched])
        by_lower: dict[str, list[Path]] = defaultdict(list)
        for pair in part.pairs:
            by_lower[pair.stem.lower()].append(pair.photo)
        for photos in by_lower.values():
            yield Issue("names_case", photos if len(photos) > 1 else ())
    flat = [scene for scene in survey.scenes if not scene.part]
    for side in PARTS if flat else ():
        if all(scene.side != side for scene in flat):
            share = f"{len(flat)} photos is in {side} with data.val_share {survey.val_share:g}"
            yield Issue("split_one_sided", [survey.folder / "images"], share)


def _folders(part: Part, *, has_partners: bool) -> Iterator[Issue]:
    root = part.images.path.parent
    required = (part.images.path, part.labels.path) if root.is_dir() else (root,)
    for path in required:
        if not path.is_dir():
            beside = sorted(other.name for other in path.parent.iterdir() if other.is_dir())
            found = f"next to {path.name}/ there are {shorten(beside, 6) or 'no others'}"
            yield Issue("data_folder_missing", [path], found)
    for folder in part.folders:
        empty = folder.path.is_dir() and not folder.by_stem
        if empty and not (has_partners and folder is not part.instances):
            wanted = f"{folder.path.name}/ is for {' or '.join(folder.endings)} files"
            yield Issue("data_folder_empty", [folder.path], wanted)


def find_partners(part: Part) -> list[tuple[str, Pair]]:
    """Find photos and label maps that seem to belong together but that training does not match.

    Returns:
        (code of the reason, pair), sorted by stem; a file is in at most one pair.
    """
    photos = _unmatched(part.images, part.labels)
    label_maps = _unmatched(part.labels, part.images)
    found = []
    for key in (lambda path: path.stem, _core):
        groups: dict[str, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
        for side, paths in enumerate((photos, label_maps)):
            for path in paths:
                groups[key(path)][side].append(path)
        for both in groups.values():
            if [len(paths) for paths in both] == [1, 1]:  # with more, the match is ambiguous
                (photo,), (label_map,) = both
                photos.remove(photo)
                label_maps.remove(label_map)
                pair = Pair(photo.stem, photo, label_map, part.instance_map(photo.stem))
                found.append((_reason(part, pair), pair))
    return sorted(found, key=lambda partners: partners[1].stem)


def _unmatched(folder: Folder, other: Folder) -> list[Path]:
    """The files without a match in the other folder, and pictures in ignored formats."""
    return folder.without(other) + [
        path
        for path in folder.others
        if path.suffix.lower() in _OTHER_PICTURES and path.stem not in folder.by_stem
    ]


def _core(path: Path) -> str:
    """The stem in lower case, without words such as _mask or _leftImg8bit."""
    core, before = path.stem.lower(), ""
    while core != before:
        core, before = _END.sub("", _START.sub("", core)), core
    return core


def _reason(part: Part, pair: Pair) -> str:
    if pair.label_map in part.labels.others:
        jpeg = pair.label_map.suffix.lower() in (".jpg", ".jpeg")
        return "label_map_jpeg" if jpeg else "label_map_ending"
    return "photo_ending" if pair.photo in part.images.others else "names_differ"
