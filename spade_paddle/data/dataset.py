"""Paired photos and label maps in folders.

    DIR/train/images/NAME.jpg   DIR/train/labels/NAME.png   (DIR/train/instances/NAME.png)
    DIR/val/images/NAME.jpg     DIR/val/labels/NAME.png     (DIR/val/instances/NAME.png)

A photo and its maps have the same file stem. Label maps are 8-bit grey or palette PNGs whose
pixel values are the ids; instance maps 8- or 16-bit PNGs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.data.labels import LabelSet
from spade_paddle.data.photos import PHOTO_ENDINGS, read_photo
from spade_paddle.errors import DataError


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
    map ``int32`` [H, W] or None, positional encoding ``float32`` [H, W, 2] or None."""

    photo: np.ndarray
    label_map: np.ndarray
    instance_map: np.ndarray | None = None
    positions: np.ndarray | None = None


def find_pairs(folder: str | Path, part: str) -> list[Pair]:
    """The scenes of ``folder/part`` (``train`` or ``val``), sorted by stem.

    Raises:
        DataError: a folder is missing or empty, or a photo has no label map or the reverse.
    """
    root = Path(folder) / part
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
        raise DataError(
            f"{folder}: there is no such folder; a data set has train/images, train/labels, "
            "val/images and val/labels",
            code="data_folder_missing",
        )
    found = {path.stem: path for path in folder.iterdir() if path.suffix.lower() in endings}
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
    return Scene(photo=photo, label_map=label_map, instance_map=instance_map)


def read_ids(path: str | Path) -> np.ndarray:
    """The pixel values of a grey or palette PNG as integers [H, W], never converted to colours.

    Raises:
        DataError: unreadable, or a colour picture, or a JPEG (which changes ids).
    """
    try:
        with Image.open(path) as image:
            if image.format == "JPEG":
                raise DataError(
                    f"{path}: a label map must not be a JPEG, which changes ids; save it as PNG",
                    code="label_map_jpeg",
                )
            if image.mode not in ("L", "P", "I", "I;16", "1"):
                raise DataError(
                    f"{path}: expected a grey or palette PNG whose pixel values are label ids, "
                    f"got a picture of mode {image.mode}; colours are not ids",
                    code="label_map_colour",
                )
            return np.asarray(image).astype(np.int64)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read as a label map: {error}", code="label_map_unreadable"
        ) from error


def read_label_map(path: str | Path, label_set: LabelSet) -> np.ndarray:
    """A checked label map as ``uint8`` [H, W] of ids 0..K-1 and 255."""
    ids = read_ids(path)
    label_set.check(ids, where=str(path))
    return ids.astype(np.uint8)
