"""The loss that keeps the colors of a style: our addition to the article's losses.

Legend: N batch, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

import paddle


def color_loss(
    fake_photo: paddle.Tensor, photo: paddle.Tensor, segmap: paddle.Tensor
) -> paddle.Tensor:
    """L1 distance of the mean colors of each label, weighted by the label's area: a scalar >= 0.

        sum_k share_k mean_c |mean_k(fake)_c - mean_k(photo)_c|,   averaged over the batch

    With a style, the generator knows the photo's colors, but discriminators on normalized features
    hardly see them. The loss does not compare positions, so it does not blur.

    Args:
        fake_photo: [N, 3, H, W] in -1..1.
        photo: the real photos, [N, 3, H, W] in -1..1.
        segmap: one-hot [N, K, H, W].
    """
    masks = segmap.flatten(2)  # [N, K, H * W]
    areas = masks.sum(axis=2, keepdim=True)
    difference = (fake_photo - photo).flatten(2).transpose([0, 2, 1])  # [N, H * W, 3]
    # the share times the mean over a label is the sum over it, divided by all pixels
    sums = paddle.bmm(masks, difference) / areas.sum(axis=1, keepdim=True)
    return sums.abs().mean(axis=2).sum(axis=1).mean()
