"""One scene of a data set, written as training wants it, or left out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.photos import PHOTO_ENDINGS, read_photo
from spade_paddle.doctor.id_checks import Numbering
from spade_paddle.doctor.repaired_maps import CannotRepair, repaired_instances, repaired_map
from spade_paddle.doctor.survey import SceneFacts, Survey
from spade_paddle.files import write_atomically

QUALITY = 95  # of JPEGs
COPIED, CHANGED, LEFT_OUT = "copied", "changed", "left out"


@dataclass(frozen=True)
class Action:
    """What was done with the files of one scene, or with a file that has no scene."""

    files: tuple[str, ...]
    done: str  # copied, changed or left out
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        notes = f": {'; '.join(self.notes)}" if self.notes else ""
        return f"{self.done:8} {', '.join(self.files)}{notes}"


class SceneRepairer:
    """Writes scenes into a folder, each under a name of its own.

    Args:
        survey: the data set.
        out: the folder to write to.
        numbering: how the data set numbers its labels.
        twins: by ``id`` of a scene whose photo is there twice: the name of the other photo.
    """

    def __init__(
        self, survey: Survey, *, out: Path, numbering: Numbering, twins: dict[int, str]
    ) -> None:
        self._survey = survey
        self._out = out
        self._numbering = numbering
        self._twins = twins
        self._taken: set[tuple[str, str]] = set()
        self._with_instances = {part.name for part in survey.parts if part.instances.by_stem}

    def repair(self, scene: SceneFacts) -> Action:
        """Write one scene."""
        pair = scene.pair
        paths = [path for path in (pair.photo, pair.label_map, pair.instance_map) if path]
        try:
            notes = self._write(scene)
        except CannotRepair as reason:
            return Action(self._survey.names(paths), LEFT_OUT, (str(reason),))
        return Action(self._survey.names(paths), CHANGED if notes else COPIED, tuple(notes))

    def _write(self, scene: SceneFacts) -> list[str]:
        """Write what can be written; what was changed. Nothing is written where that fails."""
        self._check(scene)
        pair, label_set = scene.pair, self._survey.label_set
        label_map, notes = repaired_map(
            scene, self._numbering, name=self._survey.name(pair.label_map), label_set=label_set
        )
        is_palette_png = pair.label_map.suffix.lower() == ".png" and scene.label_map.mode == "P"
        as_it_is = is_palette_png and not notes
        instances = None
        if pair.instance_map is not None:
            instances, more = repaired_instances(scene)
            notes += more
        stem = self._free_stem(scene)
        if {stem} != {pair.photo.stem, pair.label_map.stem}:
            notes.append(f"named {stem}")
        folder = self._out / scene.part
        notes += _write_photo(scene, folder / "images", stem)
        target = folder / "labels" / f"{stem}.png"
        if as_it_is:  # with whatever tools/annotate.py wrote into it
            _copy(pair.label_map, target)
        else:
            write_label_map(target, label_map, label_set)
        if instances is not None:
            target = folder / "instances" / f"{stem}.png"
            write_atomically(target, lambda path: instances.save(path, "PNG"))
        return notes

    def _check(self, scene: SceneFacts) -> None:
        twin = self._twins.get(id(scene))
        if twin is not None:
            raise CannotRepair(f"the photo is {twin}")
        if scene.photo.problem:
            raise CannotRepair(f"the photo is {scene.photo.problem}")
        if scene.instance_map is None and scene.part in self._with_instances:
            raise CannotRepair("it has no instance map")
        if scene.instance_map is not None and scene.instance_map.problem:
            raise CannotRepair(f"the instance map is {scene.instance_map.problem}")

    def _free_stem(self, scene: SceneFacts) -> str:
        """The photo's stem, with a number where another one is the same but for case."""
        stem, number = scene.pair.photo.stem, 2
        free = stem
        while (scene.part, free.lower()) in self._taken:
            free, number = f"{stem}_{number}", number + 1
        self._taken.add((scene.part, free.lower()))
        return free


def _write_photo(scene: SceneFacts, folder: Path, stem: str) -> list[str]:
    """Write the photo; what was changed."""
    photo, path = scene.photo, scene.pair.photo
    readable = path.suffix.lower() in PHOTO_ENDINGS
    if readable and photo.orientation == 1 and not photo.converted:
        _copy(path, folder / f"{stem}{path.suffix}")
        return []
    image = Image.fromarray(read_photo(path))
    write_atomically(
        folder / f"{stem}.jpg",
        lambda temporary: image.save(temporary, "JPEG", quality=QUALITY, subsampling=0),
    )
    why = [photo.converted] if photo.converted else []
    why += ["turned upright"] if photo.orientation != 1 else []
    return [f"photo saved as JPEG ({', '.join(why) or path.suffix})"]


def _copy(source: Path, target: Path) -> None:
    write_atomically(target, lambda temporary: shutil.copyfile(source, temporary))
