"""Styles that come with a model: the light and mood of chosen photos, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from spade_paddle.data.photos import read_photo
from spade_paddle.files import write_text_atomically
from spade_paddle.inference.painter import Painter


def add_styles(folder: Path, photos: Mapping[str, Path]) -> None:
    """Keep the styles of photos in a model folder; those that it had are replaced.

    Only the style vectors are kept, not the photos.

    Args:
        folder: of a model with styles.
        photos: by the name of the style; the first is the default.

    Raises:
        DataError: a photo cannot be read.
        LabelMapError: the model has no styles.
        ModelError: that is no model folder.
    """
    painter = Painter.load(folder)
    path = folder / "model.json"
    model = json.loads(path.read_text(encoding="utf-8"))
    model["styles"] = [
        {
            "name": name,
            "vector": [round(float(x), 4) for x in painter.style_of(read_photo(photo))],
        }
        for name, photo in photos.items()
    ]
    write_text_atomically(path, json.dumps(model, indent=1, ensure_ascii=False) + "\n")
