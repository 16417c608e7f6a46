"""From label ids to the semantic input of the networks.

Legend: N batch, K channels of the semantic input, H height, W width.
"""

from __future__ import annotations

import paddle
from paddle.nn import functional as F

from spade_paddle.data.labels import DONT_CARE


def semantic_channels(*, num_labels: int, dont_care: bool, instance_edges: bool) -> int:
    """K = labels + one for don't care + one for instance edges."""
    return num_labels + int(dont_care) + int(instance_edges)


def one_hot(label_map: paddle.Tensor, *, num_labels: int, dont_care: bool) -> paddle.Tensor:
    """Label ids [N, H, W] (int32, 0..num_labels-1 or 255) -> float32 [N, K, H, W] of 0 and 1.

    255 sets the last channel with ``dont_care``, no channel without. The ids are not checked
    here: LabelSet.check does that where they enter.
    """
    ids = paddle.arange(num_labels, dtype="int32")
    if dont_care:
        ids = paddle.concat([ids, paddle.full([1], DONT_CARE, dtype="int32")])
    return (label_map.unsqueeze(1) == ids.reshape([1, -1, 1, 1])).astype("float32")


def instance_edges(instance_map: paddle.Tensor) -> paddle.Tensor:
    """1 where a pixel's instance differs from its left, right, upper or lower neighbour.

    Both sides of a boundary are marked (Wang et al. 2018, pix2pixHD, section 3.3; the article's
    instance map). The border of the picture is no boundary.

    Args:
        instance_map: int32 [N, H, W]; the label map itself where there are no instances.

    Returns:
        float32 [N, 1, H, W].
    """
    across = (instance_map[:, :, 1:] != instance_map[:, :, :-1]).astype("float32").unsqueeze(1)
    down = (instance_map[:, 1:, :] != instance_map[:, :-1, :]).astype("float32").unsqueeze(1)
    # each difference is laid on the pixel before it and on the one after it
    left, right = F.pad(across, [0, 1, 0, 0]), F.pad(across, [1, 0, 0, 0])
    upper, lower = F.pad(down, [0, 0, 0, 1]), F.pad(down, [0, 0, 1, 0])
    return (left + right + upper + lower > 0).astype("float32")


def semantic_input(
    label_map: paddle.Tensor,
    *,
    num_labels: int,
    dont_care: bool,
    edges: bool,
    instance_map: paddle.Tensor | None = None,
) -> paddle.Tensor:
    """One-hot labels and, with ``edges``, the instance edge channel: float32 [N, K, H, W]."""
    semantics = one_hot(label_map, num_labels=num_labels, dont_care=dont_care)
    if not edges:
        return semantics
    instances = label_map if instance_map is None else instance_map
    return paddle.concat([semantics, instance_edges(instances)], axis=1)
