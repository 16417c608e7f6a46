"""Paired photos and label maps in folders.

    DIR/train/images/NAME.jpg   DIR/train/labels/NAME.png   (DIR/train/instances/NAME.png)
    DIR/val/images/NAME.jpg     DIR/val/labels/NAME.png     (DIR/val/instances/NAME.png)

or, without train/ and val/, flat folders, which data/split.py divides:

    DIR/images/NAME.jpg         DIR/labels/NAME.png         (DIR/instances/NAME.png)

A photo and its maps have the same file stem; data/leave_out.py tells which to pass over. Label
maps are 8-bit gray or palette PNGs whose pixel values are the ids; instance maps are 8- or 16-bit
gray or palette PNGs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.config import DataConfig
from spade_paddle.data.label_pictures import read_ids, read_label_map
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.leave_out import LEAVE_OUT_FILE, read_leave_out
from spade_paddle.data.photos import PHOTO_ENDINGS, read_photo
from spade_paddle.data.split import split_of
from spade_paddle.errors import DataError

PARTS = ("train", "val")
MAP_ENDINGS = (".png",)
FORM = (
    "a data set has train/images, train/labels, val/images and val/labels, or only images and "
    "labels, which are then split"
)
_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", ".ds_store", ".gitkeep")


@dataclass(frozen=True)
class Pair:
    """The files of one scene."""

    stem: str
    photo: Path
    label_map: Path
    instance_map: Path | None

    @property
    def files(self) -> list[Path]:
        """Two or three."""
        return [path for path in (self.photo, self.label_map, self.instance_map) if path]


@dataclass(frozen=True)
class Scene:
    """One scene in memory: photo ``uint8`` [H, W, 3] RGB, label map ``uint8`` [H, W], instance
    map ``int32`` [H, W] or None, positional encoding ``float32`` [H, W, 2] or None.

    Its name is for people, and puts it into a half of the validation scenes (data/split.py).
    """

    photo: np.ndarray
    label_map: np.ndarray
    instance_map: np.ndarray | None = None
    positions: np.ndarray | None = None
    name: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """H, W."""
        height, width = self.label_map.shape
        return height, width


class Folder:
    """A folder of pictures, listed without reading any; empty where there is none.

    Args:
        path: the folder.
        endings: of the files that are wanted, in lower case.
        leave_out: stems of files that are not listed.

    Attributes:
        by_stem: the wanted files by stem, sorted; several where only their endings differ.
        others: everything else, subfolders too, but what file managers leave behind.
        left_out: the stems of ``leave_out`` that there are.
    """

    def __init__(
        self, path: Path, endings: tuple[str, ...], *, leave_out: frozenset[str] = frozenset()
    ) -> None:
        self.path = path
        self.endings = endings
        self.by_stem: dict[str, list[Path]] = {}
        self.others: list[Path] = []
        self.left_out: set[str] = set()
        for file in sorted(path.iterdir()) if path.is_dir() else ():
            if file.stem in leave_out:
                self.left_out.add(file.stem)
            elif file.is_file() and file.suffix.lower() in endings:
                self.by_stem.setdefault(file.stem, []).append(file)
            elif file.name.lower() not in _LEFT_BY_SYSTEMS:
                self.others.append(file)

    @property
    def files(self) -> list[Path]:
        """All that is listed, the wanted files first."""
        return [path for files in self.by_stem.values() for path in files] + self.others

    @property
    def duplicates(self) -> list[Path]:
        """The files that share their stem with another."""
        return [path for files in self.by_stem.values() if len(files) > 1 for path in files]

    def without(self, other: Folder) -> list[Path]:
        """The first file of every stem that the other folder lacks."""
        return [files[0] for stem, files in self.by_stem.items() if stem not in other.by_stem]

    def check(self, *, expected: str) -> None:
        """Refuse a folder that is not there (``expected`` says what should be), has no wanted file,
        or two of one stem.

        Raises:
            DataError: of the code data_folder_missing, data_folder_empty or stem_twice.
        """
        if not self.path.is_dir():
            raise DataError(
                f"{self.path}: there is no such folder; {expected}", code="data_folder_missing"
            )
        if not self.by_stem:
            raise DataError(
                f"{self.path}: there is no {' or '.join(self.endings)} file here",
                code="data_folder_empty",
            )
        if self.duplicates:
            one, other = self.duplicates[:2]
            raise DataError(
                f"{self.path}: {one.name} and {other.name} have one name but for the ending, so "
                "what belongs to them cannot be told apart; rename or remove one",
                code="stem_twice",
            )


class Part:
    """The files of ``train`` or ``val``, or, of the name ``""``, of a whole flat data set."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        leave_out = read_leave_out(folder)
        self.images = Folder(folder / name / "images", PHOTO_ENDINGS, leave_out=leave_out)
        self.labels = Folder(folder / name / "labels", MAP_ENDINGS, leave_out=leave_out)
        self.instances = Folder(folder / name / "instances", MAP_ENDINGS, leave_out=leave_out)

    @property
    def folders(self) -> tuple[Folder, Folder, Folder]:
        """images/, labels/ and instances/, of which the last may be missing."""
        return self.images, self.labels, self.instances

    @property
    def pairs(self) -> list[Pair]:
        """The scenes that have a photo and a label map, sorted by stem."""
        return [
            Pair(stem, photos[0], self.labels.by_stem[stem][0], self.instance_map(stem))
            for stem, photos in sorted(self.images.by_stem.items())
            if stem in self.labels.by_stem
        ]

    def instance_map(self, stem: str) -> Path | None:
        """The instance map of a scene."""
        return self.instances.by_stem.get(stem, (None,))[0]

    @property
    def without_instances(self) -> list[Path]:
        """The photos of scenes that lack an instance map, where there are some."""
        if not self.instances.by_stem:
            return []
        return [pair.photo for pair in self.pairs if pair.instance_map is None]

    def check(self) -> None:
        """Refuse what cannot be trained with.

        Raises:
            DataError: as ``find_pairs``.
        """
        for folder in self.folders:
            if folder is not self.instances or folder.path.is_dir():
                folder.check(expected=FORM)
        alone = self.images.without(self.labels) + self.labels.without(self.images)
        stems = sorted(path.stem for path in alone + self.without_instances)
        if stems:
            raise DataError(
                f"{self.images.path.parent}: every photo needs a label map of the same name (where "
                f"there are instance maps, one of them, too) and the reverse; alone stand "
                f"{len(stems)}: {', '.join(stems[:6])}{' ...' if len(stems) > 6 else ''}",
                code="pairs_incomplete",
            )


