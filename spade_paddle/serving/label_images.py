"""Bytes of a picture file -> label map. Pure functions; nothing is painted or stored here.

What a picture says is read by data/label_pictures.py; here is what a request must keep to, what is
refused and what is noted.

Legend: H, W height and width.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from spade_paddle.data.colour_masks import colours_to_labels
from spade_paddle.data.label_pictures import ID_MODES, LOSSY, ids_in_grey, pixel_values
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.errors import ConfigError, LabelMapError, RequestError
from spade_paddle.inference.limits import SizeLimits

NEAR = 24  # a channel of an area in a label's colour differs by so much at most
MAX_UNKNOWN_SHARE = 0.01  # of the pixels may be in colours of no label and not beside one
_BROKEN_FILE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True)
class Note:
    """Something the service did that the caller may want to know; not an error."""

    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form in an answer's ``notes``."""
        return {"code": self.code, "message": self.message, **self.details}


def decode_label_image(
    data: bytes, *, label_set: LabelSet, limits: SizeLimits, where: str
) -> tuple[np.ndarray, list[Note]]:
    """Read a label map from the bytes of a PNG (or JPEG in palette colours).

    Args:
        data: the file's bytes.
        where: what to call the picture in an error ("images[0]", a file name).

    Returns:
        ``uint8`` [H, W] with known ids or 255, and what had to be done to get it.

    Raises:
        RequestError: not a picture. LabelMapError: a picture, but not a usable label map.
    """
    image, values = _open(data, limits=limits, where=where)
    if image.format == "JPEG" and image.mode == "L":
        raise LabelMapError(
            f"{where}: this is a grey JPEG; JPEG changes label ids into their neighbours. "
            "Send the label map as PNG",
            code="lossy_labels",
        )
    if values is not None:
        ids, notes = values, []
    else:
        ids, notes = _ids_from_colors(image, label_set=label_set, where=where)
    label_set.check(ids, where=where)
    return ids.astype(np.uint8), notes


def _open(data: bytes, *, limits: SizeLimits, where: str) -> tuple[Image.Image, np.ndarray | None]:
    """Open a picture, and read its values if they are ids; its size is checked before any pixel is
    unpacked."""
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
    except _BROKEN_FILE as error:
        raise RequestError(
            f"{where}: expected the bytes of a PNG picture, got {len(data)} bytes that are neither "
            "PNG nor JPEG; send a PNG",
            code="not_an_image",
        ) from error
    limits.check(height=image.height, width=image.width, where=where)
    try:
        if image.mode in (*ID_MODES, "LA"):
            return image, pixel_values(image)
        image.load()
    except _BROKEN_FILE as error:
        raise RequestError(
            f"{where}: the {image.format} picture is broken or cut off; send it again",
            code="not_an_image",
        ) from error
    return image, None


def _ids_from_colors(
    image: Image.Image, *, label_set: LabelSet, where: str
) -> tuple[np.ndarray, list[Note]]:
    """What the colours of a picture say, and how many pixels were not exactly in one."""
    pixels = np.asarray(image.convert("RGBA"))  # [H, W, 4]
    opaque = pixels[..., 3] >= 128
    notes, total = [], opaque.size
    if not opaque.all():
        count = int(total - opaque.sum())
        message = f"{count} transparent pixels were taken as 'don't care' (255)"
        notes.append(Note("transparent_pixels", message, {"count": count}))
    ids = _ids_in_grey(pixels, opaque, label_set)
    if ids is not None:
        message = "the picture is grey with the ids in all three channels; they were taken as ids"
        return ids, [*notes, Note("grey_taken_as_ids", message)]
    try:
        reading = colours_to_labels(
            pixels, label_set, tolerance=NEAR, lossy=image.format in LOSSY, strays=MAX_UNKNOWN_SHARE
        )
    except ConfigError as error:  # labels of one colour; their ids can still be told
        message = f"{where}: {error}; or send a grey PNG whose pixel values are the ids"
        raise LabelMapError(message, code="unknown_colors") from error
    if reading.unknown:
        far = sum(count for _, count in reading.unknown)
        raise _refuse_colors(image, label_set=label_set, far=far, total=total, where=where)
    if reading.snapped:
        message = (
            f"{reading.snapped} of {total} pixels were not exactly in a label's colour; the label "
            "beside or nearest was taken"
        )
        details = {"count": reading.snapped, "total": total}
        notes.append(Note("colors_snapped", message, details))
    return reading.label_map, notes


def _ids_in_grey(pixels: np.ndarray, opaque: np.ndarray, label_set: LabelSet) -> np.ndarray | None:
    """Ids [H, W] that were written into all three channels, a common way to save; else None."""
    values = ids_in_grey(pixels[opaque])
    if values is None:
        return None
    found = set(np.flatnonzero(np.bincount(values)).tolist())
    labels = range(len(label_set))
    greys = {red for red, green, blue in label_set.palette().tolist() if red == green == blue}
    if found <= greys or not found & set(labels) or not found <= {*labels, DONT_CARE}:
        return None
    ids = np.full(opaque.shape, DONT_CARE, np.uint8)
    ids[opaque] = values
    return ids


def _refuse_colors(
    image: Image.Image, *, label_set: LabelSet, far: int, total: int, where: str
) -> LabelMapError:
    is_jpeg = image.format == "JPEG"
    cause = "JPEG blurs them; send a PNG" if is_jpeg else "paint with the colours of GET /labels"
    return LabelMapError(
        f"{where}: {far} of {total} pixels are far from every colour of the label set "
        f"'{label_set.name}'; {cause}",
        code="lossy_labels" if is_jpeg else "unknown_colors",
        count=far,
        total=total,
    )
