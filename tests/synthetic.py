"""Seeded synthetic landscapes: small exact data sets for tests and trials.

A scene is sky above a mountain ridge above trees above water; its "photo" is made of the labels'
colors with light and noise, so that a generator can learn it in a few steps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import LabelSet

SKY, MOUNTAIN, TREE, WATER = 1, 3, 5, 7


def synthetic_scene(
    seed: int, *, label_set: LabelSet, height: int = 64, width: int = 96, instances: bool = False
) -> Scene:
    """One scene; the same seed and size give the same scene.

    Args:
        seed: any integer >= 0.
        label_set: the colors; must have the ids of sky, mountain, tree and water (1, 3, 5, 7).
        instances: also make an instance map (each label cut into vertical thirds).
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = sum(
        np.sin(columns[0] / width * 2 * np.pi * k + rng.uniform(0, 6)) / k for k in (1, 2, 3, 5)
    )
    ridge = height * (rng.uniform(0.3, 0.45) + 0.06 * waves)
    wood = height * rng.uniform(0.5, 0.6) + 0.03 * height * waves[::-1]
    shore = height * rng.uniform(0.7, 0.8)
    label_map = np.full((height, width), SKY, np.uint8)
    label_map[rows > ridge] = MOUNTAIN
    label_map[rows > wood] = TREE
    label_map[rows > shore] = WATER
    light = 1.1 - 0.4 * rows / height
    noise = rng.normal(0, 6, (height, width, 1))
    photo = label_set.colorize(label_map) * light[..., None] + noise
    instance_map = None
    if instances:
        instance_map = label_map.astype(np.int32) * 1000 + columns.astype(np.int32) * 3 // width
    return Scene(np.clip(np.rint(photo), 0, 255).astype(np.uint8), label_map, instance_map)


def write_synthetic_dataset(
    folder: str | Path,
    *,
    label_set: LabelSet,
    train: int = 6,
    val: int = 2,
    height: int = 64,
    width: int = 96,
    instances: bool = False,
) -> Path:
    """Write a paired data set of synthetic scenes (see data/dataset.py for the folders)."""
    folder = Path(folder)
    for part, count, first_seed in (("train", train, 0), ("val", val, 10_000)):
        for index in range(count):
            scene = synthetic_scene(
                first_seed + index,
                label_set=label_set,
                height=height,
                width=width,
                instances=instances,
            )
            write_scene(folder / part, f"{index:04d}", scene)
    return folder


def write_scene(folder: Path, stem: str, scene: Scene) -> None:
    """Write the files of one scene into a part of a data set."""
    pictures = {"images": scene.photo, "labels": scene.label_map}
    if scene.instance_map is not None:
        pictures["instances"] = scene.instance_map.astype(np.uint16)
    for name, array in pictures.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        # PNG for the photo too: a JPEG's decoder may differ from machine to machine
        Image.fromarray(array).save(folder / name / f"{stem}.png")
