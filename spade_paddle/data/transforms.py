"""Resize, crop, mirror and label dropping; label ids stay exact everywhere.

Photos are resized by area or cubic interpolation, everything else (label map, instance map,
positional encoding) by nearest neighbour; photo and maps are always cut and mirrored together.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Callable

import cv2
import numpy as np

from spade_paddle.config import DataConfig
from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.positions import mirrored_positions

Change = Callable[[np.ndarray], np.ndarray]


def resize(scene: Scene, height: int, width: int) -> Scene:
    """The scene at height x width pixels."""
    if scene.label_map.shape == (height, width):
        return scene
    shrinks = height < scene.label_map.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return _map_arrays(
        scene,
        photo=lambda photo: cv2.resize(photo, (width, height), interpolation=interpolation),
        maps=lambda values: resize_nearest(values, height, width),
    )


def resize_nearest(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest neighbour by pixel centres for any type: no value appears that was not there."""
    rows = np.minimum((np.arange(height) + 0.5) * values.shape[0] / height, values.shape[0] - 1)
    columns = np.minimum((np.arange(width) + 0.5) * values.shape[1] / width, values.shape[1] - 1)
    return values[rows.astype(np.int64)[:, None], columns.astype(np.int64)[None, :]]


def resize_short_side(scene: Scene, short_side: int) -> Scene:
    """Keep the aspect ratio (to the nearest pixel); the shorter side becomes ``short_side``."""
    height, width = scene.label_map.shape
    scale = short_side / min(height, width)
    return resize(
        scene, max(short_side, round(height * scale)), max(short_side, round(width * scale))
    )


def resize_to_cover(scene: Scene, short_side: int, *, height: int, width: int) -> Scene:
    """``resize_short_side``, but larger where a height x width crop would not fit in."""
    rows, columns = scene.label_map.shape
    needed = max(height / rows, width / columns) * min(rows, columns)
    return resize_short_side(scene, max(short_side, math.ceil(needed)))


def crop(scene: Scene, top: int, left: int, height: int, width: int) -> Scene:
    """The part of the scene that starts at (top, left)."""

    def cut(array: np.ndarray) -> np.ndarray:
        return array[top : top + height, left : left + width]

    return _map_arrays(scene, photo=cut, maps=cut)


def center_crop(scene: Scene, height: int, width: int) -> Scene:
    """The height x width rectangle in the middle."""
    rows, columns = scene.label_map.shape
    return crop(scene, (rows - height) // 2, (columns - width) // 2, height, width)


def whole_picture(scene: Scene, height: int, width: int) -> Scene:
    """As much of the scene as a height x width picture shows: its middle."""
    scene = resize_to_cover(scene, min(height, width), height=height, width=width)
    return center_crop(scene, height, width)


def mirror(scene: Scene, *, icpe_compatible: bool = False) -> Scene:
    """Left becomes right; ``icpe_compatible`` as in positions.mirrored_positions."""

    def flip(array: np.ndarray) -> np.ndarray:
        return array[:, ::-1]

    flipped = _map_arrays(scene, photo=flip, maps=flip)
    if scene.positions is None:
        return flipped
    positions = mirrored_positions(scene.positions, compatible=icpe_compatible)
    return dataclasses.replace(flipped, positions=positions)


def drop_label(scene: Scene, rng: np.random.Generator) -> Scene:
    """One label of the scene, drawn at random, becomes "don't care"."""
    label_map = scene.label_map.copy()
    label_map[label_map == rng.choice(np.unique(label_map))] = DONT_CARE
    return dataclasses.replace(scene, label_map=label_map)


def random_view(scene: Scene, rng: np.random.Generator, options: DataConfig) -> Scene:
    """One training picture of a scene: random scale, random crop, mirror, dropped label."""
    short_side, height, width = options.short_side, options.crop_height, options.crop_size
    if options.short_side_min is not None:
        short_side = int(rng.integers(options.short_side_min, short_side + 1))
    scene = resize_to_cover(scene, short_side, height=height, width=width)
    rows, columns = scene.label_map.shape
    top = int(rng.integers(0, rows - height + 1))
    left = int(rng.integers(0, columns - width + 1))
    scene = crop(scene, top, left, height, width)
    if options.flip and rng.random() < 0.5:
        scene = mirror(scene, icpe_compatible=options.icpe_compatible)
    if rng.random() < options.drop_label_probability:
        scene = drop_label(scene, rng)
    return scene


def _map_arrays(scene: Scene, *, photo: Change, maps: Change) -> Scene:
    """The photo changed by one function, everything else by another."""

    def change(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else maps(values)

    return Scene(
        photo=photo(scene.photo),
        label_map=maps(scene.label_map),
        instance_map=change(scene.instance_map),
        positions=change(scene.positions),
    )
