"""Resize, crop, mirror and label dropping; label ids stay exact everywhere.

Photos are resized by area or cubic interpolation, label and instance maps by nearest neighbour;
photo and maps are always cut and mirrored together.
"""

from __future__ import annotations

import cv2
import numpy as np

from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import DONT_CARE


def resize(scene: Scene, height: int, width: int) -> Scene:
    """The scene at height x width pixels."""
    if scene.label_map.shape == (height, width):
        return scene
    shrinks = height < scene.label_map.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return _map_arrays(
        scene,
        photo=lambda photo: cv2.resize(photo, (width, height), interpolation=interpolation),
        ids=lambda ids: resize_ids(ids, height, width),
    )


def resize_ids(ids: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest neighbour by pixel centres for any integer type: no id appears that was not there."""
    rows = np.minimum((np.arange(height) + 0.5) * ids.shape[0] / height, ids.shape[0] - 1)
    columns = np.minimum((np.arange(width) + 0.5) * ids.shape[1] / width, ids.shape[1] - 1)
    return ids[rows.astype(np.int64)[:, None], columns.astype(np.int64)[None, :]]


def resize_short_side(scene: Scene, short_side: int) -> Scene:
    """Keep the aspect ratio (to the nearest pixel); the shorter side becomes ``short_side``."""
    height, width = scene.label_map.shape
    scale = short_side / min(height, width)
    return resize(
        scene, max(short_side, round(height * scale)), max(short_side, round(width * scale))
    )


def crop(scene: Scene, top: int, left: int, height: int, width: int) -> Scene:
    """The part of the scene that starts at (top, left)."""

    def cut(array: np.ndarray) -> np.ndarray:
        return array[top : top + height, left : left + width]

    return _map_arrays(scene, photo=cut, ids=cut)


def center_crop(scene: Scene, size: int) -> Scene:
    """The size x size square in the middle."""
    height, width = scene.label_map.shape
    return crop(scene, (height - size) // 2, (width - size) // 2, size, size)


def mirror(scene: Scene) -> Scene:
    """Left becomes right."""

    def flip(array: np.ndarray) -> np.ndarray:
        return array[:, ::-1]

    return _map_arrays(scene, photo=flip, ids=flip)


def drop_label(scene: Scene, rng: np.random.Generator) -> Scene:
    """One label of the scene, drawn at random, becomes "don't care"."""
    label_map = scene.label_map.copy()
    label_map[label_map == rng.choice(np.unique(label_map))] = DONT_CARE
    return Scene(photo=scene.photo, label_map=label_map, instance_map=scene.instance_map)


def random_view(
    scene: Scene,
    rng: np.random.Generator,
    *,
    crop_size: int,
    short_side: int,
    short_side_min: int | None,
    flip: bool,
    drop_label_probability: float,
) -> Scene:
    """One training picture of a scene: random scale, random square crop, mirror, dropped label."""
    if short_side_min is not None:
        short_side = int(rng.integers(short_side_min, short_side + 1))
    scene = resize_short_side(scene, short_side)
    height, width = scene.label_map.shape
    top = int(rng.integers(0, height - crop_size + 1))
    left = int(rng.integers(0, width - crop_size + 1))
    scene = crop(scene, top, left, crop_size, crop_size)
    if flip and rng.random() < 0.5:
        scene = mirror(scene)
    if rng.random() < drop_label_probability:
        scene = drop_label(scene, rng)
    return scene


def _map_arrays(scene: Scene, *, photo, ids) -> Scene:
    instance_map = scene.instance_map
    return Scene(
        photo=photo(scene.photo),
        label_map=ids(scene.label_map),
        instance_map=None if instance_map is None else ids(instance_map),
    )
