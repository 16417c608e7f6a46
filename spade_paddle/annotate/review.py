"""A page to review annotated photos: photo | photo with label map; opened without a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.data.leave_out import read_leave_out
from spade_paddle.data.photos import read_photo, shrink
from spade_paddle.files import write_atomically, write_text_atomically

THUMBNAIL = 288  # pixels of the shorter side
OPACITY = 0.6  # of the label colors over the photo


def write_review(out: Path, records: Sequence[dict[str, Any]], label_set: LabelSet) -> Path:
    """Write ``OUT/review.html`` and the thumbnails it shows, ``OUT/review/NAME.jpg``.

    Args:
        out: a folder written by ``DatasetWriter``.
        records: the records of its manifest.
        label_set: the labels of its label maps.

    Returns:
        the path of the page, which needs no server and no network. Users can exclude photos with
        it: it creates the file leave_out.txt (data/leave_out.py).
    """
    for record in records:
        if "skipped" not in record:
            _write_thumbnail(out, record["name"], label_set)
    page = Template((Path(__file__).parent / "review.html").read_text(encoding="utf-8"))
    text = page.substitute(
        labels=_script_json(label_set.to_dict()["labels"]),
        records=_script_json(list(records)),
        left_out=_script_json(sorted(read_leave_out(out))),
    )
    write_text_atomically(out / "review.html", text)
    return out / "review.html"


def overlay(photo: np.ndarray, label_map: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Blend label colors over a photo, with black borders; pixels of id 255 show the photo.

    Args:
        photo: ``uint8`` [H, W, 3] RGB.
        label_map: ``uint8`` [H, W].
        label_set: the colors.

    Returns:
        ``uint8`` [H, W, 3] RGB.
    """
    colors = label_set.colorize(label_map).astype(np.float32)
    mixed = OPACITY * colors + (1 - OPACITY) * photo
    mixed[label_map == DONT_CARE] = photo[label_map == DONT_CARE]
    border = np.zeros(label_map.shape, bool)
    border[:, 1:] |= label_map[:, 1:] != label_map[:, :-1]
    border[1:] |= label_map[1:] != label_map[:-1]
    mixed[border] = 0
    return np.rint(mixed).astype(np.uint8)


def _write_thumbnail(out: Path, name: str, label_set: LabelSet) -> None:
    path = out / "review" / f"{name}.jpg"
    source = out / "labels" / f"{name}.png"
    if path.is_file() and path.stat().st_mtime >= source.stat().st_mtime:
        return
    photo = shrink(read_photo(out / "images" / f"{name}.jpg"), THUMBNAIL)
    with Image.open(source) as image:
        size = (photo.shape[1], photo.shape[0])
        label_map = np.asarray(image.resize(size, Image.Resampling.NEAREST))
    picture = Image.fromarray(overlay(photo, label_map, label_set))
    write_atomically(path, lambda temporary: picture.save(temporary, "JPEG", quality=85))


def _script_json(value: Any) -> str:
    """Convert to JSON that is safe inside a script element, whatever the names of photos."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
