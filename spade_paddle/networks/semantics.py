"""The semantic map, ``segmap`` in the code: what generator and discriminator know of the labels.

It is float32 [N, K, H, W] of 0 and 1: one-hot labels, then "don't care", then instance edges (each
of the last two only if configured). The name is that of the public SPADE and of the article.

Legend: N batch, K channels of the semantic map, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import paddle
from paddle.nn import functional as F

from spade_paddle.config import Config
from spade_paddle.data.labels import DONT_CARE


@dataclass(frozen=True)
class SemanticLayout:
    """What the channels of a semantic map are, in order: every label, "don't care", edges.

    Attributes:
        num_labels: of the label set.
        dont_care: there is a channel for 255.
        edges: there is a channel of instance edges.
        positions: the generator takes positional encodings, two channels of their own.
    """

    num_labels: int
    dont_care: bool = True
    edges: bool = False
    positions: bool = False

    @classmethod
    def of(cls, config: Config, num_labels: int) -> SemanticLayout:
        """That of a configuration and a label set of so many labels."""
        return cls(
            num_labels,
            dont_care=config.data.dont_care,
            edges=config.data.instance_edges,
            positions=config.knows_positions,
        )

    @property
    def classes(self) -> int:
        """Channels of the one-hot label map: labels and "don't care"."""
        return self.num_labels + int(self.dont_care)

    @property
    def channels(self) -> int:
        """K."""
        return self.classes + int(self.edges)

    def encode(
        self, label_map: paddle.Tensor, instance_map: paddle.Tensor | None = None
    ) -> paddle.Tensor:
        """The semantic map, float32 [N, K, H, W] of 0 and 1.

        The ids are not checked here: LabelSet.check does that where they enter.

        Args:
            label_map: int32 [N, H, W], 0..num_labels-1 or 255, which sets no channel where there is
                none for it.
            instance_map: int32 [N, H, W], for the edges; None: the label map stands in.
        """
        ids = paddle.arange(self.num_labels, dtype="int32")
        if self.dont_care:
            ids = paddle.concat([ids, paddle.full([1], DONT_CARE, dtype="int32")])
        one_hot = (label_map.unsqueeze(1) == ids.reshape([1, -1, 1, 1])).astype("float32")
        if not self.edges:
            return one_hot
        edges = instance_edges(label_map if instance_map is None else instance_map)
        return paddle.concat([one_hot, edges], axis=1)


def instance_edges(instance_map: paddle.Tensor) -> paddle.Tensor:
    """1 where a pixel's instance differs from its left, right, upper or lower neighbor.

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
