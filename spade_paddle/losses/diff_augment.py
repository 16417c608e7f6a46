"""DiffAugment: real and generated pictures are changed alike before the discriminator sees them.

Zhao et al., *Differentiable Augmentation for Data-Efficient GAN Training* (NeurIPS 2020).
A discriminator that never sees a photo twice the same cannot learn few photos by heart, and since
the changes are differentiable, they reach no generated picture by themselves.

Legend: N batch, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

import numpy as np
import paddle

from spade_paddle.data.augmentation import (
    BRIGHTNESS,
    CONTRAST,
    DOWN,
    HOLE_COLUMN,
    HOLE_ROW,
    HOLE_SIDE,
    IDENTITY,
    RIGHT,
    SATURATION,
)
from spade_paddle.layers.split import split

PHOTO_CHANNELS = 3


def diff_augment(
    pictures: paddle.Tensor, augmentation: np.ndarray | paddle.Tensor
) -> paddle.Tensor:
    """What the discriminator sees instead of its pictures; differentiable in them.

    In this order, each left out where no row asks for it:

    - colour, of the photo: ``x + brightness``, then ``m + saturation * (x - m)`` with m the mean
      of a pixel's three channels, then ``m + contrast * (x - m)`` with m the mean of the picture;
    - translation of all channels by whole pixels; what comes in is 0;
    - cutout: a rectangle of all channels becomes 0.

    The paper's networks know no labels. Here the semantic map moves and is cut together with its
    photo, for the discriminator to judge whether the two fit; 0 is "no label" in the map and grey
    in the photo. Values beyond -1..1 stay, as in the paper.

    Args:
        pictures: float [N, K + 3, H, W], semantic map ++ photo in -1..1.
        augmentation: [N, 8], a row of data/augmentation.py for each. The real and the fake picture
            of one scene take the same row, since feature matching compares their stages.

    Returns:
        float [N, K + 3, H, W]; pictures whose rows are ``IDENTITY`` come back exactly.
    """
    rows = np.asarray(augmentation).astype(np.float64)  # whole pixels are counted on the host
    if (rows[:, :DOWN] != IDENTITY[:DOWN]).any():
        pictures = _recoloured(pictures, rows)
    height, width = pictures.shape[2:]
    down = np.rint(rows[:, DOWN] * height).astype(np.int64)
    right = np.rint(rows[:, RIGHT] * width).astype(np.int64)
    shown = _rectangle(down, down + height, right, right + width, (height, width))
    if (down != 0).any() or (right != 0).any():
        pictures = _rotated(pictures, down * width + right)
    if (rows[:, HOLE_SIDE] > 0).any():
        shown = shown & ~_hole(rows, (height, width))
    if shown.all():
        return pictures
    mask = paddle.to_tensor(shown.astype(np.float32)).astype(pictures.dtype)
    return pictures * mask.expand(pictures.shape)  # a product that broadcasts is slower on a CPU


def _recoloured(pictures: paddle.Tensor, rows: np.ndarray) -> paddle.Tensor:
    """Brightness, saturation and contrast of the last three channels."""
    # not two slices, whose gradients are two whole pictures
    semantics, photo = split(pictures, [-1, PHOTO_CHANNELS], axis=1)

    def column(index: int) -> paddle.Tensor:
        values = paddle.to_tensor(rows[:, index].reshape(-1, 1, 1, 1))
        return values.astype(pictures.dtype)

    photo = photo + column(BRIGHTNESS)
    for index, axes in ((SATURATION, [1]), (CONTRAST, [1, 2, 3])):
        factor, mean = column(index), photo.mean(axis=axes, keepdim=True)
        # mean + factor * (photo - mean), written so that a factor of 1 changes no bit
        photo = photo * factor + mean * (1 - factor)
    return paddle.concat([semantics, photo], axis=1)


def _rotated(pictures: paddle.Tensor, steps: np.ndarray) -> paddle.Tensor:
    """Each picture's numbers in memory order, moved on by so many steps, the last to the front.

    That is the translation by ``down * W + right`` steps, but for the pixels that come in, which
    the caller sets to 0. One split and one concat: several times faster on a CPU than to cut and
    pad every picture, forwards and backwards.
    """
    size = int(np.prod(pictures.shape[1:]))
    ends = [int(step) % size for step in steps]  # numbers that go to the front
    sizes = [part for end in ends for part in (size - end, end) if part]
    parts = iter(split(pictures.reshape([-1]), sizes, axis=0))
    ordered = []
    for end in ends:
        kept = next(parts)
        ordered += [next(parts), kept] if end else [kept]
    return paddle.concat(ordered).reshape(pictures.shape)


def _hole(rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    sides = []
    for middle, length in zip((HOLE_ROW, HOLE_COLUMN), size):
        side = np.rint(rows[:, HOLE_SIDE] * length).astype(np.int64)
        first = np.floor(rows[:, middle] * length).astype(np.int64) - side // 2
        sides += [first, first + side]
    return _rectangle(*sides, size)


def _rectangle(
    top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """True in the rows from top to before bottom and the columns from left to before right: each
    [N] -> bool [N, 1, H, W]."""
    height, width = size
    rows = (np.arange(height) >= top[:, None]) & (np.arange(height) < bottom[:, None])
    columns = (np.arange(width) >= left[:, None]) & (np.arange(width) < right[:, None])
    return (rows[:, :, None] & columns[:, None, :])[:, None]
