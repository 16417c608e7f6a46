"""Findings about folders and names: what is missing, alone, doubled or not looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from spade_paddle.data.dataset import PARTS
from spade_paddle.data.photos import PHOTO_ENDINGS
from spade_paddle.doctor.findings import Finding, shorten
from spade_paddle.doctor.listing import OTHER_PICTURES, Part
from spade_paddle.doctor.partners import Partners, find_partners
from spade_paddle.doctor.survey import Survey

_SHOWN = 3
_PARTNER_HINTS = {
    "names_differ": "give them one name; --fix does it",
    "photo_ending": f"save it as one of {', '.join(PHOTO_ENDINGS)}; --fix does it",
    "label_map_ending": "save its ids as a grey or palette PNG; --fix does it",
    "label_map_jpeg": "JPEG changes ids beyond repair: save the map as PNG from where it was made; "
    "--fix can only read JPEGs in the label set's colours",
}
_PARTNER_MESSAGES = {
    "names_differ": "names of photo and label map must be the same; these seem to belong together",
    "photo_ending": "photos with this ending are not read",
    "label_map_ending": "label maps must be PNG files",
    "label_map_jpeg": "a label map must not be a JPEG",
}


def check_names(survey: Survey) -> Iterator[Finding]:
    """Every finding of this file."""
    for part in survey.parts:
        partners = find_partners(part)
        yield from _folders(survey, part, partners)
        yield from _partners(survey, partners)
        yield from _alone(survey, part, partners)
        yield from _doubled(survey, part)
        yield from _ignored(survey, part, partners)
    yield from _one_sided(survey)


def _folders(survey: Survey, part: Part, partners: list[Partners]) -> Iterator[Finding]:
    root = survey.folder / part.name
    if not root.is_dir():
        yield _missing(survey, root)
        return
    for folder, endings in ((part.images, PHOTO_ENDINGS), (part.labels, (".png",))):
        name = survey.name(folder.path)
        if not folder.exists:
            yield _missing(survey, folder.path)
        elif not folder.by_stem and not partners:
            yield Finding(
                "data_folder_empty",
                f"there is no {' or '.join(endings)} file here",
                (name,),
                "put the data there, about a tenth of it into val/",
            )
    if part.instances.exists and not part.instances.by_stem:
        yield Finding(
            "data_folder_empty",
            "there is no .png file here",
            (survey.name(part.instances.path),),
            "put an instance map there for every photo, or delete the folder",
        )


def _missing(survey: Survey, folder: Path) -> Finding:
    there = sorted(path.name for path in folder.parent.iterdir() if path.is_dir())
    beside = shorten(there[:6], there) or "none"
    only_val = folder.name == "val" and "train" in there
    return Finding(
        "data_folder_missing",
        "there is no such folder; a data set has train/images, train/labels, val/images and "
        f"val/labels (or only images and labels); beside it are {beside}",
        (survey.name(folder),),
        "move about a tenth of train/ there" if only_val else "rename or move the data",
    )


def _partners(survey: Survey, partners: list[Partners]) -> Iterator[Finding]:
    groups: dict[str, list[Partners]] = defaultdict(list)
    for found in partners:
        groups[found.code].append(found)
    for code, group in groups.items():
        both = [f"{found.pair.photo.name} and {found.pair.label_map.name}" for found in group]
        files = [path for found in group for path in (found.pair.photo, found.pair.label_map)]
        yield Finding(
            code,
            f"{_PARTNER_MESSAGES[code]}: {shorten(both[:_SHOWN], both)}",
            survey.names(files),
            _PARTNER_HINTS[code],
        )


def _alone(survey: Survey, part: Part, partners: list[Partners]) -> Iterator[Finding]:
    matched = {path for found in partners for path in (found.pair.photo, found.pair.label_map)}
    images, labels, instances = (
        {stem: files[0] for stem, files in folder.by_stem.items()}
        for folder in (part.images, part.labels, part.instances)
    )
    for code, message, alone in (
        ("photo_alone", "no label map of this name in labels/", _minus(images, labels)),
        ("label_map_alone", "no photo of this name in images/", _minus(labels, images)),
        (
            "instance_map_missing",
            "no instance map of this name in instances/",
            _minus({pair.stem: pair.photo for pair in part.pairs}, instances) if instances else [],
        ),
        ("instance_map_alone", "no photo of this name in images/", _minus(instances, images)),
    ):
        files = [path for path in alone if path not in matched]
        if files and ((part.images.by_stem and part.labels.by_stem) or partners):
            hint = "add what is missing, or take the file away; --fix leaves it out"
            yield Finding(code, message, survey.names(files), hint)


def _minus(left: dict[str, Path], right: Iterable[str]) -> list[Path]:
    return [left[stem] for stem in sorted(left.keys() - set(right))]


def _doubled(survey: Survey, part: Part) -> Iterator[Finding]:
    for folder in (part.images, part.labels, part.instances):
        same = [path for files in folder.by_stem.values() if len(files) > 1 for path in files]
        if same:
            yield Finding(
                "stem_twice",
                "files of one name but for the ending: which of them belongs to the others?",
                survey.names(same),
                "keep one of each; --fix keeps the first",
            )
    by_lower: dict[str, list[Path]] = defaultdict(list)
    for pair in part.pairs:
        by_lower[pair.stem.lower()].append(pair.photo)
    alike = [path for files in by_lower.values() if len(files) > 1 for path in files]
    if alike:
        yield Finding(
            "names_case",
            "names that differ only by case are one file on Windows and macOS",
            survey.names(alike),
            "rename them; --fix adds a number",
        )


def _one_sided(survey: Survey) -> Iterator[Finding]:
    """A flat data set of which one side is empty."""
    sides = {scene.side for scene in survey.scenes if not scene.part}
    for side in PARTS if sides else ():
        if side not in sides:
            yield Finding(
                "split_one_sided",
                f"none of the {len(survey.scenes)} photos falls to {side} with data.val_share "
                f"{survey.val_share:g}",
                ("images",),
                "change data.val_share, add photos, or sort them into train/ and val/",
            )


def _ignored(survey: Survey, part: Part, partners: list[Partners]) -> Iterator[Finding]:
    matched = {path for found in partners for path in (found.pair.photo, found.pair.label_map)}
    others = [*part.images.others, *part.labels.others, *part.instances.others]
    files = [path for path in others if path not in matched]
    if files:
        pictures = any(path.suffix.lower() in OTHER_PICTURES for path in files)
        yield Finding(
            "files_ignored",
            "training does not look at these files and folders",
            survey.names(files),
            "photos may end in " + ", ".join(PHOTO_ENDINGS) + ", maps in .png; sub-folders are not "
            "searched"
            if pictures or any(p.is_dir() for p in files)
            else "take them away, or not",
        )
