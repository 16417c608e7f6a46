"""Inspects photo files without raising."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from spade_paddle.data.photos import LIMIT_PIXELS, ORIENTATION, is_transparent, read_photo
from spade_paddle.errors import DataError

_THUMBNAIL = (17, 16)  # columns and rows


@dataclass(frozen=True)
class PhotoFacts:
    """Properties of a photo; ``problem`` says why it cannot be read, and then the rest is empty."""

    problem: str = ""
    stored: tuple[int, int] = (0, 0)  # width and height as in the file
    converted: str = ""  # what conversion to 8-bit RGB changes, in words
    orientation: int = 1  # EXIF value; 1: upright
    thumbnail: np.ndarray | None = None  # uint8 [16, 17, 3]; None if only the header was read

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright photo."""
        return self.stored[::-1] if self.orientation >= 5 else self.stored


def photo_facts(path: Path, *, whole: bool) -> PhotoFacts:
    """Inspect a photo: only its header, or with ``whole`` all of it."""
    try:
        with Image.open(path) as image:
            converted = _conversion(image)
            facts = PhotoFacts("", image.size, converted, _orientation(image, whole=whole))
        if math.prod(facts.stored) > LIMIT_PIXELS:
            return PhotoFacts(f"larger than {LIMIT_PIXELS // 10**6} million pixels")
        if not whole:
            return facts
        thumbnail = cv2.resize(read_photo(path), _THUMBNAIL, interpolation=cv2.INTER_AREA)
        return dataclasses.replace(facts, thumbnail=thumbnail)
    except Exception as error:  # decoders raise various types for damaged files
        return PhotoFacts(why_unreadable(path, error))


def why_unreadable(path: Path, error: BaseException) -> str:
    """Say in a few words why a picture file could not be read."""
    if isinstance(error, DataError):
        error = error.__cause__ or error
    if path.name.startswith("._"):
        return "a metadata file of macOS, not a picture"
    if path.is_file() and path.stat().st_size == 0:
        return "empty, 0 bytes"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    return "truncated" if "truncated" in str(error) else f"damaged ({error})"


def _conversion(image: Image.Image) -> str:
    """Say what converting a picture to 8-bit RGB changes; empty if nothing."""
    if image.mode.startswith("I") or image.mode == "F":
        return "16-bit gray"
    if image.tile and ";16" in str(image.tile[0][3]):
        return "16 bits per channel"
    if is_transparent(image):
        return "transparency"
    return {"RGB": "", "P": "", "L": "gray", "1": "black and white"}.get(image.mode, image.mode)


def _orientation(image: Image.Image, *, whole: bool) -> int:
    # getexif() decodes a whole PNG unless its EXIF data precede the pixels
    if image.format == "PNG" and not whole and "exif" not in image.info:
        return 1
    orientation = image.getexif().get(ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1
