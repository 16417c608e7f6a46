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
    """Write a label map atomically as an 8-bit palette PNG: pixel values are ids, shown in colors.

    Args:
        path: the ``.png`` file; its folder is created if needed.
        label_map: integers [H, W], ids 0..K-1 and 255.
        label_set: gives the valid ids and the palette.
        texts: text chunks of the PNG by name, which Pillow reads into ``image.info``.

    Raises:
        LabelMapError: unknown ids, or not an integer array [H, W].
    """
    label_set.check(label_map, where=str(path))
    image = Image.fromarray(np.ascontiguousarray(label_map, np.uint8))
    image.putpalette(label_set.palette().tobytes())
    chunks = PngInfo()
    for name, text in (texts or {}).items():
        chunks.add_itxt(name, text)
    write_atomically(Path(path), lambda temporary: image.save(temporary, "PNG", pnginfo=chunks))
