"""Channel groups of a generator: channels that can only be kept or pruned together.

A group is named after the source of its channels: ``coarse`` (output of fc, and of every block
coupled to it by an identity shortcut), ``up_1`` (output of a block), ``head_0.middle`` and
``head_0.norm_0`` (inside a plain block, and inside its SPADE), ``head_0.plain_3`` and
``head_0.norm.plain_3`` (a branch of a block of six branches, and of its SPADE).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spade_paddle.config import Config, GeneratorConfig
from spade_paddle.layers.inception import BRANCHES
from spade_paddle.networks.widths import (
    COARSE,
    BlockWidths,
    GeneratorWidths,
    InceptionWidths,
    block_names,
)

Sizes = dict[str, int]
"""The number of channels of each group."""


@dataclass(frozen=True)
class BlockGroups:
    """The groups of one block.

    Attributes:
        name: name of the block.
        into: group of its input.
        out: group of its output; equal to ``into`` if the shortcut is the identity.
        own: groups between its convolutions: one, or one per branch.
        hidden: groups inside its SPADE; CLADE has none.
    """

    name: str
    into: str
    out: str
    own: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def learned_shortcut(self) -> bool:
        """Whether its shortcut has a convolution and a norm."""
        return self.into != self.out


def widths_of(config: Config) -> GeneratorWidths:
    """Return the widths of the generator of a configuration."""
    return GeneratorWidths.of_options(config.generator, has_style=config.encoder.style_dim > 0)


def block_groups(options: GeneratorConfig, widths: GeneratorWidths) -> list[BlockGroups]:
    """Return the groups of every block, in the order of the forward pass."""
    found = []
    into, in_channels = COARSE, widths.coarse
    for name, block in zip(block_names(options), widths.blocks):
        out = into if block.out == in_channels else name
        own, hidden = _inside(options, name, shortcut=out != into)
        found.append(BlockGroups(name, into, out, own, hidden))
        into, in_channels = out, block.out
    return found


def chain(blocks: list[BlockGroups]) -> list[str]:
    """Return the output groups along the generator; a learned shortcut separates neighbors."""
    return list(dict.fromkeys([COARSE, *(block.out for block in blocks)]))


def group_sizes(options: GeneratorConfig, widths: GeneratorWidths) -> Sizes:
    """Count the channels of every group; 0: a branch that does not exist."""
    sizes = {COARSE: widths.coarse}
    for groups, block in zip(block_groups(options, widths), widths.blocks):
        sizes[groups.out] = block.out
        first, hidden = block.inside.values()
        sizes.update(zip(groups.own, first if options.block == "inception" else [first]))
        sizes.update(zip(groups.hidden, hidden))
    return sizes


def resized(
    options: GeneratorConfig, widths: GeneratorWidths, sizes: Mapping[str, int]
) -> GeneratorWidths:
    """Return the widths with the groups changed to these sizes.

    Entries of ``widths`` for a SPADE that does not exist, as in an identity shortcut, are kept.
    """
    blocks = []
    for groups, block in zip(block_groups(options, widths), widths.blocks):
        out = int(sizes[groups.out])
        own = tuple(int(sizes[group]) for group in groups.own)
        hidden = tuple(int(sizes[group]) for group in groups.hidden)
        hidden += block.hidden[len(hidden) :]
        if options.block == "inception":
            blocks.append(InceptionWidths(out, own, hidden))
        else:
            blocks.append(BlockWidths(out, own[0], hidden))
    return GeneratorWidths(int(sizes[COARSE]), tuple(blocks))


def _inside(
    options: GeneratorConfig, block: str, *, shortcut: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the groups between the convolutions of a block, and those inside its SPADE."""
    if options.block == "inception":
        own = tuple(f"{block}.{branch}" for branch in BRANCHES)
        hidden = tuple(f"{block}.norm.{branch}" for branch in BRANCHES)
    else:
        own = (f"{block}.middle",)
        hidden = tuple(f"{block}.norm_{part}" for part in ("01s" if shortcut else "01"))
    return own, hidden if options.norm == "spade" else ()
