"""Photos as training wants them: upright, RGB, 8 bits a colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from spade_paddle.doctor.pictures import conversion, upright
from spade_paddle.files import write_atomically

QUALITY = 95


def photo_as_rgb(path: Path) -> np.ndarray:
    """A photo as ``uint8`` [H, W, 3]; unlike training, it scales 16-bit grey to 8 bits."""
    with Image.open(path) as image:
        if conversion(image) != "16-bit grey":
            return upright(image)
        values = np.asarray(ImageOps.exif_transpose(image)).astype(np.float64)
    grey = np.rint(values * (255 / max(values.max(), 65_535))).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def save_photo(path: Path, photo: np.ndarray) -> None:
    """Write ``uint8`` [H, W, 3] as a JPEG with whole colours, without EXIF data."""
    image = Image.fromarray(photo)
    write_atomically(path, lambda p: image.save(p, "JPEG", quality=QUALITY, subsampling=0))
