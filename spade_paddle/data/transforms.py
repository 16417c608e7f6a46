"""Resize, crop, mirror, coarse and dropped labels; label ids stay exact everywhere.

Photos are resized by area or cubic interpolation, everything else (label map, instance map,
positional encoding) by nearest neighbor; photo and maps are always cut and mirrored together.
"""

from __future__ import annotations

import dataclasses
from typing import Callable

import cv2
import numpy as np

from spade_paddle.config import DataConfig
from spade_paddle.data.coarse import CELLS, coarse_label_map
from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.picture_sizes import loaded_size, size_to_cover, view_size
from spade_paddle.data.positions import intra_class_positions, mirrored_positions

Change = Callable[[np.ndarray], np.ndarray]


def resize(scene: Scene, height: int, width: int) -> Scene:
    """Resize a scene to height x width pixels."""
    if scene.label_map.shape == (height, width):
        return scene
    return _map_arrays(
        scene,
        photo=lambda photo: resize_photo(photo, height, width),
        maps=lambda values: resize_nearest(values, height, width),
    )


def resize_photo(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a photo ``uint8`` [H, W, 3]: axes that shrink by area, axes that grow bicubically."""
    rows, columns = min(height, photo.shape[0]), min(width, photo.shape[1])
    if (rows, columns) != photo.shape[:2]:
        photo = cv2.resize(photo, (columns, rows), interpolation=cv2.INTER_AREA)
    if (height, width) != (rows, columns):
        photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_CUBIC)
    return photo


def resize_nearest(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by nearest neighbor, aligned at pixel centers; any dtype, and no new values."""
    rows = np.minimum((np.arange(height) + 0.5) * values.shape[0] / height, values.shape[0] - 1)
    columns = np.minimum((np.arange(width) + 0.5) * values.shape[1] / width, values.shape[1] - 1)
    return values[rows.astype(np.int64)[:, None], columns.astype(np.int64)[None, :]]


def to_load_size(scene: Scene, options: DataConfig, *, multiple: int) -> Scene:
    """Resize a scene to its load size, the deterministic part of the load mode."""
    return resize(scene, *loaded_size(scene.size, options, multiple=multiple))


def crop(scene: Scene, top: int, left: int, height: int, width: int) -> Scene:
    """Crop height x width pixels of a scene from (top, left) on."""

    def cut(array: np.ndarray) -> np.ndarray:
        return array[top : top + height, left : left + width]

    return _map_arrays(scene, photo=cut, maps=cut)


def center_crop(scene: Scene, height: int, width: int) -> Scene:
    """Crop height x width pixels at the center of a scene."""
    rows, columns = scene.label_map.shape
    return crop(scene, (rows - height) // 2, (columns - width) // 2, height, width)


def whole_picture(scene: Scene, height: int, width: int) -> Scene:
    """Resize a scene to the smallest size that covers height x width, and crop its center."""
    size, cover = scene.size, (height, width)
    scene = resize(scene, *size_to_cover(size, min(cover), full=min(size), cover=cover))
    return center_crop(scene, height, width)


def middle_view(scene: Scene, options: DataConfig, *, multiple: int) -> Scene:
    """The deterministic counterpart of ``random_view``, for validation.

    If training pictures are crops of a known load size, this is the whole picture instead.
    """
    if options.crops and options.has_load_size:
        return whole_picture(scene, *options.picture_size(multiple))
    size = view_size(scene.size, options, load_size=options.load_size, multiple=multiple)
    scene = resize(scene, *size)
    return center_crop(scene, options.crop_height, options.crop_size) if options.crops else scene


def mirror(scene: Scene, *, icpe_compatible: bool = False) -> Scene:
    """Flip a scene horizontally; ``icpe_compatible``: see positions.mirrored_positions."""

    def flip(array: np.ndarray) -> np.ndarray:
        return array[:, ::-1]

    flipped = _map_arrays(scene, photo=flip, maps=flip)
    if scene.positions is None:
        return flipped
    positions = mirrored_positions(scene.positions, compatible=icpe_compatible)
    return dataclasses.replace(flipped, positions=positions)


def drop_label(scene: Scene, rng: np.random.Generator) -> Scene:
    """Replace one random label of a scene by "don't care"."""
    label_map = scene.label_map.copy()
    label_map[label_map == rng.choice(np.unique(label_map))] = DONT_CARE
    return dataclasses.replace(scene, label_map=label_map)


def coarse_labels(
    scene: Scene, rng: np.random.Generator, *, icpe_compatible: bool = False
) -> Scene:
    """Make the label map of a scene coarse, like a doodle, with a random cell size.

    Photo and instance map do not change. Positional encodings are computed again, as they are for
    a doodle: the old ones would show the network the fine borders.
    """
    label_map = coarse_label_map(scene.label_map, int(rng.choice(CELLS)))
    positions = None
    if scene.positions is not None:
        positions = intra_class_positions(label_map, compatible=icpe_compatible)
    return dataclasses.replace(scene, label_map=label_map, positions=positions)


def random_crop(scene: Scene, rng: np.random.Generator, *, height: int, width: int) -> Scene:
    """Crop height x width pixels of a scene at a uniformly random position."""
    rows, columns = scene.label_map.shape
    top = int(rng.integers(0, rows - height + 1))
    left = int(rng.integers(0, columns - width + 1))
    return crop(scene, top, left, height, width)


def random_view(
    scene: Scene, rng: np.random.Generator, options: DataConfig, *, multiple: int
) -> Scene:
    """Draw one training picture from a loaded scene: random scale, crop, flip, dropped label and
    coarse label map.

    Args:
        scene: from ``to_load_size``.
        rng: source of the randomness.
        options: what to draw, and how often.
        multiple: pixels that both sides of a picture must be a multiple of.
    """
    load_size = options.load_size
    if options.load_size_min is not None:
        load_size = int(rng.integers(options.load_size_min, load_size + 1))
    size = view_size(scene.size, options, load_size=load_size, multiple=multiple)
    scene = resize(scene, *size)
    if options.crops:
        scene = random_crop(scene, rng, height=options.crop_height, width=options.crop_size)
    if options.flip and rng.random() < 0.5:
        scene = mirror(scene, icpe_compatible=options.icpe_compatible)
    if rng.random() < options.drop_label_probability:
        scene = drop_label(scene, rng)
    # nothing is drawn if it is off, so that older runs resume with the same views
    if options.coarse_label_probability and rng.random() < options.coarse_label_probability:
        scene = coarse_labels(scene, rng, icpe_compatible=options.icpe_compatible)
    return scene


def _map_arrays(scene: Scene, *, photo: Change, maps: Change) -> Scene:
    """Apply one function to the photo and another one to all maps."""

    def change(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else maps(values)

    return dataclasses.replace(
        scene,
        photo=photo(scene.photo),
        label_map=maps(scene.label_map),
        instance_map=change(scene.instance_map),
        positions=change(scene.positions),
    )
