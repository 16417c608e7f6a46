"""Repairs label and instance maps: ids, orientation and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from spade_paddle.data.label_pictures import ids_in_gray, read_color_mask, read_ids
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.data.photos import ORIENTATION
from spade_paddle.data.transforms import resize_nearest
from spade_paddle.doctor.map_facts import GRAY, MapFacts
from spade_paddle.doctor.numbering import Numbering
from spade_paddle.doctor.survey import SceneFacts
from spade_paddle.errors import DataError

_ASPECT_TOLERANCE = 0.02  # relative difference of aspect ratios that is ignored
_MAX_UNKNOWN = 0.5  # share of unknown colors; with more, a map has another label set
_MAX_UNKNOWN_JPEG = 0.05  # the same for JPEGs; with more, ids are lost


class CannotRepair(Exception):
    """A scene must be left out; the message says why."""


def repaired_map(
    scene: SceneFacts, numbering: Numbering, *, label_set: LabelSet
) -> tuple[np.ndarray, list[str]]:
    """Repair the label map of a scene.

    Args:
        scene: the scene.
        numbering: how the data set numbers its labels.
        label_set: the meaning of the ids.

    Returns:
        The label map ``uint8`` [H, W] at the size of the upright photo, and notes on the changes.

    Raises:
        CannotRepair: it cannot be read, or does not fit the label set or the photo.
    """
    values, notes = _read(scene.pair.label_map, scene.label_map, label_set)
    if (
        not scene.label_map.code or scene.label_map.problem == GRAY
    ):  # ids read from colors are right
        values = _renumber(values, numbering, scene.pair.label_map, notes)
    if len(label_set) == 2 and scene.label_map.ids == {0, DONT_CARE}:
        values = np.where(values == DONT_CARE, 1, values)
        notes.append("255 became 1")
    unknown = (values >= len(label_set)) & (values != DONT_CARE)
    if unknown.any():
        ids = ", ".join(str(value) for value in np.unique(values[unknown])[:8])
        notes.append(f"unknown ids became don't care: {ids} ({unknown.mean():.1%})")
        values = np.where(unknown, DONT_CARE, values)
    if (values == DONT_CARE).all():
        raise CannotRepair("the whole label map is don't care")
    return _fit(values.astype(np.uint8), scene, scene.label_map.size, "label map", notes), notes


def repaired_instances(scene: SceneFacts) -> tuple[Image.Image, list[str]]:
    """Repair the instance map of a scene: a picture of 8 or 16 bits, and notes on the changes."""
    notes: list[str] = []
    values = read_ids(scene.pair.instance_map)
    values = _fit(values, scene, scene.instance_map.size, "instance map", notes)
    narrow = np.uint8 if values.max() < 256 else np.uint16
    return Image.fromarray(values.astype(narrow)), notes


def _read(path: Path, facts: MapFacts, label_set: LabelSet) -> tuple[np.ndarray, list[str]]:
    """Read the ids of a map from any kind of file, with notes."""
    if not facts.code:
        wide = facts.mode not in ("L", "P")
        return read_ids(path), ["label map saved with 8 bits"] if wide else []
    if facts.code == "label_map_unreadable":
        raise CannotRepair(f"the label map is {facts.problem}")
    if facts.problem == GRAY:
        with Image.open(path) as image:
            ids = ids_in_gray(np.asarray(image.convert("RGB")))
        return ids.astype(np.int64), ["ids read from gray saved as color"]
    jpeg = facts.code == "label_map_jpeg"
    try:
        reading = read_color_mask(path, label_set, allow_jpeg=jpeg)
    except DataError as error:
        raise CannotRepair(str(error)) from error
    unknown = sum(pixels for _, pixels in reading.unknown) / reading.label_map.size
    if unknown > (_MAX_UNKNOWN_JPEG if jpeg else _MAX_UNKNOWN):
        kind = "a JPEG" if jpeg else "colored"
        raise CannotRepair(
            f"the label map is {kind}, and {unknown:.0%} of it has no color of the label set"
        )
    notes = ["ids read from the label set's colors"]
    if unknown:
        notes.append(f"other colors became don't care ({unknown:.1%})")
    return reading.label_map.astype(np.int64), notes


def _renumber(values: np.ndarray, numbering: Numbering, path: Path, notes: list[str]) -> np.ndarray:
    if path in numbering.scaled_maps:
        table = np.arange(65_536)
        for value, label in numbering.scaled_ids.items():
            table[value] = label
        notes.append("ids divided")
        return table[values]
    if numbering.from_one:
        notes.append("1 subtracted from the ids")
        return np.where(values == DONT_CARE, DONT_CARE, values - 1)
    return values


def _fit(
    values: np.ndarray, scene: SceneFacts, size: tuple[int, int], kind: str, notes: list[str]
) -> np.ndarray:
    """Rotate values as the photo is rotated, and resize them if the aspect ratios agree."""
    photo = scene.photo
    if size == photo.stored != photo.size:
        values = _rotated(values, photo.orientation)
        notes.append(f"{kind} rotated like the photo")
    height, width = values.shape
    if (width, height) == photo.size:
        return values
    distortion = (width / photo.size[0]) / (height / photo.size[1])
    if not 1 / (1 + _ASPECT_TOLERANCE) < distortion < 1 + _ASPECT_TOLERANCE:
        raise CannotRepair(
            "the {} is {}x{} pixels and the photo {}x{}".format(kind, width, height, *photo.size)
        )
    notes.append(f"{kind} resized from {width}x{height}")
    return resize_nearest(values, photo.size[1], photo.size[0])


def _rotated(values: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an EXIF orientation to an array."""
    image = Image.fromarray(values.astype(np.int32))
    image.getexif()[ORIENTATION] = orientation
    return np.asarray(ImageOps.exif_transpose(image)).astype(values.dtype)
