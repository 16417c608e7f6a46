"""Channel groups of a generator: what can only be kept or dropped together.

A group is named after where its channels come from: ``coarse`` (out of fc, and of every block that
is tied to it), ``up_1`` (out of a block), ``head_0.middle`` and ``head_0.norm_0`` (inside a plain
block, and inside its SPADE), ``head_0.plain_3`` and ``head_0.norm.plain_3`` (a branch of a block of
six branches, and of its SPADE).
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
"""How many channels each group has."""


@dataclass(frozen=True)
class BlockGroups:
    """The groups of one block.

    Attributes:
        name: of the block.
        into: of what comes in.
        out: of what goes out: ``into`` itself where the shortcut is the identity.
        own: between its convolutions: one, or one for each branch.
        hidden: inside its SPADE; CLADE has none.
    """

    name: str
    into: str
    out: str
    own: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def learned_shortcut(self) -> bool:
        """It has convolution and norm for its shortcut."""
        return self.into != self.out


def widths_of(config: Config) -> GeneratorWidths:
    """The widths of the generator of a configuration."""
    return GeneratorWidths.of_options(config.generator, has_style=config.encoder.style_dim > 0)


def block_groups(options: GeneratorConfig, widths: GeneratorWidths) -> list[BlockGroups]:
    """Of every block, in the order in which they run."""
    found = []
    into, came = COARSE, widths.coarse
    for name, block in zip(block_names(options), widths.blocks):
        out = into if block.out == came else name
        own, hidden = _inside(options, name, shortcut=out != into)
        found.append(BlockGroups(name, into, out, own, hidden))
        into, came = out, block.out
    return found


def chain(blocks: list[BlockGroups]) -> list[str]:
    """The groups along the generator: between two neighbors there is a learned shortcut."""
    return list(dict.fromkeys([COARSE, *(block.out for block in blocks)]))


def group_sizes(options: GeneratorConfig, widths: GeneratorWidths) -> Sizes:
    """Channels of every group; 0: a branch that is not there."""
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
    """The same widths with other sizes of the groups.

    What ``widths`` holds for SPADE that is not there, as in an identity shortcut, is left alone.
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
    """Groups between the convolutions of a block, and inside its SPADE."""
    if options.block == "inception":
        own = tuple(f"{block}.{branch}" for branch in BRANCHES)
        hidden = tuple(f"{block}.norm.{branch}" for branch in BRANCHES)
    else:
        own = (f"{block}.middle",)
        hidden = tuple(f"{block}.norm_{part}" for part in ("01s" if shortcut else "01"))
    return own, hidden if options.norm == "spade" else ()
