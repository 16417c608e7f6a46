"""Paired photos and label maps in folders.

    DIR/train/images/NAME.jpg   DIR/train/labels/NAME.png   (DIR/train/instances/NAME.png)
    DIR/val/images/NAME.jpg     DIR/val/labels/NAME.png     (DIR/val/instances/NAME.png)

or, without train/ and val/, flat folders, which data/split.py divides:

    DIR/images/NAME.jpg         DIR/labels/NAME.png         (DIR/instances/NAME.png)

A photo and its maps have the same file stem. Label maps are 8-bit grey or palette PNGs whose
pixel values are the ids; instance maps are 8- or 16-bit grey or palette PNGs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.config import DataConfig
from spade_paddle.data.label_pictures import read_ids, read_label_map
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.photos import PHOTO_ENDINGS, read_photo
from spade_paddle.data.split import side_of
from spade_paddle.errors import DataError

PARTS = ("train", "val")
_FORM = (
    "a data set has train/images, train/labels, val/images and val/labels, or only images and "
    "labels, which are then split"
)


@dataclass(frozen=True)
class Pair:
    """The files of one scene."""

    stem: str
    photo: Path
    label_map: Path
    instance_map: Path | None


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
    raise DataError(f"{folder}: this is no data set; {_FORM}", code="data_folder_missing")


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
    pairs = _pairs_in(Path(folder) if flat else Path(folder) / part)
    if not flat or not part:
        return pairs
    sides = [side_of(pair.stem, val_share=val_share) for pair in pairs]
    for side in PARTS:
        if side not in sides:
            raise DataError(
                f"{folder}: none of its {len(pairs)} photos falls to {side} with data.val_share "
                f"{val_share}; change that, add photos, or sort them into train/ and val/",
                code="split_one_sided",
            )
    return [pair for pair, side in zip(pairs, sides) if side == part]


def _pairs_in(root: Path) -> list[Pair]:
    photos = _by_stem(root / "images", PHOTO_ENDINGS)
    label_maps = _by_stem(root / "labels", (".png",))
    instance_folder = root / "instances"
    instances = _by_stem(instance_folder, (".png",)) if instance_folder.is_dir() else {}
    alone = sorted(photos.keys() ^ label_maps.keys())
    if instance_folder.is_dir():
        alone += sorted(photos.keys() - instances.keys())
    if alone:
        raise DataError(
            f"{root}: every photo needs a label map of the same name and the reverse; alone "
            f"stand {len(alone)}: {', '.join(alone[:6])}{' ...' if len(alone) > 6 else ''}",
            code="pairs_incomplete",
        )
    return [
        Pair(stem, photos[stem], label_maps[stem], instances.get(stem)) for stem in sorted(photos)
    ]


def _by_stem(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; {_FORM}", code="data_folder_missing")
    found: dict[str, Path] = {}
    for path in folder.iterdir():
        if path.suffix.lower() not in endings:
            continue
        if path.stem in found:
            raise DataError(
                f"{folder}: {path.name} and {found[path.stem].name} have one name but for the "
                "ending, so their maps cannot be told apart; rename or remove one",
                code="stem_twice",
            )
        found[path.stem] = path
    if not found:
        raise DataError(
            f"{folder}: there is no {' or '.join(endings)} file here", code="data_folder_empty"
        )
    return found


def read_scene(pair: Pair, label_set: LabelSet) -> Scene:
    """Read and check the files of one scene.

    Raises:
        DataError: a file cannot be read, or the sizes differ.
        LabelMapError: the label map is coloured or holds unknown ids; the file is named.
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
