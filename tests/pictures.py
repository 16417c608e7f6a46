"""Small label maps and their encodings, for tests."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def scene(height: int = 64, width: int = 64, *, top: int = 1, bottom: int = 7) -> np.ndarray:
    """A label map [H, W] with one label above and another below."""
    ids = np.full((height, width), bottom, np.uint8)
    ids[: height // 2] = top
    return ids


def file_bytes(array: np.ndarray, *, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, image_format, **options)
    return buffer.getvalue()


def palette_png(ids: np.ndarray, palette: np.ndarray) -> bytes:
    image = Image.fromarray(ids, mode="P")
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def png64(ids: np.ndarray) -> str:
    return b64(file_bytes(ids))


def raw_labels(ids: np.ndarray) -> dict[str, Any]:
    height, width = ids.shape
    return {"width": width, "height": height, "data": b64(ids.tobytes())}


def open64(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))
