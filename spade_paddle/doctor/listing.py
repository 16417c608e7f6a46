"""Which files a data set has, listed without reading or refusing any.

data/dataset.py says where they belong: train/ and val/, or a flat folder, each with images/,
labels/ and perhaps instances/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spade_paddle.data.dataset import PARTS, Pair, dataset_parts
from spade_paddle.data.photos import CAMERA_ENDINGS, PHOTO_ENDINGS
from spade_paddle.errors import DataError

MAP_ENDINGS = (".png",)
# endings of pictures that training does not look at, but --fix can read
OTHER_PICTURES = (*CAMERA_ENDINGS, ".gif", ".ppm", ".tga")
NEVER_MEANT = ("thumbs.db", "desktop.ini", ".ds_store", ".gitkeep")


@dataclass(frozen=True)
class Folder:
    """images/, labels/ or instances/ of one part."""

    path: Path
    exists: bool
    by_stem: dict[str, tuple[Path, ...]]  # what training looks at
    others: tuple[Path, ...]  # everything else, sub-folders too


@dataclass(frozen=True)
class Part:
    """``train``, ``val``, or the whole of a flat data set, whose name is empty."""

    name: str
    images: Folder
    labels: Folder
    instances: Folder

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


def list_parts(folder: Path) -> tuple[Part, ...]:
    """The parts of a data set; folders that are missing are listed as such."""
    try:
        names = dataset_parts(folder)
    except DataError:  # neither form: all folders are missing
        names = PARTS
    return tuple(
        Part(
            name,
            images=_list_folder(folder / name / "images", PHOTO_ENDINGS),
            labels=_list_folder(folder / name / "labels", MAP_ENDINGS),
            instances=_list_folder(folder / name / "instances", MAP_ENDINGS),
        )
        for name in names
    )


def _list_folder(path: Path, endings: tuple[str, ...]) -> Folder:
    by_stem: dict[str, tuple[Path, ...]] = {}
    others = []
    for file in sorted(path.iterdir()) if path.is_dir() else ():
        if file.is_file() and file.suffix.lower() in endings:
            by_stem[file.stem] = (*by_stem.get(file.stem, ()), file)
        elif file.name.lower() not in NEVER_MEANT:
            others.append(file)
    return Folder(path, path.is_dir(), by_stem, tuple(others))
