"""Every channel count of a generator, as values: from a configuration, or from what a pruning left.

Legend: the blocks are in the order in which they run, head_0 first.
"""

from __future__ import annotations

from dataclasses import dataclass

from spade_paddle.layers.blocks import HIDDEN


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
    hidden: tuple[int, int, int] = HIDDEN


@dataclass(frozen=True)
class GeneratorWidths:
    """Channels of a generator.

    Attributes:
        coarse: of the coarse features, which go into head_0.
        blocks: of every block.
    """

    coarse: int
    blocks: tuple[BlockWidths, ...]

    @classmethod
    def of(
        cls,
        ngf: int,
        *,
        upsampling: str = "normal",
        fine_blocks: int = 0,
        max_width: int | None = None,
        latent_channels: int | None = None,
        hidden: int = HIDDEN[0],
    ) -> GeneratorWidths:
        """Those of the article: 16 * ngf in the coarse blocks, halved from up_0 on down to ngf.

        Args:
            ngf: the article's nf.
            upsampling: with ``most`` there is an up_4.
            fine_blocks: so many more blocks, each half as wide as the one before.
            max_width: no block is wider (the article has no such limit). Most parameters of the
                generator sit in the 16 * ngf wide blocks, hardly any of its arithmetic.
            latent_channels: of the coarse features, where they are made of a style; None: as many
                as head_0's.
            hidden: inside every SPADE.
        """
        factors = (16, 16, 16, 8, 4, 2, 1)
        outs = [min(factor * ngf, max_width or factor * ngf) for factor in factors]
        if upsampling == "most":
            outs.append(min(max(ngf // 2, 1), outs[-1]))
        for _ in range(fine_blocks):
            outs.append(max(outs[-1] // 2, 1))
        coarse = latent_channels or outs[0]
        blocks = tuple(
            BlockWidths(out, min(before, out), (hidden,) * 3)
            for before, out in zip([coarse, *outs], outs)
        )
        return cls(coarse, blocks)
