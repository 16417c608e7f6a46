"""All findings of the doctor: their codes and texts, and the grouping of issues by code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from spade_paddle.data.dataset import FORM, MAP_ENDINGS
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.photos import PHOTO_ENDINGS

ERROR = "error"  # training would fail
WARNING = "warning"  # training runs, but its result is impaired
ADVICE = "advice"  # for information

_SHOWN = 3  # details per finding
_ENDINGS = ", ".join(PHOTO_ENDINGS)
_COMPLETE = "add the missing file, or remove this one; --fix leaves it out"
_REPLACE = "replace the files; --fix leaves them out"

# code: what is wrong, with {} for the details, and what to do; the worst first
_ERRORS = {
    "data_folder_missing": (
        f"there is no such folder; {FORM}; {{}}",
        "rename or move the data; if only val/ is missing, move about a tenth of train/ there",
    ),
    "data_folder_empty": (
        "there are no files here that training can use: {}",
        "put the data there, about a tenth of it into val/; delete an empty instances/",
    ),
    "split_one_sided": (
        "none of the {}",
        "change data.val_share, add photos, or divide them into train/ and val/",
    ),
    "names_differ": (
        "a photo and its label map must have the same name; these seem to belong together: {}",
        "rename them; --fix does it",
    ),
    "stem_twice": (
        "several files have the same name except for the extension",
        "keep one of each; --fix keeps the first",
    ),
    "photo_alone": ("there is no label map with this name in labels/", _COMPLETE),
    "label_map_alone": ("there is no photo with this name in images/", _COMPLETE),
    "photo_ending": (
        "photos with this extension are not read: {}",
        f"convert them to one of {_ENDINGS}; --fix does it",
    ),
    "label_map_ending": (
        "label maps must be PNG files: {}",
        "save the ids as gray or palette PNGs; --fix does it",
    ),
    "instance_map_missing": ("there is no instance map with this name in instances/", _COMPLETE),
    "photo_unreadable": ("cannot be read as a photo: {}", _REPLACE),
    "label_map_unreadable": ("cannot be read as a label map: {}", _REPLACE),
    "instance_map_unreadable": (
        "cannot be read as an instance map: {}",
        "save instance maps as gray PNGs with 8 or 16 bits; --fix leaves these out",
    ),
    "label_map_jpeg": (
        "a label map must not be a JPEG, whatever its extension: {}",
        "JPEG compression destroys ids: save the original maps as PNG; --fix can read only JPEGs "
        "in the label set's colors",
    ),
    "label_map_color": (
        "contains colors, not ids: {}",
        "save gray or palette PNGs whose values are ids; --fix can read the label set's colors and "
        "gray saved as color",
    ),
    "sizes_differ_exif": (
        "the map fits the photo as stored, but not after the rotation by its EXIF data: {}",
        "rotate the maps as well; --fix does it",
    ),
    "sizes_differ": ("{}", "resize one of them; --fix does it if their aspect ratios agree"),
    "ids_multiplied": (
        "ids look multiplied, as if to see them as gray: {}",
        "save the original ids; --fix divides them, check the result",
    ),
    "ids_off_by_one": (
        "{}: these maps number their labels from 1",
        "renumber them with tools/remap.py, or let --fix subtract 1",
    ),
    "label_unknown": (
        f"unknown label ids {{}} (and {DONT_CARE} for don't care)",
        "give their label set (--label-set), or convert them with tools/remap.py; "
        "--fix replaces unknown ids by don't care",
    ),
}
_WARNINGS = {
    "photos_leak": (
        "in both train and val: {}; scores on val are then too good",
        "remove them from train; --fix does it",
    ),
    "names_case": (
        "names that differ only in case are the same file on Windows and macOS",
        "rename them; --fix adds numbers",
    ),
    "label_map_interpolated": (
        "along borders, ids lie between those of both sides: the map was resized or rotated with "
        "interpolation, so its borders have wrong labels",
        "create them again, with nearest-neighbor resizing",
    ),
    "label_map_palette": (
        "values and palette colors contradict each other: {}; training uses the values",
        "if the colors are right, save the maps as RGB pictures, which --fix can read",
    ),
    "label_map_mask": (
        f"only 0 and {DONT_CARE}: a black and white mask? {DONT_CARE} means don't care here (ids "
        "look multiplied)",
        "replace 255 by the id of the white area; --fix does it for label sets of two labels",
    ),
    "label_maps_duplicate": (
        "different photos have exactly the same label map",
        "one of them was probably saved under a wrong name; create it again",
    ),
    "photos_duplicate": (
        "the same photo occurs several times: {}",
        "keep one of each; --fix does it",
    ),
    "dont_care_off": (
        f"{DONT_CARE} (don't care) occurs, but data.dont_care is false: the networks get no label "
        "there",
        "set data.dont_care: true",
    ),
    "dont_care_whole": (
        f"the whole map is {DONT_CARE} (don't care): nothing can be learned from it",
        "annotate them, or leave them out; --fix leaves them out",
    ),
    "dont_care_much": (
        f"more than half of the map is {DONT_CARE} (don't care), up to {{}}",
        "annotate more of them, or leave them out",
    ),
    "instances_overflow": (
        "one instance covers several labels ({}): more instances than 8 bits can hold, or numbered "
        "separately for each label; edges between them are lost",
        "number the instances of a picture 1, 2, 3, ... and save them with 16 bits",
    ),
    "photo_small": (
        "smaller than the training pictures {}, so they are enlarged and blurred",
        "use larger photos or a smaller data.crop_size",
    ),
    "photo_enlarged": (
        "enlarged when they are loaded, {}, so pictures become as soft as these photos",
        "use larger photos or a smaller data.load_size",
    ),
    "photo_aspect": (
        "the long side is {}: random crops cover little of them, and fixed sizes distort them",
        "crop them into several photos, or leave them out",
    ),
}
_ADVICE = {
    "photo_rotated": (
        "rotated or mirrored by EXIF data when read; label maps must be upright",
        "nothing, if the label maps fit; --fix stores photos upright",
    ),
    "photo_mode": (
        "converted to 8-bit RGB when read: {}",
        "check that their colors are right; --fix stores them as RGB",
    ),
    "label_map_mode": (
        "{} per pixel instead of 8 bits, which is accepted",
        "nothing; --fix stores them with 8 bits",
    ),
    "labels_empty": (
        "no label map for training contains {}",
        "the generator will not learn these labels: add photos, or use a label set without them",
    ),
    "labels_rare": (
        "labels are rare: {}",
        "add photos of them, or merge them with similar labels (tools/remap.py)",
    ),
    "instance_map_alone": ("there is no photo with this name in images/", _COMPLETE),
    "files_ignored": (
        "training ignores these files and folders",
        f"photos need one of the extensions {_ENDINGS}, maps {MAP_ENDINGS[0]}; subfolders are not "
        "searched; other files may stay",
    ),
}
SENTENCES = {**_ERRORS, **_WARNINGS, **_ADVICE}
SEVERITIES = {
    code: ERROR if code in _ERRORS else WARNING if code in _WARNINGS else ADVICE
    for code in SENTENCES
}


class Issue(NamedTuple):
    """One result of a check: its code, the files concerned, and a detail for {} in its text."""

    code: str
    files: Sequence[Path] = ()
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """All issues with one code.

    Args:
        code: stable name, a key of ``SEVERITIES``.
        message: what was expected and what was found.
        files: the files concerned, as POSIX paths relative to the data set's folder.
        hint: what to do.
    """

    code: str
    message: str
    files: tuple[str, ...] = ()
    hint: str = ""

    @property
    def severity(self) -> str:
        """``error``, ``warning`` or ``advice``."""
        return SEVERITIES[self.code]

    def to_dict(self) -> dict[str, Any]:
        """The JSON-serializable form."""
        return {**dataclasses.asdict(self), "severity": self.severity}


def findings_of(issues: Iterable[Issue], folder: Path) -> tuple[Finding, ...]:
    """Group issues by code, the worst first. Issues without files and detail are dropped."""
    by_code: dict[str, list[Issue]] = {code: [] for code in SENTENCES}
    for issue in issues:
        if issue.files or issue.detail:
            by_code[issue.code].append(issue)
    findings = []
    for code, group in by_code.items():
        if group:
            message, hint = SENTENCES[code]
            details = list(dict.fromkeys(issue.detail for issue in group))
            files = names_in(folder, [path for issue in group for path in issue.files])
            findings.append(Finding(code, message.format(shorten(details, _SHOWN)), files, hint))
    return tuple(findings)


def names_in(folder: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    """POSIX paths relative to the data set's folder."""
    return tuple(path.relative_to(folder).as_posix() for path in paths)


def shorten(texts: Sequence[str], count: int) -> str:
    """Join the first ``count`` texts: ``a, b and 7 more``."""
    more = len(texts) - count
    return ", ".join(texts[:count]) + (f" and {more} more" if more > 0 else "")
