"""Distillation losses of CAT (Jin et al., CVPR 2021) and OMGD (Ren et al., ICCV 2021).

Kernel alignment is of CAT, the others of OMGD. The teacher's pictures and features must be detached
by the caller.

Legend: N batch, C channels, H height, W width.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import paddle
from paddle.nn import functional as F

SSIM_SIDE = 11
SSIM_DEVIATION = 1.5
SSIM_C1 = 0.01**2
SSIM_C2 = 0.03**2


def kernel_alignment(ours: paddle.Tensor, theirs: paddle.Tensor) -> paddle.Tensor:
    """Kernel alignment ``<K, K'> / (|K| |K'|)`` with ``K = X X^T``, not centered, in 0..1.

    X has the features of one picture in each row, so the two networks may have different numbers of
    channels. It is 1 if the similarities between the pictures of the batch are the same, up to a
    factor, in both networks. Product and norms are Frobenius (CAT, section 3.3). For a single
    picture it is always 1 and its gradient 0.

    Args:
        ours: features of N pictures, [N, ...].
        theirs: features of the same pictures by the other network, [N, ...].
    """
    kernels = [paddle.matmul(x, x, transpose_y=True) for x in (ours.flatten(1), theirs.flatten(1))]
    first, second = (kernel.flatten() for kernel in kernels)
    return paddle.dot(first, second) / (first.norm() * second.norm())


def ssim(ours: paddle.Tensor, theirs: paddle.Tensor) -> paddle.Tensor:
    """Mean structural similarity (Wang et al. 2004, equation 13) of pictures [N, C, H, W]: -1..1.

    The window is Gaussian, 11 x 11 pixels with a standard deviation of 1.5, with zero padding. As
    in OMGD, the constants are 0.01^2 and 0.03^2, those for values in 0..1, although the pictures
    are in -1..1.
    """
    first, second = (x.reshape([-1, 1, *x.shape[2:]]) for x in (ours, theirs))
    maps = [first, second, first * first, second * second, first * second]
    smooth = _gaussian_filter(paddle.concat(maps, axis=1))
    mean_1, mean_2, square_1, square_2, product = paddle.unbind(smooth, axis=1)
    variance_1, variance_2 = square_1 - mean_1 * mean_1, square_2 - mean_2 * mean_2
    covariance = product - mean_1 * mean_2
    numerator = (2 * mean_1 * mean_2 + SSIM_C1) * (2 * covariance + SSIM_C2)
    denominator = mean_1 * mean_1 + mean_2 * mean_2 + SSIM_C1
    return (numerator / (denominator * (variance_1 + variance_2 + SSIM_C2))).mean()


def gram_matrix(features: paddle.Tensor) -> paddle.Tensor:
    """Gram matrix ``F F^T / (C H W)``: [N, C, H, W] -> [N, C, C] (Gatys et al. 2016, eq. 3)."""
    flat = features.flatten(2)
    return paddle.matmul(flat, flat, transpose_y=True) / (flat.shape[1] * flat.shape[2])


def gram_loss(ours: Sequence[paddle.Tensor], theirs: Sequence[paddle.Tensor]) -> paddle.Tensor:
    """Sum over layers of the mean absolute difference of Gram matrices; features [N, C, H, W]."""
    return sum(F.l1_loss(gram_matrix(x), gram_matrix(y)) for x, y in zip(ours, theirs))


def total_variation(pictures: paddle.Tensor) -> paddle.Tensor:
    """Total variation of pictures [N, C, H, W]: the mean absolute differences of horizontal and of
    vertical neighbors, added. The public OMGD sums instead, so its weight depends on N, H and W.
    """
    across = (pictures[:, :, :, 1:] - pictures[:, :, :, :-1]).abs().mean()
    down = (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().mean()
    return across + down


def channel_distance(ours: paddle.Tensor, theirs: paddle.Tensor) -> paddle.Tensor:
    """Mean squared difference of the spatial means of channels; features [N, C, H, W]."""
    return F.mse_loss(ours.mean(axis=[2, 3]), theirs.mean(axis=[2, 3]))


def _gaussian_filter(maps: paddle.Tensor) -> paddle.Tensor:
    """Filter each map of [N, C, H, W] by the window of SSIM, which is separable."""
    height, width = maps.shape[2:]
    window, padding = _window(str(maps.dtype).rpartition(".")[2]), SSIM_SIDE // 2
    flat = maps.reshape([-1, 1, height, width])
    flat = F.conv2d(flat, window.reshape([1, 1, -1, 1]), padding=[padding, 0])
    flat = F.conv2d(flat, window.reshape([1, 1, 1, -1]), padding=[0, padding])
    return flat.reshape(maps.shape)


@functools.lru_cache
def _window(dtype: str) -> paddle.Tensor:
    offsets = np.arange(SSIM_SIDE) - SSIM_SIDE // 2
    weights = np.exp(-(offsets**2) / (2 * SSIM_DEVIATION**2))
    return paddle.to_tensor((weights / weights.sum()).astype(dtype))
