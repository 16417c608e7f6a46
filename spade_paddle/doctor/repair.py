"""A repaired copy of a data set; the original is only read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.doctor.duplicates import find_twins
from spade_paddle.doctor.findings import Report
from spade_paddle.doctor.id_checks import numbering_of
from spade_paddle.doctor.listing import Part
from spade_paddle.doctor.partners import find_partners
from spade_paddle.doctor.repaired_scenes import LEFT_OUT, Action, SceneRepairer
from spade_paddle.doctor.survey import SceneFacts, Survey
from spade_paddle.errors import DataError
from spade_paddle.files import write_text_atomically

RECORD = "doctor.json"


def repair(survey: Survey, report: Report, out: Path) -> list[Action]:
    """Write a repaired copy of a data set, with labels.json and, of what was done, doctor.json.

    Photos that training reads as they are are copied byte for byte, others become upright RGB
    JPEGs; all label maps become palette PNGs.

    Args:
        survey: the data set, not looked at quickly.
        report: what was found in it, for doctor.json.
        out: a folder that is not there or empty.

    Raises:
        DataError: ``out`` holds something, or lies in the data set.
    """
    _check_out(survey.folder, out)
    scenes = [scene for part in survey.parts for scene in _all_scenes(survey, part)]
    maps = {
        survey.name(scene.pair.label_map): scene.label_map
        for scene in scenes
        if scene.label_map.counts is not None
    }
    kept = [scene for scene in scenes if scene.label_map.code != "label_map_unreadable"]
    repairer = SceneRepairer(
        survey,
        out=out,
        numbering=numbering_of(maps, num_labels=len(survey.label_set)),
        twins={id(one): survey.name(other.pair.photo) for one, other in find_twins(kept)},
    )
    actions = [action for part in survey.parts for action in _without_scene(survey, part, scenes)]
    actions += [repairer.repair(scene) for scene in scenes]
    write_text_atomically(out / LABELS_FILE, survey.label_set.to_json())
    record = {"before": report.to_dict(), "done": [dataclasses.asdict(a) for a in actions]}
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_text_atomically(out / RECORD, text)
    return actions


def _check_out(folder: Path, out: Path) -> None:
    source, target = folder.resolve(), out.resolve()
    if target == source or source in target.parents or target in source.parents:
        raise DataError(
            f"--fix {out}: the repaired copy needs a folder apart from {folder}", code="fix_folder"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(
            f"--fix {out}: is there already; give a new or an empty folder", code="fix_folder"
        )


def _all_scenes(survey: Survey, part: Part) -> Iterator[SceneFacts]:
    """The scenes training finds, then those of partners under different names."""
    yield from (scene for scene in survey.scenes if scene.part == part.name)
    for found in find_partners(part):
        yield survey.look_at(found.pair, part=part.name, ids=True)


def _without_scene(survey: Survey, part: Part, scenes: list[SceneFacts]) -> Iterator[Action]:
    """Files of no scene: alone, doubled, or of an ending that no one reads."""
    used = {
        path
        for scene in scenes
        for path in (scene.pair.photo, scene.pair.label_map, scene.pair.instance_map)
    }
    for folder in (part.images, part.labels, part.instances):
        found = [path for files in folder.by_stem.values() for path in files]
        for path in (*found, *folder.others):
            if path not in used:
                yield Action((survey.name(path),), LEFT_OUT, ("belongs to no scene",))
