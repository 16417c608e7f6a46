"""DiffAugment: real and generated pictures are augmented alike before the discriminator sees them.

Zhao et al., *Differentiable Augmentation for Data-Efficient GAN Training* (NeurIPS 2020).
A discriminator that never sees the same photo twice cannot memorize a small data set. Because the
augmentations are differentiable and also applied to real pictures, they do not leak into the
generated pictures.

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
    """Augment the input of the discriminator differentiably.

    In this order:

    - color, of the photo only: ``x + brightness``, then ``m + saturation * (x - m)`` with m the
      mean of a pixel's three channels, then ``m + contrast * (x - m)`` with m the mean of the
      picture;
    - translation of all channels by whole pixels with reflection padding. (The paper pads with
      zeros: a border that shows the discriminator the translation and hides part of the picture);
    - cutout: a rectangle of all channels is set to 0.

    The networks of the paper are not conditioned on labels. Here translation and cutout also apply
    to the semantic map, so that it still fits the photo; 0 means "no label" in the map and gray in
    the photo. As in the paper, values are not clipped to -1..1. Everything can be differentiated
    twice, as R1 requires.

    Args:
        pictures: float [N, K + 3, H, W], semantic map ++ photo in -1..1.
        augmentation: [N, 8], parameters from data/augmentation.py. The real and the fake picture of
            a scene must have the same, since feature matching compares their stages.

    Returns:
        float [N, K + 3, H, W]; pictures with the parameters ``IDENTITY`` are exactly unchanged.
    """
    rows = np.asarray(augmentation).astype(np.float64)  # rounded to pixels in NumPy
    if (rows[:, :DOWN] != IDENTITY[:DOWN]).any():
        pictures = _adjust_color(pictures, rows)
    height, width = pictures.shape[2:]
    down = np.rint(rows[:, DOWN] * height).astype(np.int64)
    right = np.rint(rows[:, RIGHT] * width).astype(np.int64)
    if (down != 0).any() or (right != 0).any():
        pictures = _translate(pictures, down, right)
    if not (rows[:, HOLE_SIDE] > 0).any():
        return pictures
    mask = paddle.to_tensor(_outside_hole(rows, (height, width)).astype(np.float32))
    # expanded, since broadcasting is slower on a CPU
    return pictures * mask.astype(pictures.dtype).expand(pictures.shape)


def _adjust_color(pictures: paddle.Tensor, rows: np.ndarray) -> paddle.Tensor:
    """Apply brightness b, saturation s and contrast c to the last three channels at once:

    ``c (s x + (1 - s) m) + (1 - c) M + b`` with m the mean of a pixel's channels and M that of the
    picture, which saturation does not change; that is a 3 x 3 matrix and an offset per picture.
    """
    # the gradients of two slices would be two full-size tensors
    segmap, photo = split(pictures, [-1, PHOTO_CHANNELS], axis=1)
    flat = photo.reshape([photo.shape[0], PHOTO_CHANNELS, -1])  # [N, 3, H * W]
    saturation = rows[:, SATURATION].reshape(-1, 1, 1)
    contrast = rows[:, CONTRAST].reshape(-1, 1, 1)
    mixing = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)  # exact for factors of 1
    offset = _tensor(rows[:, BRIGHTNESS].reshape(-1, 1, 1), photo)
    offset = offset + _tensor(1 - contrast, photo) * flat.mean(axis=[1, 2], keepdim=True)
    flat = paddle.matmul(_tensor(mixing, photo), flat) + offset.expand(flat.shape)
    return paddle.concat([segmap, flat.reshape(photo.shape)], axis=1)


def _translate(pictures: paddle.Tensor, down: np.ndarray, right: np.ndarray) -> paddle.Tensor:
    """Translate each picture by whole pixels, int64 [N] each, with reflection padding.

    By products with matrices of 0 and 1 for either axis, which takes a third of the time of
    slicing, flipping and concatenating on a CPU and can be differentiated any number of times.
    """
    count, _, height, width = pictures.shape
    across = _tensor(_reflection(right, width).transpose(0, 2, 1), pictures)
    result = paddle.matmul(pictures.reshape([count, -1, width]), across).reshape(pictures.shape)
    return paddle.matmul(_tensor(_reflection(down, height), pictures).unsqueeze(1), result)


def _reflection(steps: np.ndarray, size: int) -> np.ndarray:
    """[N] -> bool [N, size, size]: True where the row's pixel is taken from the column's."""
    sources = np.abs(np.arange(size) - steps[:, None])
    sources = np.minimum(sources, 2 * (size - 1) - sources)
    return sources[:, :, None] == np.arange(size)


def _tensor(values: np.ndarray, like: paddle.Tensor) -> paddle.Tensor:
    return paddle.to_tensor(values.astype(np.float64)).astype(like.dtype)


def _outside_hole(rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mask bool [N, 1, H, W], False in the hole of each picture."""
    inside = []
    for middle, length in zip((HOLE_ROW, HOLE_COLUMN), size):
        side = np.rint(rows[:, HOLE_SIDE] * length).astype(np.int64)
        first = np.floor(rows[:, middle] * length).astype(np.int64) - side // 2
        pixels = np.arange(length)
        inside.append((pixels >= first[:, None]) & (pixels < (first + side)[:, None]))
    return ~(inside[0][:, :, None] & inside[1][:, None, :])[:, None]
