"""Paired photos and label maps in folders.

    DIR/train/images/NAME.jpg   DIR/train/labels/NAME.png   (DIR/train/instances/NAME.png)
    DIR/val/images/NAME.jpg     DIR/val/labels/NAME.png     (DIR/val/instances/NAME.png)

or, without train/ and val/, flat folders, which data/split.py divides:

    DIR/images/NAME.jpg         DIR/labels/NAME.png         (DIR/instances/NAME.png)

A photo and its maps have the same file stem; data/leave_out.py lists those to ignore. Label
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
        """The two or three files."""
        return [path for path in (self.photo, self.label_map, self.instance_map) if path]


@dataclass(frozen=True)
class Scene:
    """One scene in memory: photo ``uint8`` [H, W, 3] RGB, label map ``uint8`` [H, W], instance
    map ``int32`` [H, W] or None, positional encoding ``float32`` [H, W, 2] or None.

    The name is used in messages and decides in which half of the validation scenes it is
    (data/split.py).
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
    """The files of a folder of pictures, listed without reading them; none if it is missing.

    Args:
        path: the folder.
        endings: file name extensions of the pictures, in lower case.
        leave_out: stems of files to ignore.

    Attributes:
        by_stem: the pictures by file stem, sorted; several if only their extensions differ.
        others: other files and subfolders, except those created by file managers.
        left_out: the stems of ``leave_out`` that were found.
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
        """The pictures, then the other files."""
        return [path for files in self.by_stem.values() for path in files] + self.others

    @property
    def duplicates(self) -> list[Path]:
        """The pictures that share their stem with another."""
        return [path for files in self.by_stem.values() if len(files) > 1 for path in files]

    def without(self, other: Folder) -> list[Path]:
        """The first file of every stem that the other folder does not have."""
        return [files[0] for stem, files in self.by_stem.items() if stem not in other.by_stem]

    def check(self, *, expected: str) -> None:
        """Check that the folder exists and has pictures, each with a stem of its own.

        Args:
            expected: what should be there, for the error about a missing folder.

        Raises:
            DataError: with the code data_folder_missing, data_folder_empty or stem_twice.
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
                f"{self.path}: {one.name} and {other.name} differ only in their extensions, so "
                "the files that belong to them cannot be told apart; rename or remove one",
                code="stem_twice",
            )


class Part:
    """The files of ``train`` or ``val``, or of a whole flat data set if the name is ``""``."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        leave_out = read_leave_out(folder)
        self.images = Folder(folder / name / "images", PHOTO_ENDINGS, leave_out=leave_out)
        self.labels = Folder(folder / name / "labels", MAP_ENDINGS, leave_out=leave_out)
        self.instances = Folder(folder / name / "instances", MAP_ENDINGS, leave_out=leave_out)

    @property
    def folders(self) -> tuple[Folder, Folder, Folder]:
        """images/, labels/ and instances/; the last may be missing."""
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
        """The instance map of a scene; None if it has none."""
        return self.instances.by_stem.get(stem, (None,))[0]

    @property
    def without_instances(self) -> list[Path]:
        """The photos of scenes without an instance map, if other scenes have one."""
        if not self.instances.by_stem:
            return []
        return [pair.photo for pair in self.pairs if pair.instance_map is None]

    def check(self) -> None:
        """Check that every photo has its maps, and every map its photo.

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
                f"{self.images.path.parent}: every photo needs a label map of the same name (and, "
                f"if there are any, an instance map), every label map a photo; {len(stems)} are "
                f"incomplete: {', '.join(stems[:6])}{' ...' if len(stems) > 6 else ''}; add or "
                "remove files",
                code="pairs_incomplete",
            )


def dataset_parts(folder: str | Path) -> tuple[str, ...]:
    """The parts of a data set: train and val, or ``""`` for a flat one.

    If there is a train/ or a val/, an images/ beside them is ignored.

    Raises:
        DataError: the folder has neither layout.
    """
    folder = Path(folder)
    if any((folder / part).is_dir() for part in PARTS):
        return PARTS
    if any((folder / name).is_dir() for name in ("images", "labels")):
        return ("",)
    raise DataError(f"{folder}: this is not a data set; {FORM}", code="data_folder_missing")


def left_out_lines(folder: str | Path) -> list[str]:
    """Messages about the scenes that a data set leaves out; none if it has no list.

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
            "their extensions are expected)"
        )
    return lines


def find_pairs(
    folder: str | Path, part: str, *, val_share: float = DataConfig.val_share
) -> list[Pair]:
    """List the scenes of one part of a data set, sorted by stem.

    Args:
        folder: the data set.
        part: ``train`` or ``val``; or one of ``dataset_parts``, where ``""`` is all of a flat one.
        val_share: share of a flat data set that is ``val`` (data/split.py).

    Raises:
        DataError: a folder is missing or empty, a photo has no label map or the reverse, or one
            part of a flat data set would be empty.
    """
    flat = dataset_parts(folder) == ("",)
    listed = Part(Path(folder), "" if flat else part)
    listed.check()
    pairs = listed.pairs
    if not flat or not part:
        return pairs
    splits = [split_of(pair.stem, val_share=val_share) for pair in pairs]
    for split in PARTS:
        if split not in splits:
            raise DataError(
                f"{folder}: none of its {len(pairs)} photos is in {split} with data.val_share "
                f"{val_share}; change that, add photos, or sort them into train/ and val/",
                code="split_one_sided",
            )
    return [pair for pair, split in zip(pairs, splits) if split == part]


def read_scene(pair: Pair, label_set: LabelSet) -> Scene:
    """Read and check the files of one scene.

    Raises:
        DataError: a file cannot be read, or the sizes differ.
        LabelMapError: the label map has unknown ids.
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
    """Check the arrays of a scene.

    Raises:
        DataError: the photo is not ``uint8`` [H, W, 3], or the instance map has another size.
        LabelMapError: the label map is not an integer array [H, W], or it has unknown ids.
    """
    label_set.check(scene.label_map, where=f"the label map of scene '{scene.name}'")
    size, instances = scene.label_map.shape, scene.instance_map
    fits = scene.photo.shape == (*size, 3) and (instances is None or instances.shape == size)
    if not fits or scene.photo.dtype != np.uint8:
        raise DataError(
            f"scene '{scene.name}': its label map is {list(size)}, so expected a photo uint8 "
            f"{[*size, 3]} and an instance map {list(size)} or None; got {scene.photo.dtype} "
            f"{list(scene.photo.shape)} and {None if instances is None else list(instances.shape)}",
            code="sizes_differ",
        )
