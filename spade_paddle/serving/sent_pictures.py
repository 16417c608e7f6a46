"""Reads label maps and photos from the bytes of uploaded files. Nothing is stored on disk.

data/label_pictures.py decodes label maps and data/photos.py photos; this module adds the limits,
errors and notes of the service.

Legend: H, W height and width.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from spade_paddle.data.color_masks import colors_to_labels
from spade_paddle.data.label_pictures import ID_MODES, LOSSY, ids_in_gray, pixel_values
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.data.photos import read_photo_bytes
from spade_paddle.errors import ConfigError, DataError, LabelMapError, RequestError
from spade_paddle.inference.limits import SizeLimits

if TYPE_CHECKING:  # importing it loads Paddle
    from spade_paddle.inference.painter import Painter

COLOR_TOLERANCE = 24  # largest difference to a label's color in any channel
MAX_UNKNOWN_SHARE = 0.01  # of pixels that neither have a label's color nor are next to one
_BROKEN_FILE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
# Phones have up to 48 megapixels. The networks use far fewer, so larger photos gain nothing.
MAX_PHOTO_PIXELS = 50_000_000
# Decoding the largest PNG allowed takes more than 0.5 GB.
_ONE_PHOTO_AT_A_TIME = threading.Lock()


def read_sent_photo(data: bytes, *, where: str, short_side: int) -> np.ndarray:
    """Decode a photo: ``uint8`` [h, w, 3] RGB, upright.

    Args:
        data: the file's bytes; JPEG, PNG, WebP and other common formats.
        where: the key in the request.
        short_side: pixels to which the shorter side is reduced; smaller photos keep their size.

    Raises:
        RequestError: ``not_an_image`` or ``photo_too_large``.
    """
    try:
        with _ONE_PHOTO_AT_A_TIME:
            return read_photo_bytes(
                data, where=where, max_pixels=MAX_PHOTO_PIXELS, short_side=short_side
            )
    except DataError as error:
        code = "photo_too_large" if error.code == "photo_too_large" else "not_an_image"
        raise RequestError(str(error), code=code, **error.details) from error


def read_sent_label_map(
    data: bytes, *, painter: Painter, where: str
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Decode a label map from a PNG (or a JPEG in the label set's colors).

    Args:
        data: the file's bytes.
        painter: defines the labels and sizes that can be painted.
        where: names the picture in errors ("images[0]", a file name).

    Returns:
        ``uint8`` [H, W] with known ids or 255, and the response's ``notes`` on how the picture was
        converted.

    Raises:
        RequestError: the data are not a picture.
        LabelMapError: the picture is not a label map that can be painted.
    """
    image = _open(data, limits=painter.limits, where=where)
    notes: list[dict[str, Any]] = []
    try:
        if image.mode in (*ID_MODES, "LA"):
            ids = pixel_values(image)
        else:
            image.load()
            ids = None
    except _BROKEN_FILE as error:
        raise RequestError(
            f"{where}: the {image.format} file is damaged or truncated; send it again",
            code="not_an_image",
        ) from error
    if image.format == "JPEG" and image.mode == "L":
        raise LabelMapError(
            f"{where}: this is a gray JPEG, and JPEG compression changes label ids; send the label "
            "map as PNG",
            code="lossy_labels",
        )
    if ids is None:
        ids, notes = _ids_from_colors(image, label_set=painter.label_set, where=where)
    painter.check(ids, where=where)
    return ids.astype(np.uint8), notes


def _open(data: bytes, *, limits: SizeLimits, where: str) -> Image.Image:
    """Open a picture and check its size, before any pixel is decoded."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels on; the limits are far below
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    except Image.DecompressionBombError as error:
        raise LabelMapError(
            f"{where}: far more than {limits.max_pixels} pixels; send a smaller picture",
            code="label_map_too_large",
            max_pixels=limits.max_pixels,
        ) from error
    except UnidentifiedImageError as error:
        raise RequestError(
            f"{where}: expected a PNG file, got {len(data)} bytes that are no PNG or JPEG; "
            "send a PNG",
            code="not_an_image",
        ) from error
    except _BROKEN_FILE as error:  # such as a text chunk that decompresses to too much
        raise RequestError(
            f"{where}: the file's metadata cannot be read ({error}); save the picture without "
            "metadata",
            code="not_an_image",
        ) from error
    limits.check(height=image.height, width=image.width, where=where)
    return image


def _ids_from_colors(
    image: Image.Image, *, label_set: LabelSet, where: str
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Convert colors to ids [H, W], with notes on approximated pixels."""
    pixels = np.asarray(image.convert("RGBA"))  # [H, W, 4]
    opaque = pixels[..., 3] >= 128
    notes, total = [], opaque.size
    if not opaque.all():
        count = int(total - opaque.sum())
        message = f"{count} transparent pixels were read as 'don't care' (255)"
        notes.append({"code": "transparent_pixels", "message": message, "count": count})
    ids = _ids_in_gray(pixels, opaque, label_set)
    if ids is not None:
        message = "the picture is gray with equal channels; its values were read as ids"
        return ids, [*notes, {"code": "gray_taken_as_ids", "message": message}]
    try:
        reading = colors_to_labels(
            pixels,
            label_set,
            tolerance=COLOR_TOLERANCE,
            lossy=image.format in LOSSY,
            strays=MAX_UNKNOWN_SHARE,
        )
    except ConfigError as error:  # several labels have the same color
        message = f"{where}: {error}; or send a gray PNG whose pixel values are the ids"
        raise LabelMapError(message, code="unknown_colors") from error
    if reading.unknown:
        code, advice = "unknown_colors", "paint with the colors of GET /labels"
        if image.format == "JPEG":
            code, advice = "lossy_labels", "JPEG compression changes colors; send a PNG"
        far = sum(count for _, count in reading.unknown)
        raise LabelMapError(
            f"{where}: {far} of {total} pixels are far from every color of the label set "
            f"'{label_set.name}'; {advice}",
            code=code,
            count=far,
            total=total,
        )
    if reading.snapped:
        count = reading.snapped
        message = (
            f"{count} of {total} pixels did not have the exact color of a label; an adjacent or "
            "the nearest label was used"
        )
        note = {"code": "colors_snapped", "message": message, "count": count, "total": total}
        notes.append(note)
    return reading.label_map, notes


def _ids_in_gray(pixels: np.ndarray, opaque: np.ndarray, label_set: LabelSet) -> np.ndarray | None:
    """Ids [H, W] that were saved in all three channels, as many programs do; else None."""
    values = ids_in_gray(pixels[opaque])
    if values is None:
        return None
    found = set(np.flatnonzero(np.bincount(values)).tolist())
    labels = range(len(label_set))
    grays = {red for red, green, blue in label_set.palette().tolist() if red == green == blue}
    if found <= grays or not found & set(labels) or not found <= {*labels, DONT_CARE}:
        return None
    ids = np.full(opaque.shape, DONT_CARE, np.uint8)
    ids[opaque] = values
    return ids
