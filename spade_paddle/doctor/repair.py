"""Writes a repaired copy of a data set; the original is not changed."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.data.photos import PHOTO_ENDINGS, read_photo
from spade_paddle.doctor.dataset_report import DatasetReport
from spade_paddle.doctor.file_names import find_partners
from spade_paddle.doctor.findings import names_in
from spade_paddle.doctor.numbering import Numbering, numbering_of
from spade_paddle.doctor.photo_checks import find_duplicate_photos
from spade_paddle.doctor.repaired_maps import CannotRepair, repaired_instances, repaired_map
from spade_paddle.doctor.survey import SceneFacts, Survey, maps_read
from spade_paddle.errors import DataError
from spade_paddle.files import write_atomically, write_text_atomically

COPIED, CHANGED, LEFT_OUT = "copied", "changed", "left out"
_RECORD = "doctor.json"
_QUALITY = 95  # of JPEGs


@dataclass(frozen=True)
class Action:
    """What was done with the files of a scene, or with a file that belongs to no scene."""

    files: tuple[str, ...]
    done: str  # copied, changed or left out
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        notes = f": {'; '.join(self.notes)}" if self.notes else ""
        return f"{self.done:8} {', '.join(self.files)}{notes}"


def repair(survey: Survey, report: DatasetReport, out: Path) -> list[Action]:
    """Write a repaired copy of a data set, with labels.json, and doctor.json as a record.

    Photos that need no conversion are copied byte for byte, others become upright RGB JPEGs; all
    label maps become palette PNGs.

    Args:
        survey: the data set, read completely (not ``quick``).
        report: its report, for doctor.json.
        out: a folder that is missing or empty.

    Returns:
        An action for every scene, and for every file that belongs to no scene.

    Raises:
        DataError: ``out`` is not empty, or lies in the data set.
    """
    _check_out(survey.folder, out)
    scenes = list(survey.scenes)
    for part in survey.parts:
        partners = [pair for _, pair in find_partners(part)]
        scenes += [survey.inspect(pair, part=part.name, ids=True) for pair in partners]
    used = {path for scene in scenes for path in scene.pair.files}
    listed = [path for part in survey.parts for folder in part.folders for path in folder.files]
    actions = [
        Action(names_in(survey.folder, [path]), LEFT_OUT, ("belongs to no scene",))
        for path in listed
        if path not in used
    ]
    label_set = survey.label_set
    numbering = numbering_of(maps_read(scenes), num_labels=len(label_set))
    kept = [scene for scene in scenes if scene.label_map.code != "label_map_unreadable"]
    duplicates = {one.pair.photo: other.pair.photo for one, other in find_duplicate_photos(kept)}
    with_instances = [part.name for part in survey.parts if part.instances.by_stem]
    taken: set[tuple[str, str]] = set()
    for scene in scenes:
        files = names_in(survey.folder, scene.pair.files)
        try:
            if scene.pair.photo in duplicates:
                (kept_photo,) = names_in(survey.folder, [duplicates[scene.pair.photo]])
                raise CannotRepair(f"the photo is a duplicate of {kept_photo}")
            if scene.instance_map is None and scene.part in with_instances:
                raise CannotRepair("it has no instance map")
            notes = _write_scene(scene, numbering, out=out, label_set=label_set, taken=taken)
            actions.append(Action(files, CHANGED if notes else COPIED, tuple(notes)))
        except CannotRepair as reason:
            actions.append(Action(files, LEFT_OUT, (str(reason),)))
    write_text_atomically(out / LABELS_FILE, label_set.to_json())
    record = {"before": report.to_dict(), "done": [dataclasses.asdict(a) for a in actions]}
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_text_atomically(out / _RECORD, text)
    return actions


def _check_out(folder: Path, out: Path) -> None:
    source, target = folder.resolve(), out.resolve()
    if target == source or source in target.parents or target in source.parents:
        raise DataError(
            f"--fix {out}: the repaired copy must not overlap with {folder}; give another folder",
            code="fix_folder",
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(
            f"--fix {out}: this exists already; give a new or an empty folder", code="fix_folder"
        )


def _write_scene(
    scene: SceneFacts,
    numbering: Numbering,
    *,
    out: Path,
    label_set: LabelSet,
    taken: set[tuple[str, str]],
) -> list[str]:
    """Write a scene under a stem that is unique regardless of case; returns notes on the changes.

    Raises:
        CannotRepair: the scene must be left out; nothing was written.
    """
    pair, instance_map = scene.pair, scene.instance_map
    if scene.photo.problem:
        raise CannotRepair(f"the photo is {scene.photo.problem}")
    if instance_map is not None and instance_map.problem:
        raise CannotRepair(f"the instance map is {instance_map.problem}")
    label_map, notes = repaired_map(scene, numbering, label_set=label_set)
    palette_png = pair.label_map.suffix.lower() == ".png" and scene.label_map.mode == "P"
    unchanged = palette_png and not notes
    instances = None
    if instance_map is not None:
        instances, more = repaired_instances(scene)
        notes += more
    numbered = (f"{pair.photo.stem}_{number}" for number in itertools.count(2))
    stems = itertools.chain([pair.photo.stem], numbered)
    stem = next(stem for stem in stems if (scene.part, stem.lower()) not in taken)
    taken.add((scene.part, stem.lower()))
    if {stem} != {pair.photo.stem, pair.label_map.stem}:
        notes.append(f"named {stem}")
    folder = out / scene.part
    notes += _write_photo(scene, folder / "images", stem)
    target = folder / "labels" / f"{stem}.png"
    if unchanged:  # keeps the metadata of tools/annotate.py
        _copy(pair.label_map, target)
    else:
        write_label_map(target, label_map, label_set)
    if instances is not None:
        target = folder / "instances" / f"{stem}.png"
        write_atomically(target, lambda path: instances.save(path, "PNG"))
    return notes


def _write_photo(scene: SceneFacts, folder: Path, stem: str) -> list[str]:
    """Write the photo; returns notes on the changes."""
    photo, path = scene.photo, scene.pair.photo
    reasons = [photo.converted] if photo.converted else []
    reasons += ["rotated upright"] if photo.orientation != 1 else []
    if path.suffix.lower() in PHOTO_ENDINGS and not reasons:
        _copy(path, folder / f"{stem}{path.suffix}")
        return []
    image = Image.fromarray(read_photo(path))
    write_atomically(
        folder / f"{stem}.jpg",
        lambda temporary: image.save(temporary, "JPEG", quality=_QUALITY, subsampling=0),
    )
    return [f"photo saved as JPEG ({', '.join(reasons) or path.suffix})"]


def _copy(source: Path, target: Path) -> None:
    write_atomically(target, lambda temporary: shutil.copyfile(source, temporary))
