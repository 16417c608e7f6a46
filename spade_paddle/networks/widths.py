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
    """Channels of one residual block; its input channels are ``out`` of the block before.

    Attributes:
        out: output channels.
        middle: channels between its two convolutions.
        hidden: hidden channels of norm_0, norm_1 and norm_s, for SPADE only.
    """

    out: int
    middle: int
    hidden: tuple[int, ...] = HIDDEN

    @property
    def inside(self) -> dict[str, Any]:
        """Keyword arguments of the block, besides its input and output channels."""
        return {"middle": self.middle, "hidden": self.hidden}

    def widened(self, factor: int) -> BlockWidths:
        """Multiply the channels by ``factor``, except those inside SPADE."""
        return BlockWidths(self.out * factor, self.middle * factor, self.hidden)


@dataclass(frozen=True)
class InceptionWidths:
    """Channels of one inception block (layers/inception.py).

    Attributes:
        out: output channels.
        branches: channels inside each branch; 0: the branch is left out.
        hidden: channels inside each branch of its norm, for InceptionSPADE only.
    """

    out: int
    branches: tuple[int, ...]
    hidden: tuple[int, ...]

    @property
    def inside(self) -> dict[str, Any]:
        """Keyword arguments of the block, besides its input and output channels."""
        return {"branches": self.branches, "hidden": self.hidden}

    def widened(self, factor: int) -> InceptionWidths:
        """Multiply the channels by ``factor``, except those inside SPADE."""
        branches = tuple(branch * factor for branch in self.branches)
        return InceptionWidths(self.out * factor, branches, self.hidden)


AnyBlockWidths = Union[BlockWidths, InceptionWidths]


@dataclass(frozen=True)
class GeneratorWidths:
    """Channels of a generator.

    Attributes:
        coarse: channels of the coarse features, the input of head_0.
        blocks: channels of every block.
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
        """The widths of the article: 16 * ngf in the coarse blocks, halved from up_0 on to ngf.

        Args:
            ngf: the article's nf.
            upsampling: with ``most`` there is an up_4.
            fine_blocks: number of fine blocks, each half as wide as the block before.
            extra_blocks: number of additional blocks of the same width after every block.
            max_width: upper limit (None, as in the article: no limit). The blocks of width 16 * ngf
                have most of the generator's parameters, but hardly any of its multiply-adds.
            latent_channels: channels of the coarse features computed from a style; None: as many
                as head_0 has.
            hidden: hidden channels of every SPADE.
            inception: inception blocks, each branch with a sixth of the channels (Jin et al. 2021).
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
        """The widths of a configuration.

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
        """Multiply the channels by ``factor``, except those in SPADE, which ngf does not change."""
        blocks = [block.widened(factor) for block in self.blocks]
        return GeneratorWidths(self.coarse * factor, tuple(blocks))

    def deepened(self, count: int, *, every: int) -> GeneratorWidths:
        """Add ``count`` blocks of the same width after each group of ``every`` blocks."""
        blocks = list(self.blocks)
        for place in range(len(blocks), 0, -every):
            block = blocks[place - 1]
            make = _inception if isinstance(block, InceptionWidths) else _plain
            more = dataclasses.replace(make(block.out, block.out, 1), hidden=block.hidden)
            blocks[place:place] = [more] * count
        return GeneratorWidths(self.coarse, tuple(blocks))

    @classmethod
    def from_lists(cls, options: GeneratorConfig) -> GeneratorWidths:
        """The widths given as ``generator.widths``, which must not be None.

        Raises:
            ConfigError: they do not fit the other fields.
        """
        names, widths = [COARSE, *block_names(options)], options.widths or {}
        if list(widths) != names:
            raise _mismatch(f"expected the entries {', '.join(names)}", list(widths))
        inner = _inner(options)
        lists = {name: tuple(values) for name, values in widths.items()}
        for name, values in lists.items():
            count = 1 if name == COARSE else 1 + sum(inner)
            if len(values) != count or not values[0]:
                raise _mismatch(f"expected {count} numbers, the first above 0, for {name}", values)
            if options.block == "plain" and not all(values):
                raise _mismatch(f"expected numbers above 0 for {name}", values)
        (coarse,) = lists.pop(COARSE)
        return cls(coarse, tuple(_from_list(values, inner, options) for values in lists.values()))

    def to_lists(self, options: GeneratorConfig) -> Widths:
        """Convert to ``generator.widths`` of a configuration that is otherwise like ``options``."""
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
    """Names of the blocks in the order of computation, each with whether the features are upsampled
    before it."""
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
    """Names of the blocks of a configuration's generator, in the order of computation."""
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
    """How many numbers a block has in ``generator.widths`` besides ``out``: own, and in SPADE."""
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


def _mismatch(expected: str, got: object) -> ConfigError:
    return ConfigError(
        f"generator.widths: {expected}, got {got}; use it as tools/compress.py wrote it, with the "
        "same upsampling, fine_blocks, extra_blocks, block and norm",
        code="config_value",
    )
