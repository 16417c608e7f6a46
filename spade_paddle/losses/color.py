"""The losses that keep the colors of a style: our addition to the article's losses.

With a style, the generator knows the photo's colors, but discriminators on normalized features
hardly see them. The color loss and the balance do not compare positions, and the chroma loss does
so without brightness, in coarse cells, so none of them blurs shapes.

Legend: N batch, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable

import paddle
import paddle.nn.functional as F
from paddle import nn

from spade_paddle.data.photos import LUMA

HALF_LIFE = 140
"""Number of pictures after which a picture counts half for ``ColorBalance``."""
CELL = 16
"""Side of the cells of the chroma loss in pixels."""
LEAST_AREA = 0.05
"""Differences of labels that covered less than this many whole pictures count less."""


def color_loss(
    fake_photo: paddle.Tensor, photo: paddle.Tensor, segmap: paddle.Tensor
) -> paddle.Tensor:
    """L1 distance of the mean colors of each label, weighted by the label's area: a scalar >= 0.

        sum_k share_k mean_c |mean_k(fake)_c - mean_k(photo)_c|,   averaged over the batch

    Args:
        fake_photo: [N, 3, H, W] in -1..1.
        photo: the real photos, [N, 3, H, W] in -1..1.
        segmap: one-hot [N, K, H, W].
    """
    differences, _ = _differences(fake_photo, photo, segmap)
    return differences.abs().mean(axis=2).sum(axis=1).mean()


def chroma_loss(fake_photo: paddle.Tensor, photo: paddle.Tensor) -> paddle.Tensor:
    """L1 distance of chroma in cells of CELL x CELL pixels: a scalar >= 0.

        mean over cells and channels of |c(fake) - c(photo)|,   c(x) = x - luma(x),

    of the mean color of each cell, with the luma of ITU-R BT.601. A label map does not tell where
    in a lake its green patches are. The best guess is the median, an even color; patches elsewhere,
    which a discriminator on features does not mind, cost more.

    Args:
        fake_photo: [N, 3, H, W] in -1..1; H and W are at least CELL, and the remainder of a
            division by it does not count.
        photo: the real photos, [N, 3, H, W] in -1..1.
    """
    difference = F.avg_pool2d(fake_photo - photo, CELL)
    luma = paddle.to_tensor(LUMA, dtype=difference.dtype).reshape([1, 3, 1, 1])
    return (difference - (difference * luma).sum(axis=1, keepdim=True)).abs().mean()


class ColorBalance(nn.Layer):
    """Keeps the mean color of each label right over many pictures.

    A style does not determine the colors of its photo exactly. So the L1 loss above never gets
    small, and its gradient, which is as large for a small error as for a large one, is mostly
    chance: with a weight that keeps grass green, it drowns the gradients of the other losses. This
    loss remembers the difference of each label's mean color in the last pictures,

        d_k = mean over the last pictures of mean_k(fake) - mean_k(photo)

    and pushes against that alone:

        sum_k share_k mean_c d_kc (mean_k(fake)_c - mean_k(photo)_c),   averaged over the batch

    with d_k as a constant. Its gradient vanishes where the colors are right on average.

    Args:
        channels: K.
        average: averages a tensor over all processes.
        num_processes: how many there are.
    """

    def __init__(
        self,
        channels: int,
        *,
        average: Callable[[paddle.Tensor], paddle.Tensor] = lambda values: values,
        num_processes: int = 1,
    ) -> None:
        super().__init__()
        # sums over the pictures, of the differences and of the labels' shares
        self.register_buffer("sums", paddle.zeros([channels, 4]))
        self._average = average
        self._num_processes = num_processes

    def forward(
        self, fake_photo: paddle.Tensor, photo: paddle.Tensor, segmap: paddle.Tensor
    ) -> paddle.Tensor:
        """Remember the pictures and return the loss, a scalar; arguments as of ``color_loss``."""
        differences, shares = _differences(fake_photo, photo, segmap)
        with paddle.no_grad():
            new = self._average(paddle.concat([differences, shares], axis=2).mean(axis=0))
            images = len(photo) * self._num_processes
            self.sums.set_value(self.sums * 0.5 ** (images / HALF_LIFE) + new * images)
            bias = self.sums[:, :3] / (self.sums[:, 3:] + LEAST_AREA)
        return (differences * bias).mean(axis=2).sum(axis=1).mean()


def _differences(
    fake_photo: paddle.Tensor, photo: paddle.Tensor, segmap: paddle.Tensor
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """Difference of the mean color of each label times its share, [N, K, 3], and the shares,
    [N, K, 1]."""
    masks = segmap.flatten(2)  # [N, K, H * W]
    areas = masks.sum(axis=2, keepdim=True)
    difference = (fake_photo - photo).flatten(2).transpose([0, 2, 1])  # [N, H * W, 3]
    # the share times the mean over a label is the sum over it, divided by all pixels
    pixels = areas.sum(axis=1, keepdim=True)
    return paddle.bmm(masks, difference) / pixels, areas / pixels
