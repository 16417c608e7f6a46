"""Every channel count of a generator, from a configuration or from pruning.

Legend: the blocks are in the order in which they run, head_0 first.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Union

from spade_paddle.config import GeneratorConfig
from spade_paddle.errors import ConfigError
from spade_paddle.layers.blocks import HIDDEN
from spade_paddle.layers.inception import BRANCHES

COARSE = "coarse"
_BRANCHES = len(BRANCHES)

Widths = dict  # generator.widths: a list of channels for each block by name


@dataclass(frozen=True)
class BlockWidths:
    """Channels of one residual block; those that come in are the ``out`` of the block before.

    Attributes:
        out: that leave it.
        middle: between its two convolutions.
        hidden: inside the SPADE of norm_0, norm_1 and norm_s; CLADE has none.
    """

    out: int
    middle: int
    hidden: tuple[int, ...] = HIDDEN

    @property
    def inside(self) -> dict[str, Any]:
        """The keywords that its block takes beside the channels in and out."""
        return {"middle": self.middle, "hidden": self.hidden}

    def widened(self, factor: int) -> BlockWidths:
        """So many times the channels, but inside SPADE."""
        return BlockWidths(self.out * factor, self.middle * factor, self.hidden)


@dataclass(frozen=True)
class InceptionWidths:
    """Channels of one block of six branches.

    Attributes:
        out: that leave it.
        branches: of each branch; 0: it is not there.
        hidden: of each branch of its SPADE; CLADE has none.
    """

    out: int
    branches: tuple[int, ...]
    hidden: tuple[int, ...]

    @property
    def inside(self) -> dict[str, Any]:
        """The keywords that its block takes beside the channels in and out."""
        return {"branches": self.branches, "hidden": self.hidden}

    def widened(self, factor: int) -> InceptionWidths:
        """So many times the channels, but inside SPADE."""
        branches = tuple(branch * factor for branch in self.branches)
        return InceptionWidths(self.out * factor, branches, self.hidden)


AnyBlockWidths = Union[BlockWidths, InceptionWidths]


@dataclass(frozen=True)
class GeneratorWidths:
    """Channels of a generator.

    Attributes:
        coarse: of the coarse features, which go into head_0.
        blocks: of every block.
    """

    coarse: int
    blocks: tuple[AnyBlockWidths, ...]

    @classmethod
    def of(
        cls,
        ngf: int,
        *,
        upsampling: str = "normal",
        fine_blocks: int = 0,
        extra_blocks: int = 0,
        max_width: int | None = None,
        latent_channels: int | None = None,
        hidden: int = HIDDEN[0],
        inception: bool = False,
    ) -> GeneratorWidths:
        """Those of the article: 16 * ngf in the coarse blocks, halved from up_0 on down to ngf.

        Args:
            ngf: the article's nf.
            upsampling: with ``most`` there is an up_4.
            fine_blocks: so many more blocks, each half as wide as the one before.
            extra_blocks: after every block so many more of its width.
            max_width: no block is wider (the article has no such limit). Most parameters of the
                generator sit in the 16 * ngf wide blocks, hardly any of its arithmetic.
            latent_channels: of the coarse features, where they are made of a style; None: as many
                as head_0's.
            hidden: inside every SPADE.
            inception: blocks of six branches, each with a sixth of the channels (Jin et al. 2021).
        """
        factors = (16, 16, 16, 8, 4, 2, 1)
        outs = [min(factor * ngf, max_width or factor * ngf) for factor in factors]
        if upsampling == "most":
            outs.append(min(max(ngf // 2, 1), outs[-1]))
        for _ in range(fine_blocks):
            outs.append(max(outs[-1] // 2, 1))
        coarse = latent_channels or outs[0]
        outs = [out for out in outs for _ in range(1 + extra_blocks)]
        make = _inception if inception else _plain
        blocks = tuple(make(fin, out, hidden) for fin, out in zip([coarse, *outs], outs))
        return cls(coarse, blocks)

    @classmethod
    def of_options(cls, options: GeneratorConfig, *, has_style: bool) -> GeneratorWidths:
        """Those of a configuration.

        Raises:
            ConfigError: ``generator.widths`` does not fit the other fields.
        """
        if options.widths is not None:
            return cls.from_lists(options)
        return cls.of(
            options.ngf,
            upsampling=options.upsampling,
            fine_blocks=options.fine_blocks,
            extra_blocks=options.extra_blocks,
            max_width=options.max_width,
            latent_channels=options.latent_channels if has_style else None,
            hidden=options.nhidden,
            inception=options.block == "inception",
        )

    def widened(self, factor: int) -> GeneratorWidths:
        """So many times the channels, but inside SPADE, whose 128 go with no ngf."""
        blocks = [block.widened(factor) for block in self.blocks]
        return GeneratorWidths(self.coarse * factor, tuple(blocks))

    def deepened(self, count: int, *, every: int) -> GeneratorWidths:
        """So many more blocks after each ``every``, of its width."""
        blocks = list(self.blocks)
        for place in range(len(blocks), 0, -every):
            block = blocks[place - 1]
            make = _inception if isinstance(block, InceptionWidths) else _plain
            more = dataclasses.replace(make(block.out, block.out, 1), hidden=block.hidden)
            blocks[place:place] = [more] * count
        return GeneratorWidths(self.coarse, tuple(blocks))

    @classmethod
    def from_lists(cls, options: GeneratorConfig) -> GeneratorWidths:
        """Those of ``generator.widths``, which the configuration has.

        Raises:
            ConfigError: it does not fit the other fields.
        """
        names, widths = [COARSE, *block_names(options)], options.widths or {}
        if list(widths) != names:
            raise _misfit(f"expected the entries {', '.join(names)}", list(widths))
        inner = _inner(options)
        lists = {name: tuple(values) for name, values in widths.items()}
        for name, values in lists.items():
            count = 1 if name == COARSE else 1 + sum(inner)
            if len(values) != count or not values[0]:
                raise _misfit(f"expected {count} numbers, the first above 0, for {name}", values)
            if options.block == "plain" and not all(values):
                raise _misfit(f"expected numbers above 0 for {name}", values)
        (coarse,) = lists.pop(COARSE)
        return cls(coarse, tuple(_from_list(values, inner, options) for values in lists.values()))

    def to_lists(self, options: GeneratorConfig) -> Widths:
        """As ``generator.widths`` of a configuration that is otherwise like this one."""
        spade = options.norm == "spade"
        rows = {COARSE: [self.coarse]}
        for name, block in zip(block_names(options), self.blocks):
            first, hidden = block.inside.values()
            row = [first] if options.block == "plain" else list(first)
            rows[name] = [block.out, *row, *(hidden if spade else ())]
        return rows


def block_plan(
    upsampling: str, *, fine_blocks: int = 0, extra_blocks: int = 0
) -> list[tuple[str, bool]]:
    """The blocks in order, each with whether the features are doubled before it."""
    plan = [
        ("head_0", False),
        ("G_middle_0", True),
        ("G_middle_1", upsampling in ("more", "most")),
        ("up_0", True),
        ("up_1", True),
        ("up_2", True),
        ("up_3", True),
    ]
    if upsampling == "most":
        plan.append(("up_4", True))
    plan += [(f"up_fine_{index}", True) for index in range(fine_blocks)]
    extra = [f"extra_{index}" for index in range(extra_blocks)]
    return [
        each
        for name, doubles in plan
        for each in [(name, doubles), *((f"{name}_{more}", False) for more in extra)]
    ]


def block_names(options: GeneratorConfig) -> list[str]:
    """Of the generator of a configuration, in the order in which they run."""
    plan = block_plan(
        options.upsampling, fine_blocks=options.fine_blocks, extra_blocks=options.extra_blocks
    )
    return [name for name, _ in plan]


def _plain(fin: int, out: int, hidden: int) -> BlockWidths:
    return BlockWidths(out, min(fin, out), (hidden,) * len(HIDDEN))


def _inception(fin: int, out: int, hidden: int) -> InceptionWidths:
    def each(channels: int) -> tuple[int, ...]:
        return (max(channels // _BRANCHES, 1),) * _BRANCHES

    return InceptionWidths(out, each(min(fin, out)), each(hidden))


def _inner(options: GeneratorConfig) -> tuple[int, int]:
    """How many numbers a block has beside ``out``: of itself, and inside SPADE."""
    spade = options.norm == "spade"
    if options.block == "inception":
        return _BRANCHES, _BRANCHES * spade
    return 1, len(HIDDEN) * spade


def _from_list(
    values: tuple[int, ...], inner: tuple[int, int], options: GeneratorConfig
) -> AnyBlockWidths:
    out, own, hidden = values[0], values[1 : 1 + inner[0]], values[1 + inner[0] :]
    if options.block == "inception":
        return InceptionWidths(out, own, hidden or _inception(out, out, options.nhidden).hidden)
    return BlockWidths(out, own[0], hidden or _plain(out, out, options.nhidden).hidden)


def _misfit(expected: str, got: object) -> ConfigError:
    return ConfigError(
        f"generator.widths: {expected}, got {got}; tools/compress.py writes it, and it goes with "
        "the upsampling, fine_blocks, extra_blocks, block and norm that it was written for",
        code="config_value",
    )
