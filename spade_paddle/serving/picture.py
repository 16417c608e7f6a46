"""A painted picture on its way to the client: its pixels, then the bytes of a file."""

from __future__ import annotations

import io
import threading

import numpy as np
from PIL import Image

JPEG_QUALITY = 92


class Picture:
    """What was painted for an order; several requests may share one.

    Attributes:
        seconds: how long it was painted.
        size_bytes: of its pixels, about what it costs to keep.
    """

    def __init__(self, image: np.ndarray, *, image_format: str, seconds: float) -> None:
        self.seconds = seconds
        self.size_bytes = image.nbytes
        self._image: np.ndarray | None = image
        self._format = image_format
        self._file = b""
        self._encoding = threading.Lock()

    def file(self) -> bytes:
        """The bytes of a PNG or JPEG file: made by the first who asks, once."""
        with self._encoding:
            if self._image is not None:
                self._file = encode_image(self._image, image_format=self._format)
                self._image = None
            return self._file


def encode_image(image: np.ndarray, *, image_format: str) -> bytes:
    """An RGB picture ``uint8`` [H, W, 3] as the bytes of a PNG or JPEG file."""
    buffer = io.BytesIO()
    if image_format == "jpeg":
        Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    else:
        # Level 1 takes half of the default's time for about a tenth more bytes.
        Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
