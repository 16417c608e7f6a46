"""Bytes of a picture file -> label map. Pure functions; nothing is painted or stored here.

Legend: H, W height and width; K number of labels; U number of distinct colours.

Two kinds of picture are label maps: grey or palette PNGs whose pixel values ARE the ids, and
pictures in the palette colours, which are matched back to ids. JPEG keeps neither exactly.
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

from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.inference.limits import SizeLimits

# A drawing program's anti-aliasing and a mild JPEG stay within NEAR of a palette colour.
NEAR = 24
MAX_FAR_SHARE = 0.01
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
    image = _open(data, limits=limits, where=where)
    if image.format == "JPEG" and image.mode == "L":
        raise LabelMapError(
            f"{where}: this is a grey JPEG; JPEG changes label ids into their neighbours. "
            "Send the label map as PNG",
            code="lossy_labels",
        )
    if image.mode in ("RGB", "RGBA", "CMYK"):
        ids, notes = _ids_from_colors(image, label_set=label_set, where=where)
    else:
        ids, notes = _ids_from_values(image, data), []
    label_set.check(ids, where=where)
    return ids.astype(np.uint8), notes


def _open(data: bytes, *, limits: SizeLimits, where: str) -> Image.Image:
    """Open a picture; its size is checked before any pixel is unpacked."""
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
        image.load()
    except _BROKEN_FILE as error:
        raise RequestError(
            f"{where}: the {image.format} picture is broken or cut off; send it again",
            code="not_an_image",
        ) from error
    return image


def _ids_from_values(image: Image.Image, data: bytes) -> np.ndarray:
    """Pixel values as they stand in the file: grey values or palette indices, [H, W]."""
    if image.mode == "LA":
        image = image.getchannel("L")
    values = np.asarray(image)
    if values.dtype == bool:
        return values.astype(np.uint8)
    # The decoder stretches 2 and 4 bit grey to 0..255; the ids are the values before that.
    bits, is_grey = data[24], data[25] == 0
    if is_grey and bits in (2, 4):
        return values // (255 // (2**bits - 1))
    return values


def _ids_from_colors(
    image: Image.Image, *, label_set: LabelSet, where: str
) -> tuple[np.ndarray, list[Note]]:
    """Match every pixel to the nearest palette colour, and say how many were not exact."""
    notes = []
    pixels = np.asarray(image.convert("RGBA")).astype(np.uint32)  # [H, W, 4]
    packed = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]  # [H, W]
    transparent = pixels[..., 3] < 128
    if transparent.any():
        count = int(transparent.sum())
        message = f"{count} transparent pixels were taken as 'don't care' (255)"
        notes.append(Note("transparent_pixels", message, {"count": count}))
    colors, inverse, counts = np.unique(
        packed[~transparent], return_inverse=True, return_counts=True
    )
    rgb = np.stack([colors >> 16, (colors >> 8) & 255, colors & 255], axis=1).astype(np.int16)
    nearest, distance = _nearest_label(rgb, label_set)
    if distance.any() and _looks_like_ids(rgb, label_set):
        nearest, distance = rgb[:, 0].astype(np.uint8), np.zeros_like(distance)
        message = "the picture is grey with the ids in all three channels; they were taken as ids"
        notes.append(Note("grey_taken_as_ids", message))
    snapped, far = int(counts[distance > 0].sum()), int(counts[distance > NEAR].sum())
    total = int(packed.size)
    if far > MAX_FAR_SHARE * total:
        raise _refuse_colors(image, label_set=label_set, far=far, total=total, where=where)
    if snapped:
        message = f"{snapped} of {total} pixels were not exactly a palette colour; nearest taken"
        notes.append(Note("colors_snapped", message, {"count": snapped, "total": total}))
    ids = np.full(packed.shape, DONT_CARE, np.uint8)
    ids[~transparent] = nearest[inverse.reshape(-1)]
    return ids, notes


def _nearest_label(rgb: np.ndarray, label_set: LabelSet) -> tuple[np.ndarray, np.ndarray]:
    """For colours ``int16`` [U, 3]: nearest id and its distance (largest channel difference)."""
    palette = label_set.palette().astype(np.int16)  # [256, 3]
    nearest = np.zeros(len(rgb), np.uint8)
    best = np.full(len(rgb), 256, np.int16)
    for label in label_set.labels:
        distance = np.abs(rgb - palette[label.id]).max(axis=1)
        closer = distance < best
        nearest[closer], best[closer] = label.id, distance[closer]
    # Only the exact "don't care" colour counts as such: edges must not turn into holes.
    dont_care = (rgb == palette[DONT_CARE]).all(axis=1) & (best > 0)
    nearest[dont_care], best[dont_care] = DONT_CARE, 0
    return nearest, best


def _looks_like_ids(rgb: np.ndarray, label_set: LabelSet) -> bool:
    """Whether colours [U, 3] are ids written into all three channels (a common way to save)."""
    values = rgb[:, 0]
    is_grey = (rgb == values[:, None]).all()
    known = values < len(label_set)
    return bool(is_grey and known.any() and (known | (values == DONT_CARE)).all())


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
