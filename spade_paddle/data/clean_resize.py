"""Resizing as Parmar et al. 2022 found it must be for FID: filtered, and without rounding."""

from __future__ import annotations

import numpy as np
from PIL import Image

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
"""Bicubic is what the paper recommends; both are widened where a picture shrinks (antialiasing)."""


def clean_resize(picture: np.ndarray, side: int, *, kernel: str = "bicubic") -> np.ndarray:
    """A picture as a square, each channel by itself in floating point (Parmar et al. 2022, "On
    Aliased Resizing and Surprising Subtleties in GAN Evaluation").

    Args:
        picture: ``uint8`` [H, W, 3].
        side: pixels of a side of the result.
        kernel: one of FILTERS.

    Returns:
        ``float32`` [side, side, 3] in 0..255, not rounded; where the filter overshoots it is cut
        off.
    """
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(channel)).resize((side, side), FILTERS[kernel])
        )
        for channel in np.moveaxis(picture.astype(np.float32), 2, 0)
    ]
    return np.clip(np.stack(channels, axis=2), 0, 255)
