"""What DiffAugment does to one picture of the discriminator, drawn beforehand.

Zhao et al., *Differentiable Augmentation for Data-Efficient GAN Training* (NeurIPS 2020). The
numbers are shares and factors, so that a row serves pictures of any size; losses/diff_augment.py
applies them.
"""

from __future__ import annotations

import numpy as np

# the columns of a row: which number is where, and the value that changes nothing
BRIGHTNESS, SATURATION, CONTRAST = 0, 1, 2  # added; factor; factor
DOWN, RIGHT = 3, 4  # the way the picture moves, as shares of its height and width
HOLE_ROW, HOLE_COLUMN, HOLE_SIDE = 5, 6, 7  # middle of the hole, 0..1; share of both sides
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
    """One row of numbers, ``float32`` [8], made from the seed alone.

    What is off has the values of ``IDENTITY``; switching one kind on changes no draw of another.

    Args:
        seed: of the draws; a list is a sequence, as NumPy's generators take it.
        brightness: added is at most so much either way; 0.5 in the paper.
        saturation: the factor is 1 and at most so much more or less; 1.0 in the paper.
        contrast: the same; 0.5 in the paper.
        translation: the most that the picture moves, as a share of its height and width; 0: not.
        cutout: sides of the hole as a share of the picture's; 0: none. Its middle is anywhere in
            the picture, and what lies outside is cut off: a hole that had to lie inside would
            nearly always cover the picture's middle.
        cutout_probability: how often there is a hole at all; always in the paper.
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
