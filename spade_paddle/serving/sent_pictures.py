"""Bytes of a picture file that somebody sent -> a label map, or a photo. Nothing is stored here.

What a label map's picture says is read by data/label_pictures.py, and photos by data/photos.py;
here is what a request must keep to, what is refused and what is noted.

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

if TYPE_CHECKING:  # it loads Paddle
    from spade_paddle.inference.painter import Painter

NEAR = 24  # a channel of an area in a label's color differs by so much at most
MAX_UNKNOWN_SHARE = 0.01  # of the pixels may be in colors of no label and not beside one
_BROKEN_FILE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
# A phone's 48 megapixels. Larger photos gain nothing: the networks look at 256 pixels.
MAX_PHOTO_PIXELS = 50_000_000
# The largest PNG allowed takes more than half a GB while it is unpacked.
_ONE_PHOTO_AT_A_TIME = threading.Lock()


def read_sent_photo(data: bytes, *, where: str, short_side: int) -> np.ndarray:
    """The pixels of a photo, ``uint8`` [h, w, 3] RGB, upright.

    Args:
        data: the file's bytes: JPEG, PNG, WebP and the other usual kinds.
        where: the key in the request.
        short_side: pixels of the shorter side of the result, which is never enlarged.

    Raises:
        RequestError: not_an_image or photo_too_large.
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
    """Read a label map from the bytes of a PNG (or JPEG in palette colors).

    Args:
        data: the file's bytes.
        painter: knows the labels and sizes that can be painted.
        where: what to call the picture in an error ("images[0]", a file name).

    Returns:
        ``uint8`` [H, W] with known ids or 255, and what had to be done to get it, as an answer's
        ``notes`` tell it.

    Raises:
        RequestError: not a picture. LabelMapError: a picture, but not a usable label map.
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
            f"{where}: the {image.format} picture is broken or cut off; send it again",
            code="not_an_image",
        ) from error
    if image.format == "JPEG" and image.mode == "L":
        raise LabelMapError(
            f"{where}: this is a gray JPEG; JPEG changes label ids into their neighbors. "
            "Send the label map as PNG",
            code="lossy_labels",
        )
    if ids is None:
        ids, notes = _ids_from_colors(image, label_set=painter.label_set, where=where)
    painter.check(ids, where=where)
    return ids.astype(np.uint8), notes


def _open(data: bytes, *, limits: SizeLimits, where: str) -> Image.Image:
    """Open a picture and check its size, before any pixel is unpacked."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels on; the limits are far below
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    except Image.DecompressionBombError as error:
        raise LabelMapError(
            f"{where}: the picture is far too large; at most {limits.max_pixels} pixels are "
            "allowed; send a smaller one",
            code="label_map_too_large",
            max_pixels=limits.max_pixels,
        ) from error
    except UnidentifiedImageError as error:
        raise RequestError(
            f"{where}: expected the bytes of a PNG picture, got {len(data)} bytes that are neither "
            "PNG nor JPEG; send a PNG",
            code="not_an_image",
        ) from error
    except _BROKEN_FILE as error:  # a text chunk that unpacks to too much is one, too
        raise RequestError(
            f"{where}: the picture's parts beside its pixels cannot be read ({error}); save it "
            "without texts and metadata",
            code="not_an_image",
        ) from error
    limits.check(height=image.height, width=image.width, where=where)
    return image


def _ids_from_colors(
    image: Image.Image, *, label_set: LabelSet, where: str
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """What the colors of a picture say, and how many pixels were not exactly in one."""
    pixels = np.asarray(image.convert("RGBA"))  # [H, W, 4]
    opaque = pixels[..., 3] >= 128
    notes, total = [], opaque.size
    if not opaque.all():
        count = int(total - opaque.sum())
        message = f"{count} transparent pixels were taken as 'don't care' (255)"
        notes.append({"code": "transparent_pixels", "message": message, "count": count})
    ids = _ids_in_gray(pixels, opaque, label_set)
    if ids is not None:
        message = "the picture is gray with the ids in all three channels; they were taken as ids"
        return ids, [*notes, {"code": "gray_taken_as_ids", "message": message}]
    try:
        reading = colors_to_labels(
            pixels, label_set, tolerance=NEAR, lossy=image.format in LOSSY, strays=MAX_UNKNOWN_SHARE
        )
    except ConfigError as error:  # labels of one color; their ids can still be told
        message = f"{where}: {error}; or send a gray PNG whose pixel values are the ids"
        raise LabelMapError(message, code="unknown_colors") from error
    if reading.unknown:
        code, advice = "unknown_colors", "paint with the colors of GET /labels"
        if image.format == "JPEG":
            code, advice = "lossy_labels", "JPEG blurs them; send a PNG"
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
            f"{count} of {total} pixels were not exactly in a label's color; the label beside or "
            "nearest was taken"
        )
        note = {"code": "colors_snapped", "message": message, "count": count, "total": total}
        notes.append(note)
    return reading.label_map, notes


def _ids_in_gray(pixels: np.ndarray, opaque: np.ndarray, label_set: LabelSet) -> np.ndarray | None:
    """Ids [H, W] that were written into all three channels, a common way to save; else None."""
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
