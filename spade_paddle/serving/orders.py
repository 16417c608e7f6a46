"""A picture in the service: an ``Order`` until it is painted, then a ``Picture``.

Legend: H, W height and width, D length of a style vector.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from PIL import Image

JPEG_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Order:
    """A validated request for one picture.

    Attributes:
        label_map: ``uint8`` [H, W], ids of the model's label set or 255.
        seed: 0 to 2^32 - 1, or None.
        style: a photo ``uint8`` RGB [h, w, 3], the name of one of the model's styles, a style
            vector ``float32`` [D], or None.
        image_format: "png" or "jpeg".
        edges: "drawn" or "natural" (inference/natural_edges.py).
        notes: for the response, how the label map was converted when it was read: code, message
            and the numbers in it.
    """

    label_map: np.ndarray
    seed: int | None = None
    style: np.ndarray | str | None = None
    image_format: str = "png"
    edges: str = "drawn"
    notes: Sequence[dict[str, Any]] = ()

    @property
    def pixels(self) -> int:
        """Pixels, a measure of the painting time."""
        return self.label_map.size

    @property
    def batch(self) -> tuple[int, ...]:
        """Maps of one size can be painted as a batch."""
        return self.label_map.shape

    @cached_property
    def key(self) -> bytes:
        """A digest, equal for orders with the same result."""
        arrays = [each for each in (self.label_map, self.style) if isinstance(each, np.ndarray)]
        name = self.style if isinstance(self.style, str) else None
        shapes = [array.shape for array in arrays]
        words = (shapes, self.seed, name, self.image_format, self.edges)
        digest = hashlib.sha256(repr(words).encode())
        for array in arrays:
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()


class Picture:
    """A painted picture, which several requests may share.

    Attributes:
        seconds: painting time of its batch.
        chosen_style: the style vector ``float32`` [D], if the model chose it; else None.
        size_bytes: size of its pixels, an estimate of its memory in the cache.
    """

    def __init__(
        self,
        image: np.ndarray,
        *,
        image_format: str,
        seconds: float,
        chosen_style: np.ndarray | None = None,
    ) -> None:
        self.seconds = seconds
        self.chosen_style = chosen_style
        self.size_bytes = image.nbytes
        self._image: np.ndarray | None = image
        self._format = image_format
        self._file = b""
        self._encoding = threading.Lock()

    def file(self) -> bytes:
        """The bytes of a PNG or JPEG file, encoded on the first call. Thread-safe."""
        with self._encoding:
            if self._image is not None:
                self._file = encode_image(self._image, image_format=self._format)
                self._image = None
            return self._file


def encode_image(image: np.ndarray, *, image_format: str) -> bytes:
    """Encode an RGB picture ``uint8`` [H, W, 3] as a PNG or JPEG file."""
    if image_format == "jpeg":
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
        return buffer.getvalue()
    # for PNG, OpenCV takes a third of the time of Pillow's fastest mode, and fewer bytes
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
