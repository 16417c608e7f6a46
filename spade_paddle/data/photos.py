"""Photos of any kind, as upright 8-bit RGB."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from spade_paddle.errors import DataError

PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
# with further formats of cameras and phones, which a data set may not have
CAMERA_ENDINGS = (*PHOTO_ENDINGS, ".tif", ".tiff", ".heic", ".heif", ".avif")
LUMA = (0.299, 0.587, 0.114)  # brightness, as weights of red, green and blue (ITU-R BT.601)
LIMIT_PIXELS = 178_000_000  # 534 MB in memory; three times the panorama of a phone
ORIENTATION = 0x0112  # in EXIF data: 1 is upright, 5 to 8 swap height and width
# accepted in requests; some of Pillow's other formats (EPS) start external programs
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def read_photo(path: str | Path, *, short_side: int | None = None) -> np.ndarray:
    """Read a photo as ``uint8`` [H, W, 3] RGB, oriented according to its EXIF data.

    Gray, CMYK and palette photos are converted to RGB, 16 bits to 8; transparent parts become
    white.

    Args:
        path: the file.
        short_side: shrink larger photos to this shorter side in pixels; None: keep the size.

    Raises:
        DataError: missing, not a picture, truncated, or more than 178 million pixels.
    """
    with _opened(Path(path)) as image:
        return _upright(image, str(path), short_side=short_side, max_pixels=LIMIT_PIXELS)


def read_photo_bytes(
    data: bytes, *, where: str, max_pixels: int = LIMIT_PIXELS, short_side: int | None = None
) -> np.ndarray:
    """Read a photo, as ``read_photo`` does, from the bytes of an untrusted file.

    Only common formats are accepted, and the size is checked before any pixel is decoded.

    Args:
        data: content of the file.
        where: name of the photo in errors.
        max_pixels: limit for a JPEG, which can be decoded at a fraction of its size. The limit for
            other formats is half of it; they need about 25 bytes of memory per pixel.
        short_side: as in ``read_photo``.

    Raises:
        DataError: not a picture, truncated (photo_unreadable), or too large (photo_too_large).
    """
    Image.init()
    formats = [name for name in _FORMATS if name in Image.OPEN]
    with _opened(io.BytesIO(data), where=where, formats=formats) as image:
        if image.format not in ("JPEG", "MPO"):
            max_pixels //= 2
        return _upright(image, where, short_side=short_side, max_pixels=max_pixels)


def photo_size(path: str | Path) -> tuple[int, int]:
    """Height and width of a photo as read by ``read_photo``, without decoding it.

    Raises:
        DataError: missing, or not a picture.
    """
    with _opened(Path(path)) as image:
        rotated = image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
        return image.size if rotated else image.size[::-1]


def shrink(photo: np.ndarray, short_side: int | None) -> np.ndarray:
    """Shrink ``uint8`` [H, W, 3] to a shorter side of at most ``short_side``; None: no limit."""
    height, width = photo.shape[:2]
    if short_side is None or min(height, width) <= short_side:
        return photo
    scale = short_side / min(height, width)
    size = (max(short_side, round(width * scale)), max(short_side, round(height * scale)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def is_plain(path: str | Path, *, short_side: int | None = None) -> bool:
    """Whether a file is an upright RGB JPEG of at most this size, which can be copied unchanged."""
    with Image.open(path) as image:
        upright = image.getexif().get(ORIENTATION, 1) == 1
        fits = short_side is None or min(image.size) <= short_side
        return image.format == "JPEG" and image.mode == "RGB" and upright and fits


def is_transparent(image: Image.Image) -> bool:
    """Whether an open picture may have transparent parts."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


@contextlib.contextmanager
def _opened(
    source: Path | io.BytesIO, *, where: str | None = None, formats: list[str] | None = None
) -> Iterator[Image.Image]:
    """Open a picture; every error, also in the body of ``with``, becomes a DataError."""
    where = where or str(source)
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels on, below LIMIT_PIXELS
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source, formats=formats) as image:
                yield image
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"{where}: {error}; make it smaller", code="photo_too_large") from error
    except Exception as error:  # parsers of damaged files raise all kinds of exceptions
        hint = ""
        if where.lower().endswith((".heic", ".heif")):
            hint = "; save it as JPEG (on the phone: camera format 'most compatible')"
        # for bytes, the message of this error contains nothing but a memory address
        reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
        raise DataError(
            f"{where}: cannot be read as a photo{reason}{hint}", code="photo_unreadable"
        ) from error


def _upright(
    image: Image.Image, where: str, *, short_side: int | None, max_pixels: int
) -> np.ndarray:
    """Decode an open picture, ``uint8`` [H, W, 3] RGB."""
    if image.width * image.height > max_pixels:
        raise DataError(
            f"{where}: {image.width} x {image.height} pixels are more than "
            f"{max_pixels / 10**6:.3g} million; make it smaller",
            code="photo_too_large",
            width=image.width,
            height=image.height,
            max_pixels=max_pixels,
        )
    if short_side is not None:
        # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, several times faster
        image.draft(image.mode, (2 * short_side, 2 * short_side))
    upright = ImageOps.exif_transpose(image) or image  # typed as optional
    return shrink(_to_rgb(upright), short_side)


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode in _SIXTEEN_BITS:
        return np.repeat(_to_eight_bits(np.asarray(image))[..., None], 3, axis=2)
    if is_transparent(image):
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image)
    return np.asarray(image.convert("RGB"))


def _to_eight_bits(gray: np.ndarray) -> np.ndarray:
    """Convert gray [H, W] of 16 bits (or floats in 0..1) to ``uint8``."""
    values = gray.astype(np.float64)
    highest = 1.0 if np.issubdtype(gray.dtype, np.floating) and values.max() <= 1 else 65535.0
    return np.rint(np.clip(values / highest, 0, 1) * 255).astype(np.uint8)
