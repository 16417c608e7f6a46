"""Random parameters of DiffAugment for one picture of the discriminator.

Zhao et al., *Differentiable Augmentation for Data-Efficient GAN Training* (NeurIPS 2020). The
parameters are relative to the picture's size; losses/diff_augment.py applies them.
"""

from __future__ import annotations

import numpy as np

# columns of the parameters of a picture, and the values that change nothing
BRIGHTNESS, SATURATION, CONTRAST = 0, 1, 2  # offset; factor; factor
DOWN, RIGHT = 3, 4  # translation, as shares of height and width
HOLE_ROW, HOLE_COLUMN, HOLE_SIDE = 5, 6, 7  # cutout: center, 0..1; side, as share of both sides
IDENTITY = (0.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.5, 0.0)


def draw_augmentation(
    seed: int | list[int],
    *,
    brightness: float = 0.0,
    saturation: float = 0.0,
    contrast: float = 0.0,
    translation: float = 0.0,
    cutout: float = 0.0,
    cutout_probability: float = 1.0,
) -> np.ndarray:
    """Draw the augmentation parameters of one picture, ``float32`` [8], from the seed alone.

    Augmentations that are off have the values of ``IDENTITY``; turning one on does not change the
    random values of the others.

    Args:
        seed: an integer or a sequence of them, as for NumPy's generators.
        brightness: largest absolute offset; 0.5 in the paper.
        saturation: largest difference of the factor from 1; 1.0 in the paper.
        contrast: largest difference of the factor from 1; 0.5 in the paper.
        translation: largest translation as a share of height and width; 0.125 in the paper.
        cutout: side of the hole as a share of the picture's sides; 0.5 in the paper, 0: no hole.
            Its center is anywhere in the picture and parts outside are clipped: a hole entirely
            inside would nearly always cover the center of the picture.
        cutout_probability: probability of a hole; 1 in the paper.
    """
    draws = np.random.default_rng(seed).random(8)
    row = np.array(IDENTITY)
    row[[BRIGHTNESS, SATURATION, CONTRAST]] += (2 * draws[:3] - 1) * [
        brightness,
        saturation,
        contrast,
    ]
    row[[DOWN, RIGHT]] = (2 * draws[3:5] - 1) * translation
    if cutout and draws[7] < cutout_probability:
        row[[HOLE_ROW, HOLE_COLUMN]] = draws[5:7]
        row[HOLE_SIDE] = cutout
    return row.astype(np.float32)
