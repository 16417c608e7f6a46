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
    """The channels of a semantic map, in order: every label, "don't care", instance edges.

    Attributes:
        num_labels: number of labels in the label set.
        dont_care: there is a channel for "don't care" (255).
        edges: there is a channel of instance edges.
        positions: the generator also takes a positional encoding, as a separate tensor.
    """

    num_labels: int
    dont_care: bool = True
    edges: bool = False
    positions: bool = False

    @classmethod
    def of(cls, config: Config, num_labels: int) -> SemanticLayout:
        """The layout of a configuration for a label set of ``num_labels`` labels."""
        return cls(
            num_labels,
            dont_care=config.data.dont_care,
            edges=config.data.instance_edges,
            positions=config.knows_positions,
        )

    @property
    def classes(self) -> int:
        """Number of channels of the one-hot label map: labels and "don't care"."""
        return self.num_labels + int(self.dont_care)

    @property
    def channels(self) -> int:
        """K, the number of channels of the semantic map."""
        return self.classes + int(self.edges)

    def encode(
        self, label_map: paddle.Tensor, instance_map: paddle.Tensor | None = None
    ) -> paddle.Tensor:
        """Encode label maps as semantic maps, float32 [N, K, H, W].

        The ids are not checked here; LabelSet.check does so when they are read.

        Args:
            label_map: int32 [N, H, W], 0..num_labels-1 or 255, which sets no channel if there is
                none for "don't care".
            instance_map: int32 [N, H, W], for the edges; None: the label map is used instead.
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
    """Mark pixels whose instance differs from that of one of the four neighbors.

    Both sides of a boundary are marked (Wang et al. 2018, pix2pixHD, section 3.3; the article's
    instance map). The border of the picture is not a boundary.

    Args:
        instance_map: int32 [N, H, W]; the label map itself if there are no instances.

    Returns:
        float32 [N, 1, H, W], 1 at boundaries and 0 elsewhere.
    """
    across = (instance_map[:, :, 1:] != instance_map[:, :, :-1]).astype("float32").unsqueeze(1)
    down = (instance_map[:, 1:, :] != instance_map[:, :-1, :]).astype("float32").unsqueeze(1)
    # each difference marks the pixel before it and the pixel after it
    left, right = F.pad(across, [0, 1, 0, 0]), F.pad(across, [1, 0, 0, 0])
    upper, lower = F.pad(down, [0, 0, 0, 1]), F.pad(down, [0, 0, 1, 0])
    return (left + right + upper + lower > 0).astype("float32")
