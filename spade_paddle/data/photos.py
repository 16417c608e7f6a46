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
# what cameras and phones write besides; a data set holds none of them
CAMERA_ENDINGS = (*PHOTO_ENDINGS, ".tif", ".tiff", ".heic", ".heif", ".avif")
LIMIT_PIXELS = 178_000_000  # 534 MB in memory; a phone's panorama has a third of it
ORIENTATION = 0x0112  # in EXIF data: 1 is upright, 5 to 8 swap height and width
# What a stranger's bytes may be. Pillow knows more, some of which start other programs (EPS).
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def read_photo(path: str | Path, *, short_side: int | None = None) -> np.ndarray:
    """A photo as ``uint8`` [H, W, 3] RGB, turned upright as its EXIF data says.

    Gray, CMYK and palette photos are converted, 16 bits become 8, transparent parts white.

    Args:
        path: the file.
        short_side: pixels of the shorter side of the result, which is never enlarged; None keeps
            the size.

    Raises:
        DataError: missing, not a picture, cut off, or more than 178 million pixels.
    """
    with _opened(Path(path)) as image:
        return _upright(image, str(path), short_side=short_side, max_pixels=LIMIT_PIXELS)


def read_photo_bytes(
    data: bytes, *, where: str, max_pixels: int = LIMIT_PIXELS, short_side: int | None = None
) -> np.ndarray:
    """``read_photo`` of the bytes of a file that somebody sent.

    Only the usual kinds of picture are read, and the size is known before any pixel is unpacked.

    Args:
        data: the file's bytes.
        where: what to call the photo in an error.
        max_pixels: of a JPEG, which is decoded at a fraction of its size where it can be; half of
            that for all others, which take about 25 bytes of memory a pixel.
        short_side: as in ``read_photo``.

    Raises:
        DataError: not a picture, cut off (photo_unreadable), or too large (photo_too_large).
    """
    Image.init()
    formats = [name for name in _FORMATS if name in Image.OPEN]
    with _opened(io.BytesIO(data), where=where, formats=formats) as image:
        if image.format not in ("JPEG", "MPO"):
            max_pixels //= 2
        return _upright(image, where, short_side=short_side, max_pixels=max_pixels)


def photo_size(path: str | Path) -> tuple[int, int]:
    """Height and width of a photo as ``read_photo`` gives it, without its pixels.

    Raises:
        DataError: missing, or not a picture.
    """
    with _opened(Path(path)) as image:
        on_its_side = image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
        return image.size if on_its_side else image.size[::-1]


def shrink(photo: np.ndarray, short_side: int | None) -> np.ndarray:
    """``uint8`` [H, W, 3] with a shorter side of at most ``short_side`` pixels."""
    height, width = photo.shape[:2]
    if short_side is None or min(height, width) <= short_side:
        return photo
    scale = short_side / min(height, width)
    size = (max(short_side, round(width * scale)), max(short_side, round(height * scale)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def is_plain(path: str | Path, *, short_side: int | None = None) -> bool:
    """The file is an upright RGB JPEG of at most this size: a copy serves as well as the pixels."""
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
    """An open picture; whatever goes wrong with it becomes a DataError that names it."""
    where = where or str(source)
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels on; ours is the only limit
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source, formats=formats) as image:
                yield image
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"{where}: {error}; make it smaller", code="photo_too_large") from error
    except Exception as error:  # the parsers of broken files raise whatever comes
        hint = ""
        if where.lower().endswith((".heic", ".heif")):
            hint = "; save it as JPEG (on the phone: camera format 'most compatible')"
        # of bytes Pillow's sentence says nothing but where they lie in memory
        reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
        raise DataError(
            f"{where}: cannot be read as a photo{reason}{hint}", code="photo_unreadable"
        ) from error


def _upright(
    image: Image.Image, where: str, *, short_side: int | None, max_pixels: int
) -> np.ndarray:
    """The pixels of an open picture, ``uint8`` [H, W, 3] RGB."""
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
    upright = ImageOps.exif_transpose(image) or image  # None is for work in place
    return shrink(_to_rgb(upright), short_side)


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode in _SIXTEEN_BITS:
        return np.repeat(_to_eight_bits(np.asarray(image))[..., None], 3, axis=2)
    if is_transparent(image):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return np.asarray(image.convert("RGB"))


def _to_eight_bits(gray: np.ndarray) -> np.ndarray:
    """Gray [H, W] of 16 bits (or floats in 0..1) as ``uint8``."""
    values = gray.astype(np.float64)
    highest = 1.0 if np.issubdtype(gray.dtype, np.floating) and values.max() <= 1 else 65535.0
    return np.rint(np.clip(values / highest, 0, 1) * 255).astype(np.uint8)
