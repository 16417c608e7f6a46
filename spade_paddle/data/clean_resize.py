"""Resizing for FID as recommended by Parmar et al. 2022: antialiased, and without rounding."""

from __future__ import annotations

import numpy as np
from PIL import Image

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
"""Pillow's filters, which antialias when downsampling; the paper recommends bicubic."""


def clean_resize(picture: np.ndarray, side: int, *, kernel: str = "bicubic") -> np.ndarray:
    """Resize a picture to a square, each channel separately in floating point (Parmar et al. 2022,
    "On Aliased Resizing and Surprising Subtleties in GAN Evaluation").

    Args:
        picture: ``uint8`` [H, W, 3].
        side: side of the result in pixels.
        kernel: a key of FILTERS.

    Returns:
        ``float32`` [side, side, 3], clipped to 0..255 but not rounded.
    """
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(channel)).resize((side, side), FILTERS[kernel])
        )
        for channel in np.moveaxis(picture.astype(np.float32), 2, 0)
    ]
    return np.clip(np.stack(channels, axis=2), 0, 255)
