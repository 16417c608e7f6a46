"""What one photo file is, told without an exception."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from spade_paddle.data.photos import LIMIT_PIXELS, ORIENTATION, read_photo
from spade_paddle.errors import DataError

THUMBNAIL = 16  # rows of a thumbnail, which is one column wider
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


@dataclass(frozen=True)
class PhotoFacts:
    """A photo; ``problem`` says why it cannot be read, and then the rest is empty.

    Sizes are (width, height): ``stored`` as in the file, ``size`` upright.
    """

    problem: str = ""
    stored: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (0, 0)
    orientation: int = 1  # as EXIF counts, 1: upright
    converted: str = ""  # what reading it as RGB changes, in words
    thumbnail: np.ndarray | None = None  # uint8 [16, 17, 3], of a photo read whole


def photo_facts(path: Path, *, whole: bool) -> PhotoFacts:
    """Look at a photo: at its header only, or with ``whole`` at all of it."""
    try:
        with Image.open(path) as image:
            converted = conversion(image)
            orientation = _orientation(image, whole=whole)
            width, height = image.size
        if width * height > LIMIT_PIXELS:
            return PhotoFacts(problem=f"larger than {LIMIT_PIXELS // 10**6} million pixels")
        return PhotoFacts(
            stored=(width, height),
            size=(height, width) if orientation >= 5 else (width, height),
            orientation=orientation,
            converted=converted,
            thumbnail=_thumbnail(read_photo(path)) if whole else None,
        )
    except DataError as error:
        return PhotoFacts(problem=why_unreadable(path, error.__cause__ or error))
    except Exception as error:  # decoders of damaged files raise what they like
        return PhotoFacts(problem=why_unreadable(path, error))


def why_unreadable(path: Path, error: BaseException) -> str:
    """What is wrong with a file that could not be read, in a few words."""
    if path.name.startswith("._"):
        return "a leftover of macOS, no picture"
    if path.is_file() and path.stat().st_size == 0:
        return "empty, 0 bytes"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture, or its beginning is damaged"
    if "truncated" in str(error):
        return "cut off before its end"
    return f"damaged ({error})"


def conversion(image: Image.Image) -> str:
    """What reading an open picture as 8-bit RGB changes; empty when nothing."""
    if image.mode.startswith("I") or image.mode == "F":
        return "16-bit grey"
    if image.tile and ";16" in str(image.tile[0][3]):
        return "16 bits a colour"
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        return "transparency"
    return {"RGB": "", "P": "", "L": "grey", "1": "black and white"}.get(image.mode, image.mode)


def _orientation(image: Image.Image, *, whole: bool) -> int:
    # asking a PNG for its EXIF data decodes all of it, unless it stands before the pixels
    if image.format == "PNG" and not whole and "exif" not in image.info:
        return 1
    orientation = image.getexif().get(ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def _thumbnail(photo: np.ndarray) -> np.ndarray:
    return cv2.resize(photo, (THUMBNAIL + 1, THUMBNAIL), interpolation=cv2.INTER_AREA)
