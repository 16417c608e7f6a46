"""Label maps as files: palette PNGs whose pixel values are the ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from spade_paddle.data.labels import LabelSet
from spade_paddle.files import write_atomically


def write_label_map(
    path: str | Path,
    label_map: np.ndarray,
    label_set: LabelSet,
    *,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Write a label map as an 8-bit palette PNG: the ids as they are, shown in their colors.

    Args:
        path: the file, ``.png``; its folder is made, and it is written whole or not at all.
        label_map: integers [H, W], ids 0..K-1 and 255.
        label_set: whose ids they are, and whose colors viewers show.
        texts: what else the PNG is to carry, by name; Pillow's ``image.info`` gives it back.

    Raises:
        LabelMapError: unknown ids, or no gray picture.
    """
    label_set.check(label_map, where=str(path))
    image = Image.fromarray(np.ascontiguousarray(label_map, np.uint8))
    image.putpalette(label_set.palette().tobytes())
    carried = PngInfo()
    for name, text in (texts or {}).items():
        carried.add_itxt(name, text)
    write_atomically(Path(path), lambda temporary: image.save(temporary, "PNG", pnginfo=carried))
