"""Gives a large picture the colors of a small one of the same label map.

Two generators, for small and for large pictures, paint the same scene in slightly different light,
so that the colors would change when a picture is enlarged. The difference is a smooth function in
each region, and regions differ: averaging over all of them would leave halos along their edges.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from spade_paddle.data.photos import LUMA

GRID = 64
"""Cells along the short side in which differences of color are averaged."""
BRIGHTNESS_BLUR = 4.0
"""Standard deviation of the blur of these averages, in cells. With less, the colors match more
closely, but the large picture takes over shapes of the small one, too (docs/experiments.md,
2026-11-30)."""
CHROMA_BLUR = 1.0
"""The same for what remains without the brightness. The eye sees shapes by brightness, so here
patches of a wrong color are replaced, too."""


def shrunken_size(height: int, width: int, *, area: int) -> tuple[int, int]:
    """Height and width of about ``area`` pixels in the proportions of [height, width]."""
    scale = math.sqrt(height * width / area)
    return round(height / scale), round(width / scale)


def match_colors(picture: np.ndarray, small: np.ndarray, label_map: np.ndarray) -> np.ndarray:
    """Shift the colors of each label's pixels, smoothly, to those of a smaller picture.

    Args:
        picture: the large picture, ``uint8`` [H, W, 3].
        small: the picture with the colors, ``uint8`` [h, w, 3], of the same scene.
        label_map: ids [H, W].

    Returns:
        ``uint8`` [H, W, 3].
    """
    height, width = label_map.shape
    enlarged = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    difference = enlarged.astype(np.float32) - picture
    is_present = np.bincount(label_map.ravel(), minlength=256) > 0
    planes = (np.cumsum(is_present) - 1)[label_map]
    scale = min(GRID / min(height, width), 1)
    grid = round(height * scale), round(width * scale)
    shifts = _mean_differences(difference, planes, count=is_present.sum(), grid=grid)
    shift = np.zeros_like(difference)
    for plane, coarse in enumerate(shifts):
        fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        np.copyto(shift, fine, where=(planes == plane)[..., None])
    return np.clip(np.rint(picture + shift), 0, 255).astype(np.uint8)


def _mean_differences(
    difference: np.ndarray, planes: np.ndarray, *, count: int, grid: tuple[int, int]
) -> np.ndarray:
    """Blurred averages of [H, W, 3] over the pixels of each plane (label), on a grid: ``float32``
    [count, *grid, 3]; 0 where the plane is far away. Brightness is blurred more than chroma."""
    height, width = planes.shape
    rows = np.arange(height)[:, None] * grid[0] // height
    columns = np.arange(width) * grid[1] // width
    cells = ((planes * grid[0] + rows) * grid[1] + columns).ravel()
    size = count * grid[0] * grid[1]
    channels = [np.bincount(cells, each, size) for each in (*difference.reshape(-1, 3).T, None)]
    sums = np.stack(channels, axis=-1).astype(np.float32).reshape(count, *grid, 4)
    coarse, fine = (_blurred_means(sums, blur=blur) for blur in (BRIGHTNESS_BLUR, CHROMA_BLUR))
    return fine + ((coarse - fine) @ np.array(LUMA, np.float32))[..., None]


def _blurred_means(sums: np.ndarray, *, blur: float) -> np.ndarray:
    """Sums of colors and numbers of pixels, [count, h, w, 4] -> [count, h, w, 3]."""
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), blur) for each in sums])
    colors, pixels = np.split(blurred, [3], axis=-1)
    return np.divide(colors, pixels, out=np.zeros_like(colors), where=pixels > 1e-3)
