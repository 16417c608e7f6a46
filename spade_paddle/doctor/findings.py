"""What the doctor may find: every code with its sentences, and findings made of single issues."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from spade_paddle.data.dataset import FORM, MAP_ENDINGS
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.photos import PHOTO_ENDINGS

ERROR = "error"  # training stops, or would
WARNING = "warning"  # training runs, and the result suffers
ADVICE = "advice"  # good to know

_SHOWN = 3  # details of a finding
_ENDINGS = ", ".join(PHOTO_ENDINGS)
_COMPLETE = "add what is missing, or take the file away; --fix leaves it out"
_ANEW = "get the files anew; --fix leaves them out"

# code: what is wrong, where {} stands for the details, and what to do; the worst first
_ERRORS = {
    "data_folder_missing": (
        f"there is no such folder; {FORM}; {{}}",
        "rename or move the data; where only val/ is missing, move about a tenth of train/ there",
    ),
    "data_folder_empty": (
        "there is no file here that is read: {}",
        "put the data there, about a tenth of it into val/; delete an instances/ without maps",
    ),
    "split_one_sided": (
        "none of the {}",
        "change data.val_share, add photos, or sort them into train/ and val/",
    ),
    "names_differ": (
        "names of photo and label map must be the same; these seem to belong together: {}",
        "give them one name; --fix does it",
    ),
    "stem_twice": (
        "files of one name but for the ending: which of them belongs to the others?",
        "keep one of each; --fix keeps the first",
    ),
    "photo_alone": ("no label map of this name in labels/", _COMPLETE),
    "label_map_alone": ("no photo of this name in images/", _COMPLETE),
    "photo_ending": (
        "photos with this ending are not read: {}",
        f"save it as one of {_ENDINGS}; --fix does it",
    ),
    "label_map_ending": (
        "label maps must be PNG files: {}",
        "save its ids as a gray or palette PNG; --fix does it",
    ),
    "instance_map_missing": ("no instance map of this name in instances/", _COMPLETE),
    "photo_unreadable": ("cannot be read as a photo: {}", _ANEW),
    "label_map_unreadable": ("cannot be read as a label map: {}", _ANEW),
    "instance_map_unreadable": (
        "cannot be read as an instance map: {}",
        "an instance map is a gray PNG of 8 or 16 bits; --fix leaves them out",
    ),
    "label_map_jpeg": (
        "a label map must not be a JPEG, whatever its ending: {}",
        "JPEG changes ids beyond repair: save the map as PNG from where it was made; --fix can "
        "only read JPEGs in the label set's colors",
    ),
    "label_map_color": (
        "colors are not ids: {}",
        "a label map is a gray or palette PNG whose values are ids; --fix reads the label set's "
        "colors and gray saved as color",
    ),
    "sizes_differ_exif": (
        "the map was drawn on the photo as it is stored, which its EXIF data turns when it is "
        "shown or read: {}",
        "turn the maps as well; --fix does it",
    ),
    "sizes_differ": ("{}", "make them the same size; --fix does it where their proportions agree"),
    "ids_multiplied": (
        "ids look multiplied, as if to see them as gray: {}",
        "save the ids themselves; --fix undoes it, look at what it makes of them",
    ),
    "ids_off_by_one": (
        "{}: these maps count their labels from 1",
        "renumber them with tools/remap.py, or let --fix subtract 1",
    ),
    "label_unknown": (
        f"unknown label ids {{}} (and {DONT_CARE} for don't care)",
        "name the label set they were drawn with (--label-set), or bring them into this one with "
        "tools/remap.py; --fix makes them don't care",
    ),
}
_WARNINGS = {
    "photos_leak": (
        "photos of train are in val, too: {}; pictures of val then look better than the model is",
        "take them out of train, as --fix does",
    ),
    "names_case": (
        "names that differ only by case are one file on Windows and macOS",
        "rename them; --fix adds a number",
    ),
    "label_map_interpolated": (
        "along the borders lie ids between those of both sides: the map was resized or turned as "
        "if ids were brightness, and those borders name wrong things",
        "make them anew, resized by nearest neighbor",
    ),
    "label_map_palette": (
        "values and colors contradict each other: {}; training goes by the values",
        "if the colors are right, save the maps as RGB pictures and let --fix read them",
    ),
    "label_map_mask": (
        f"only 0 and {DONT_CARE}: a black and white mask? {DONT_CARE} means don't care here (ids "
        "look multiplied)",
        "write the id of what is white; of a label set of two labels --fix does it",
    ),
    "label_maps_duplicate": (
        "different photos have exactly the same label map",
        "one of them was probably copied under a wrong name; draw it anew",
    ),
    "photos_duplicate": ("the same photo several times: {}", "keep one of each, as --fix does"),
    "dont_care_off": (
        f"{DONT_CARE}, don't care, occurs, but data.dont_care is false: the networks see no label "
        "at all there",
        "set data.dont_care: true",
    ),
    "dont_care_whole": (
        f"the whole map is {DONT_CARE}, don't care: nothing can be learned from it",
        "draw them, or leave them out, as --fix does",
    ),
    "dont_care_much": (
        f"more than half of the map is {DONT_CARE}, don't care, up to {{}}",
        "draw more of them, or leave them out",
    ),
    "instances_overflow": (
        "one instance lies in several labels ({}): more numbers than 8 bits hold, or counted anew "
        "for each label; edges between them are lost",
        "number the instances of a picture 1, 2, 3, ... and save them with 16 bits",
    ),
    "photo_small": (
        "smaller than the training pictures {}, so they are enlarged and blurred",
        "take larger photos or a smaller data.crop_size",
    ),
    "photo_aspect": (
        "more than {}; random crops see little of them, fixed sizes distort them",
        "cut them into several pictures, or leave them out",
    ),
}
_ADVICE = {
    "photo_rotated": (
        "stored lying or mirrored, turned upright by their EXIF data when they are read; the label "
        "maps must be upright",
        "nothing, if the label maps fit; --fix stores them upright",
    ),
    "photo_mode": (
        "made 8-bit RGB when they are read: {}",
        "look whether their colors are as they should be; --fix stores them as RGB",
    ),
    "label_map_mode": (
        "label maps have 8 bits a pixel, these have {}; they are read all the same",
        "nothing, or --fix, which stores them with 8 bits",
    ),
    "labels_empty": (
        "no label map to train with has {}",
        "such doodles will be painted as noise: add photos, or take a label set without these",
    ),
    "labels_rare": (
        "labels that few of the {}",
        "add photos of them, or merge them with a label like them (tools/remap.py)",
    ),
    "instance_map_alone": ("no photo of this name in images/", _COMPLETE),
    "files_ignored": (
        "training does not look at these files and folders",
        f"photos may end in {_ENDINGS}, maps in {MAP_ENDINGS[0]}; subfolders are not searched; "
        "whatever is no picture may stay",
    ),
}
SENTENCES = {**_ERRORS, **_WARNINGS, **_ADVICE}
SEVERITIES = {
    code: ERROR if code in _ERRORS else WARNING if code in _WARNINGS else ADVICE
    for code in SENTENCES
}


class Issue(NamedTuple):
    """What a check says: the code, the files concerned, and what its sentence has {} for."""

    code: str
    files: Sequence[Path] = ()
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        code: stable name, a key of ``SEVERITIES``.
        message: what was expected and what came.
        files: the files concerned, POSIX paths relative to the data set's folder.
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
    """A finding for every code, the worst first; issues of no file and no detail are none."""
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
    """How files of a data set are called: by their POSIX paths in its folder."""
    return tuple(path.relative_to(folder).as_posix() for path in paths)


def shorten(texts: Sequence[str], most: int) -> str:
    """The first few of many in words: ``a, b and 7 more``."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")