def dataset_parts(folder: str | Path) -> tuple[str, ...]:
    """The folders in a data set that hold images/ and labels/: train and val, or itself (``""``).

    Where there is a train/ or a val/, an images/ beside them does not count.

    Raises:
        DataError: the folder has neither form.
    """
    folder = Path(folder)
    if any((folder / part).is_dir() for part in PARTS):
        return PARTS
    if any((folder / name).is_dir() for name in ("images", "labels")):
        return ("",)
    raise DataError(f"{folder}: this is no data set; {FORM}", code="data_folder_missing")


def left_out_lines(folder: str | Path) -> list[str]:
    """What to tell people of the scenes that a data set leaves out; nothing where it has no list.

    Raises:
        DataError: as ``dataset_parts`` and ``read_leave_out``.
    """
    folder = Path(folder)
    names = read_leave_out(folder)
    if not names:
        return []
    parts = [Part(folder, name) for name in dataset_parts(folder)]
    found = set().union(*(listed.left_out for part in parts for listed in part.folders))
    lines = [f"{folder / LEAVE_OUT_FILE}: scenes left out: {len(found)}"]
    unknown = sorted(names - found)
    if unknown:
        lines.append(
            f"warning: {folder / LEAVE_OUT_FILE}: there is no photo or label map of the name "
            f"{', '.join(unknown[:6])}{' ...' if len(unknown) > 6 else ''} (file names without "
            "their endings are expected)"
        )
    return lines


def find_pairs(
    folder: str | Path, part: str, *, val_share: float = DataConfig.val_share
) -> list[Pair]:
    """The scenes of one part of a data set, sorted by stem.

    Args:
        folder: the data set.
        part: ``train`` or ``val``; or one of ``dataset_parts``, where ``""`` is all of a flat one.
        val_share: of a flat data set: how much of it is ``val`` (data/split.py).

    Raises:
        DataError: a folder is missing or empty, a photo has no label map or the reverse, or of a
            flat data set nothing falls to ``train`` or nothing to ``val``.
    """
    flat = dataset_parts(folder) == ("",)
    listed = Part(Path(folder), "" if flat else part)
    listed.check()
    pairs = listed.pairs
    if not flat or not part:
        return pairs
    sides = [split_of(pair.stem, val_share=val_share) for pair in pairs]
    for side in PARTS:
        if side not in sides:
            raise DataError(
                f"{folder}: none of its {len(pairs)} photos falls to {side} with data.val_share "
                f"{val_share}; change that, add photos, or sort them into train/ and val/",
                code="split_one_sided",
            )
    return [pair for pair, side in zip(pairs, sides) if side == part]


def read_scene(pair: Pair, label_set: LabelSet) -> Scene:
    """Read and check the files of one scene.

    Raises:
        DataError: a file cannot be read, or the sizes differ.
        LabelMapError: the label map is colored or holds unknown ids; the file is named.
    """
    photo = read_photo(pair.photo)
    label_map = read_label_map(pair.label_map, label_set)
    instance_map = None
    if pair.instance_map is not None:
        instance_map = read_ids(pair.instance_map).astype(np.int32)
    for path, other in ((pair.label_map, label_map), (pair.instance_map, instance_map)):
        if other is not None and other.shape != photo.shape[:2]:
            raise DataError(
                f"{path}: the map is {other.shape[1]}x{other.shape[0]} pixels but its photo "
                f"{photo.shape[1]}x{photo.shape[0]}; make them the same size",
                code="sizes_differ",
            )
    return Scene(photo, label_map, instance_map, name=pair.stem)


def check_scene(scene: Scene, label_set: LabelSet) -> None:
    """Refuse arrays that make no scene; the scene is named.

    Raises:
        DataError: the photo is no ``uint8`` [H, W, 3], or the instance map of another size.
        LabelMapError: the label map is no [H, W] of integers, or holds unknown ids.
    """
    label_set.check(scene.label_map, where=f"the label map of scene '{scene.name}'")
    size, instances = scene.label_map.shape, scene.instance_map
    fits = scene.photo.shape == (*size, 3) and (instances is None or instances.shape == size)
    if not fits or scene.photo.dtype != np.uint8:
        raise DataError(
            f"scene '{scene.name}': its label map is {list(size)}, so expected a photo uint8 "
            f"{[*size, 3]} and, if at all, an instance map {list(size)}; got {scene.photo.dtype} "
            f"{list(scene.photo.shape)} and {None if instances is None else list(instances.shape)}",
            code="sizes_differ",
        )
