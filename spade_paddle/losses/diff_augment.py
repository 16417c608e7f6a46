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
    """What the discriminator sees instead of its pictures; differentiable in them.

    In this order, each left out where no row asks for it:

    - color, of the photo: ``x + brightness``, then ``m + saturation * (x - m)`` with m the mean
      of a pixel's three channels, then ``m + contrast * (x - m)`` with m the mean of the picture;
    - translation of all channels by whole pixels; what comes in is the reflection of what is
      there. In the paper it is 0, a frame that tells the discriminator how far the picture was
      moved, and costs it what lies there;
    - cutout: a rectangle of all channels becomes 0.

    The paper's networks know no labels. Here the semantic map moves and is cut together with its
    photo, for the discriminator to judge whether the two fit; 0 is "no label" in the map and gray
    in the photo. Values beyond -1..1 stay, as in the paper. All of it can be differentiated twice,
    as R1 needs it.

    Args:
        pictures: float [N, K + 3, H, W], semantic map ++ photo in -1..1.
        augmentation: [N, 8], a row of data/augmentation.py for each. The real and the fake picture
            of one scene take the same row, since feature matching compares their stages.

    Returns:
        float [N, K + 3, H, W]; pictures whose rows are ``IDENTITY`` come back exactly.
    """
    rows = np.asarray(augmentation).astype(np.float64)  # whole pixels are counted on the host
    if (rows[:, :DOWN] != IDENTITY[:DOWN]).any():
        pictures = _recolored(pictures, rows)
    height, width = pictures.shape[2:]
    down = np.rint(rows[:, DOWN] * height).astype(np.int64)
    right = np.rint(rows[:, RIGHT] * width).astype(np.int64)
    if (down != 0).any() or (right != 0).any():
        pictures = _moved(pictures, down, right)
    if not (rows[:, HOLE_SIDE] > 0).any():
        return pictures
    mask = paddle.to_tensor(_outside_hole(rows, (height, width)).astype(np.float32))
    # a product that broadcasts is slower on a CPU
    return pictures * mask.astype(pictures.dtype).expand(pictures.shape)


def _recolored(pictures: paddle.Tensor, rows: np.ndarray) -> paddle.Tensor:
    """Brightness b, saturation s and contrast c of the last three channels, in one go:

    ``c (s x + (1 - s) m) + (1 - c) M + b`` with m the mean of a pixel's channels and M that of the
    whole picture, which saturation does not change: a 3 x 3 matrix for every picture, and a number.
    """
    # not two slices, whose gradients are two whole pictures
    segmap, photo = split(pictures, [-1, PHOTO_CHANNELS], axis=1)
    flat = photo.reshape([photo.shape[0], PHOTO_CHANNELS, -1])  # [N, 3, H * W]
    saturation = rows[:, SATURATION].reshape(-1, 1, 1)
    contrast = rows[:, CONTRAST].reshape(-1, 1, 1)
    mixing = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)  # 1 changes no bit
    added, kept = (_tensor(x.reshape(-1, 1, 1), photo) for x in (rows[:, BRIGHTNESS], 1 - contrast))
    added = added + kept * flat.mean(axis=[1, 2], keepdim=True)
    flat = paddle.matmul(_tensor(mixing, photo), flat) + added.expand(flat.shape)
    return paddle.concat([segmap, flat.reshape(photo.shape)], axis=1)


def _moved(pictures: paddle.Tensor, down: np.ndarray, right: np.ndarray) -> paddle.Tensor:
    """Each picture moved by so many pixels, [N] each, reflected where it comes in.

    As products with matrices of 0 and 1, on either side: on a CPU a third of the time of cutting,
    turning and joining strips, and differentiable as often as one likes.
    """
    count, _, height, width = pictures.shape
    across = _tensor(_reflection(right, width).transpose(0, 2, 1), pictures)
    moved = paddle.matmul(pictures.reshape([count, -1, width]), across).reshape(pictures.shape)
    return paddle.matmul(_tensor(_reflection(down, height), pictures).unsqueeze(1), moved)


def _reflection(steps: np.ndarray, size: int) -> np.ndarray:
    """[N] -> [N, size, size]: 1 where the row's pixel comes from the column's."""
    places = np.abs(np.arange(size) - steps[:, None])
    places = np.minimum(places, 2 * (size - 1) - places)
    return places[:, :, None] == np.arange(size)


def _tensor(values: np.ndarray, like: paddle.Tensor) -> paddle.Tensor:
    return paddle.to_tensor(values.astype(np.float64)).astype(like.dtype)


def _outside_hole(rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """bool [N, 1, H, W]: False in each picture's hole."""
    inside = []
    for middle, length in zip((HOLE_ROW, HOLE_COLUMN), size):
        side = np.rint(rows[:, HOLE_SIDE] * length).astype(np.int64)
        first = np.floor(rows[:, middle] * length).astype(np.int64) - side // 2
        places = np.arange(length)
        inside.append((places >= first[:, None]) & (places < (first + side)[:, None]))
    return ~(inside[0][:, :, None] & inside[1][:, None, :])[:, None]
