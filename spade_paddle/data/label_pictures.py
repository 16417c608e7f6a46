"""Reads label maps and color masks from picture files of all formats.

In label maps (gray and palette pictures) the pixel values are the ids; gray saved as RGB has the
ids in each channel. Color masks show the colors of a label set (data/color_masks.py). JPEG destroys
ids and changes colors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.data.color_masks import ColorReading, colors_to_labels
from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import DataError

ID_MODES = ("L", "P", "I", "I;16", "1")  # Pillow's modes whose values are ids: gray and palette
LOSSY = ("JPEG", "MPO", "WEBP")  # file formats
# factors by which Pillow scales the values of gray pictures of 2 and 4 bits to 0..255
_GRAY_STEPS = {"L;2": 85, "L;4": 17}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def pixel_values(image: Image.Image) -> np.ndarray:
    """Read the stored pixel values of a picture, for every bit depth.

    Args:
        image: opened but not yet loaded, of a mode in ID_MODES or gray with alpha (LA).

    Returns:
        Integers [H, W] of the type that Pillow reads.
    """
    if image.mode == "LA":
        return np.asarray(image)[..., 0]
    step = _GRAY_STEPS.get(_raw_mode(image), 1)
    values = np.asarray(image)
    return values.astype(np.uint8) if values.dtype == bool else values // step


def ids_in_gray(pixels: np.ndarray) -> np.ndarray | None:
    """The red channel ``uint8`` [...] of pixels [..., 3] or [..., 4] if all are gray, else None."""
    red = pixels[..., 0]
    return red if (pixels[..., 1:3] == red[..., None]).all() else None


def read_ids(path: str | Path) -> np.ndarray:
    """Read the pixel values of a gray or palette picture as ids, ``int64`` [H, W].

    Raises:
        DataError: it is unreadable, a color picture, or a JPEG, which changes ids.
    """
    return _read_values(path).astype(np.int64)


def read_label_map(path: str | Path, label_set: LabelSet) -> np.ndarray:
    """Read and check a label map, ``uint8`` [H, W] of ids 0..K-1 and 255.

    Raises:
        DataError: as ``read_ids``.
        LabelMapError: it has unknown ids.
    """
    ids = _read_values(path)
    label_set.check(ids, where=str(path))
    return ids.astype(np.uint8)


def read_color_mask(
    path: str | Path, label_set: LabelSet, *, tolerance: int = 12, allow_jpeg: bool = False
) -> ColorReading:
    """Read a picture in the colors of a label set.

    Args:
        path: PNG, BMP, GIF or TIFF; gray, palette, RGB or RGBA. Transparent pixels (alpha below
            one half) are "don't care".
        label_set: the colors; they must differ.
        tolerance: largest difference in a channel at which a color still counts as a label's.
        allow_jpeg: accept JPEG and WebP, too. Pixels with artifacts get the nearby label of the
            most similar color; edges become rough, and details smaller than a dozen pixels may be
            lost.

    Raises:
        DataError: it is unreadable, a JPEG that is not allowed, or not a picture of 8-bit colors.
        ConfigError: two labels of the set have the same color.
    """
    try:
        with Image.open(path) as image:
            lossy = image.format in LOSSY
            if lossy and not allow_jpeg:
                raise DataError(
                    f"{path}: a color mask must not be a {image.format}, which changes colors; "
                    "save it as PNG",
                    code="color_mask_jpeg",
                )
            if image.mode.startswith(("I", "F")):
                raise DataError(
                    f"{path}: expected a picture in the colors of '{label_set.name}', got one of "
                    f"mode {image.mode}; save it as an RGB PNG",
                    code="color_mask_mode",
                )
            pixels = np.asarray(image.convert("RGBA"))
    except _BROKEN as error:
        raise DataError(
            f"{path}: cannot be read as a color mask: {error}", code="color_mask_unreadable"
        ) from error
    return colors_to_labels(pixels, label_set, tolerance=tolerance, lossy=lossy)


def _read_values(path: str | Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.format == "JPEG":
                raise DataError(
                    f"{path}: a label map must not be a JPEG, which changes ids; save it as PNG",
                    code="label_map_jpeg",
                )
            if image.mode not in ID_MODES:
                raise DataError(
                    f"{path}: expected a gray or palette PNG whose pixel values are label ids, "
                    f"got a picture of mode {image.mode}; colors are not ids",
                    code="label_map_color",
                )
            return pixel_values(image)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read as a label map: {error}", code="label_map_unreadable"
        ) from error


def _raw_mode(image: Image.Image) -> str:
    """The pixel format in the file, which is more specific than Pillow's mode; before loading."""
    tile = getattr(image, "tile", None)  # None for a picture that is not from a file
    arguments = tile[0][3] if tile else ""
    return arguments if isinstance(arguments, str) else arguments[0]
