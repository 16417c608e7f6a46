"""The tensors of a generator: which axis of each belongs to which group, and how often it is used.

This one table is what costs are counted by (cost.py), channels are scored by (scores.py) and
weights are sliced by (slicing.py). It is made of widths alone, without a network.

Legend: C channels of a norm, D length of a style, K channels of the semantic map, L classes, m
channels inside a branch, h and w of the coarse features made of a style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from spade_paddle.compression.groups import BlockGroups, block_groups, group_sizes
from spade_paddle.config import Config, GeneratorConfig
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.networks.widths import COARSE, GeneratorWidths, block_plan

ONCE = 0
"""The stride of a linear layer, which runs once and not for every pixel."""


@dataclass(frozen=True)
class Axis:
    """One axis of a tensor.

    Attributes:
        channels: number of channels of its group; without a group, the size of the axis.
        group: the group whose channels it holds; None: the whole axis is always kept.
        per_channel: consecutive entries of one channel, such as the h * w positions of a channel
            that fc makes from a style vector.
        repeats: how often the sequence of channels occurs: 2 for gamma followed by beta.
        extra: entries after the channels that are always kept: CLADE's instance edges.
    """

    channels: int
    group: Optional[str] = None
    per_channel: int = 1
    repeats: int = 1
    extra: int = 0

    @property
    def size(self) -> int:
        """Length of the axis."""
        return self.channels * self.per_channel * self.repeats + self.extra

    def indices(self, kept: Sequence[int]) -> np.ndarray:
        """Return the indices on this axis of the kept channels, in ascending order; int64."""
        indices = np.arange(self.size)
        end = self.size - self.extra
        channels = indices[:end].reshape(self.repeats, self.channels, self.per_channel)
        chosen = channels[:, np.asarray(kept, dtype=np.int64)]
        return np.concatenate([chosen.reshape(-1), indices[end:]])


@dataclass(frozen=True)
class TensorAxes:
    """One tensor of a state dict.

    Attributes:
        axes: [out, in, k, k] for the weight of a convolution, [in, out] for a linear layer.
        stride: pixels of the picture per output pixel, horizontally and vertically, or ONCE; for
            the weights of convolutions and linear layers whose multiply-adds count. Else None.
        after: the layer that produces this convolution's input, if its weights determine the
            magnitudes of the input channels: a norm, or the preceding convolution. Else None.
    """

    axes: tuple[Axis, ...]
    stride: Optional[int] = None
    after: Optional[str] = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return tuple(axis.size for axis in self.axes)


def tensor_axes(
    config: Config, *, num_labels: int, widths: GeneratorWidths
) -> dict[str, TensorAxes]:
    """List every tensor of ``build_generator(config, spectral_norm=False)`` at these widths.

    Args:
        config: the kind of generator; its own widths are ignored.
        num_labels: number of labels in the label set.
        widths: widths of all blocks.

    Returns:
        the axes of each tensor by its name in the state dict.
    """
    options = config.generator
    table = _Table(
        options=options,
        layout=SemanticLayout.of(config, num_labels),
        sizes=group_sizes(options, widths),
    )
    stride = options.multiple
    coarse = table.channels(COARSE)
    if config.encoder.style_dim:
        height, width = config.latent_size
        features = replace(coarse, per_channel=height * width)
        weight = TensorAxes((Axis(config.encoder.style_dim), features), ONCE)
        table.tensors.update({"fc.weight": weight, "fc.bias": TensorAxes((features,))})
    else:
        table.convolution("fc", coarse, Axis(table.layout.channels), 3, stride=stride)
    if options.block == "inception":
        table.batch_norm("fc_norm", coarse)
    plan = block_plan(
        options.upsampling, fine_blocks=options.fine_blocks, extra_blocks=options.extra_blocks
    )
    add_block = table.inception_block if options.block == "inception" else table.plain_block
    blocks = block_groups(options, widths)
    for groups, (_, doubles) in zip(blocks, plan):
        stride //= 2 if doubles else 1
        add_block(groups, stride)
    table.convolution("conv_img", Axis(3), table.channels(blocks[-1].out), 3, stride=stride)
    if config.fade_in_images:
        # None: not computed once the last block has faded in, so it does not count
        before = table.channels(blocks[-1].into)
        table.convolution("conv_img_before", Axis(3), before, 3, stride=None)
    return table.tensors


@dataclass(frozen=True)
class _Table:
    """The table under construction; each method adds the tensors of one layer."""

    options: GeneratorConfig
    layout: SemanticLayout
    sizes: dict[str, int]
    tensors: dict[str, TensorAxes] = field(default_factory=dict)

    def channels(self, group: str) -> Axis:
        return Axis(self.sizes[group], group)

    def convolution(
        self,
        name: str,
        out: Axis,
        into: Axis,
        kernel: int,
        *,
        stride: int | None,
        bias: bool = True,
        after: str | None = None,
    ) -> None:
        axes = (out, into, Axis(kernel), Axis(kernel))
        self.tensors[f"{name}.weight"] = TensorAxes(axes, stride, after)
        if bias:
            self.tensors[f"{name}.bias"] = TensorAxes((out,))

    def statistics(self, name: str, channels: Axis) -> None:
        for part in ("_mean", "_variance"):
            self.tensors[f"{name}.{part}"] = TensorAxes((channels,))

    def param_free_norm(self, name: str, channels: Axis) -> None:
        if self.options.param_free_norm != "instance":  # instance norm has no buffers
            self.statistics(name, channels)

    def batch_norm(self, name: str, channels: Axis) -> None:
        for part in ("weight", "bias"):
            self.tensors[f"{name}.{part}"] = TensorAxes((channels,))
        self.statistics(name, channels)

    def plain_block(self, groups: BlockGroups, stride: int) -> None:
        name, into, out = groups.name, self.channels(groups.into), self.channels(groups.out)
        middle = self.channels(groups.own[0])
        self.noise(name, into)
        # CLADE has no hidden channels
        hidden = [self.channels(group) for group in groups.hidden] or [Axis(0)] * 3
        layers = [("0", into, middle, 3), ("1", middle, out, 3)]
        if groups.learned_shortcut:
            layers.append(("s", into, out, 1))
        for (part, before, behind, kernel), inside in zip(layers, hidden):
            norm = f"{name}.norm_{part}"
            if self.options.norm == "spade":
                self.spade(norm, before, inside, stride)
            else:
                before = self.clade(norm, before, stride)
            self.convolution(
                *(f"{name}.conv_{part}", behind, before, kernel),
                stride=stride,
                bias=part != "s",
                after=norm,
            )

    def inception_block(self, groups: BlockGroups, stride: int) -> None:
        name, into, out = groups.name, self.channels(groups.into), self.channels(groups.out)
        self.noise(name, into)
        norm = f"{name}.norm"
        if any(self.sizes[group] for group in groups.own):
            before = into
            if self.options.norm == "spade":
                self.param_free_norm(f"{norm}.param_free_norm", into)
                both = replace(into, repeats=2)  # gamma, then beta
                label_map = Axis(self.layout.channels)
                self.branches(norm, groups.hidden, both, label_map, stride, affine=True)
            else:
                before = self.clade(norm, into, stride)
            self.branches(name, groups.own, out, before, stride, after=norm)
        if groups.learned_shortcut:
            self.batch_norm(f"{name}.norm_s", into)
            self.convolution(
                *(f"{name}.conv_s", out, into, 1),
                stride=stride,
                bias=False,
                after=f"{name}.norm_s",
            )

    def noise(self, name: str, into: Axis) -> None:
        if self.options.noise:
            self.tensors[f"{name}.noise_strength"] = TensorAxes((into, Axis(1), Axis(1)))

    def branches(
        self,
        prefix: str,
        groups: tuple[str, ...],
        out: Axis,
        into: Axis,
        stride: int,
        *,
        affine: bool = False,
        after: str | None = None,
    ) -> None:
        """Add the branches that exist. ``affine``: whether the second norm of a depthwise branch
        has scale and shift."""
        for group in groups:
            inside = self.channels(group)
            if not inside.channels:
                continue
            branch = group.rpartition(".")[2]
            kind, _, kernel = branch.partition("_")
            outer = int(kernel) if kind == "plain" else 1
            name = f"{prefix}.branches.{branch}"
            self.convolution(f"{name}.conv_0", inside, into, outer, stride=stride, after=after)
            self.batch_norm(f"{name}.norm_0", inside)
            if kind == "depthwise":
                self.convolution(f"{name}.depthwise", inside, Axis(1), int(kernel), stride=stride)
                (self.batch_norm if affine else self.param_free_norm)(f"{name}.norm_1", inside)
            self.convolution(f"{name}.conv_1", out, inside, outer, stride=stride)

    def spade(self, name: str, channels: Axis, hidden: Axis, stride: int) -> None:
        kernel = self.options.kernel_size
        label_map = Axis(self.layout.channels)
        self.param_free_norm(f"{name}.param_free_norm", channels)
        shared = f"{name}.mlp_shared.0"
        self.convolution(shared, hidden, label_map, kernel, stride=stride)
        for part in ("mlp_gamma", "mlp_beta"):
            self.convolution(
                f"{name}.{part}", channels, hidden, kernel, stride=stride, after=shared
            )

    def clade(self, name: str, channels: Axis, stride: int) -> Axis:
        """Add CLADE's tensors; return the input axis of the next convolution, which has one more
        channel if the semantic map has instance edges."""
        self.param_free_norm(f"{name}.param_free_norm", channels)
        for part in ("weight", "bias"):
            self.tensors[f"{name}.{part}"] = TensorAxes((Axis(self.layout.classes), channels))
        if self.layout.edges:
            # None: computed as a product, not as a convolution (layers/clade.py)
            self.convolution(f"{name}.edge_conv", Axis(1), Axis(1), 1, stride=None)
        if self.layout.positions:
            for part in ("position_weight", "position_bias"):
                self.convolution(f"{name}.{part}", Axis(1), Axis(2), 1, stride=stride)
        return replace(channels, extra=int(self.layout.edges))
