"""The losses of CAT and OMGD, written out as in tests/reference.py, keywords included."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Array = np.ndarray


def kernel_alignment(
    ours: Array, theirs: Array, *, normalized: bool = True, centered: bool = False
) -> float:
    """Jin et al. 2021, section 3.3: the cosine of the angle between two kernel matrices.

    ``normalized=False``: wrong; their product alone. ``centered=True``: wrong; the mean of the
    features over the pictures is taken off first, as CKA has it.
    """
    kernels = []
    for features in (ours, theirs):
        rows = [picture.ravel() for picture in features]
        if centered:
            rows = [row - sum(rows) / len(rows) for row in rows]
        kernels.append([[float((row * other).sum()) for other in rows] for row in rows])

    def product(first: list[list[float]], second: list[list[float]]) -> float:
        return sum(a * b for one, other in zip(first, second) for a, b in zip(one, other))

    first, second = kernels
    if not normalized:
        return product(first, second)
    return product(first, second) / math.sqrt(product(first, first) * product(second, second))


def ssim(ours: Array, theirs: Array, *, constants: bool = True, reflected: bool = False) -> float:
    """Wang et al. 2004, equation 13, with an 11 x 11 window around every pixel; zeros beyond.

    ``constants=False``: wrong; without C1 and C2. ``reflected``: wrong; the picture goes on as in a
    mirror beyond its border.
    """
    window = np.array(
        [
            [math.exp(-((row - 5) ** 2 + (column - 5) ** 2) / (2 * 1.5**2)) for column in range(11)]
            for row in range(11)
        ]
    )
    window /= window.sum()
    c1, c2 = (0.01**2, 0.03**2) if constants else (0.0, 0.0)
    edges = ((0, 0), (0, 0), (5, 5), (5, 5))
    padded = [np.pad(x, edges, mode="reflect" if reflected else "constant") for x in (ours, theirs)]
    total = 0.0
    for n, c, row, column in np.ndindex(*ours.shape):
        a, b = (x[n, c, row : row + 11, column : column + 11] for x in padded)
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        variance_a, variance_b = (
            (window * (a - mean_a) ** 2).sum(),
            (window * (b - mean_b) ** 2).sum(),
        )
        covariance = (window * (a - mean_a) * (b - mean_b)).sum()
        light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        total += light * (2 * covariance + c2) / (variance_a + variance_b + c2)
    return total / ours.size


def gram_matrix(features: Array, *, divided: bool = True) -> Array:
    """Products of every two channels, summed over the pixels and divided by C H W.

    ``divided=False``: wrong; the sum.
    """
    pictures, channels, height, width = features.shape
    out = np.zeros((pictures, channels, channels))
    for n, first, second in np.ndindex(*out.shape):
        out[n, first, second] = (features[n, first] * features[n, second]).sum()
    return out / (channels * height * width) if divided else out


def gram_loss(ours: Sequence[Array], theirs: Sequence[Array], *, divided: bool = True) -> float:
    """Ren et al. 2021: the mean absolute differences of Gram matrices, summed over the layers."""
    matrices = [[gram_matrix(x, divided=divided) for x in layers] for layers in (ours, theirs)]
    return sum(float(np.abs(our - their).mean()) for our, their in zip(*matrices))


def total_variation(pictures: Array, *, summed: bool = False) -> float:
    """Absolute differences to the right and to the lower neighbor, averaged each.

    ``summed``: wrong; the sums, which grow with the picture, as in the public OMGD.
    """
    across, down = [], []
    for n, c, row, column in np.ndindex(*pictures.shape):
        here = pictures[n, c, row, column]
        if column + 1 < pictures.shape[3]:
            across.append(abs(pictures[n, c, row, column + 1] - here))
        if row + 1 < pictures.shape[2]:
            down.append(abs(pictures[n, c, row + 1, column] - here))
    if summed:
        return sum(across) + sum(down)
    return sum(across) / len(across) + sum(down) / len(down)


def channel_distance(ours: Array, theirs: Array) -> float:
    """Squared differences of the channels' means over H and W, averaged over pictures and them."""
    differences = [ours[n, c].mean() - theirs[n, c].mean() for n, c in np.ndindex(*ours.shape[:2])]
    return sum(difference**2 for difference in differences) / len(differences)
