"""Styles that come with a model: of selected photos by name, of many photos by layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from spade_paddle.data.dataset import Pair, find_pairs, read_scene
from spade_paddle.data.photos import read_photo
from spade_paddle.data.transforms import whole_picture
from spade_paddle.files import sha256
from spade_paddle.inference.gallery import GALLERY, Gallery, brightness, layout
from spade_paddle.inference.painter import Painter


def add_styles(folder: Path, photos: Mapping[str, Path]) -> None:
    """Store the styles of photos in a model folder, in place of its named styles.

    Only the style vectors are stored, not the photos.

    Args:
        folder: model folder with a style encoder.
        photos: photo files by the name of their style.

    Raises:
        DataError: a photo cannot be read.
        LabelMapError: the model has no style encoder.
        ModelError: ``folder`` is not a model folder.
    """
    painter = Painter.load(folder)
    styles = [
        {
            "name": name,
            "vector": [round(float(x), 4) for x in painter.style_of(read_photo(photo))],
        }
        for name, photo in photos.items()
    ]
    dataclasses.replace(painter.card, styles=styles).write(folder)


def add_gallery(
    folder: Path, data: Path, *, progress: Callable[[Iterable[Pair]], Iterable[Pair]] = iter
) -> int:
    """Store the styles and layouts of a data set's training scenes as the model's gallery.

    Args:
        folder: model folder with a style encoder.
        data: data set with the model's labels.
        progress: wraps the iteration over scenes, as tqdm does.

    Returns:
        The number of styles.

    Raises:
        DataError: the data set cannot be read.
        LabelMapError: the model has no style encoder.
        ModelError: ``folder`` is not a model folder.
    """
    painter = Painter.load(folder)
    vectors, layouts, brightnesses = [], [], []
    for pair in progress(
        find_pairs(data, "train", val_share=painter.card.option("data.val_share"))
    ):
        scene = read_scene(pair, painter.label_set)
        whole = whole_picture(scene, painter.height, painter.width)
        vectors.append(painter.style_of(whole.photo))
        layouts.append(layout(scene.label_map, num_labels=len(painter.label_set)))
        brightnesses.append(brightness(whole.photo, whole.label_map))
    Gallery(np.array(vectors), np.array(layouts), np.array(brightnesses)).save(folder)
    files = {**painter.card.files, GALLERY: sha256(folder / GALLERY)}
    dataclasses.replace(painter.card, files=files).write(folder)
    return len(vectors)
