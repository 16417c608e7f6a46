"""The coarse-to-fine generator (the article, section 2).

Legend: N batch, K channels of the semantic map, H height, W width of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Callable

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import UPSAMPLINGS
from spade_paddle.errors import ConfigError, LabelMapError
from spade_paddle.layers.activation import Activation
from spade_paddle.layers.doubling import upsample_bilinear, upsample_nearest
from spade_paddle.layers.norm import MakeNorm
from spade_paddle.networks.widths import GeneratorWidths, block_plan

MakeBlock = Callable[..., nn.Layer]
"""Builds a block: (fin, fout) and the keyword arguments in ``inside`` of its widths -> layer."""


class SPADEGenerator(nn.Layer):
    """Coarse-to-fine generator: modulated residual blocks with upsampling between them.

    head_0 and G_middle_0/1 process the coarse features; up_0...up_3 (and up_4 with ``most``) halve
    the width. Between blocks, features are upsampled by 2 with nearest neighbor. The picture is
    ``tanh(conv_img(act(x)))``.

    ``fine_blocks`` adds upsamplings at the end, each followed by a block up_fine_0, up_fine_1 of
    half the width of the one before. (The article's ``more`` and ``most`` upsample in the middle
    instead.) So training can be continued from a generator of half the size while each block keeps
    the scale it was trained at. ``extra_blocks`` adds blocks of the same width after each block,
    without upsampling: up_0_extra_0 (the deeper teacher of OMGD, Ren et al. 2021). They get the
    noise map of that block.

    The coarse features are computed from the semantic map, downsampled to H / 2^n by nearest
    neighbor, with n = 5, 6, 7 for normal, more, most, plus one for each fine block. With
    ``style_dim`` a linear layer computes them from the style vector z alone (the article's
    ``use_vae``), at the training size ``latent_size``.

    A generator whose training continues from one without the last block (up_4 or a fine block) can
    fade that block in (Karras et al. 2018, section 2). With ``fade`` below 1 the picture is
    ``fade * tanh(conv_img(act(last(up(x))))) + (1 - fade) * up(tanh(conv_img_before(act(x))))``,
    where x is the output of the block before. At 0 it is the upsampled picture of the coarser
    generator; at 1 the second term is not computed. Unlike in the paper, the discriminator and the
    real photos do not fade.

    H and W may be any multiples of ``multiple``, whatever the training size (which is fixed by
    ``crop_size`` in the article); features computed from a style are resized bilinearly.

    Args:
        semantic_nc: K.
        widths: channels of every block, such as GeneratorWidths.of(ngf).
        make_block: builds a residual block.
        activation: before ``conv_img``.
        upsampling: ``normal``, ``more`` or ``most``.
        fine_blocks: 0 or more.
        extra_blocks: 0 or more.
        coarse_norm: builds a norm of the coarse features (the fc_norm of CAT); None: no norm.
        noise: every block adds its own noise map to its input (not in the article).
        style_dim: length of the style vector; 0: no style. The features computed from it have
            ``widths.coarse`` channels: 16 * ngf in the public SPADE, 16 * nef in the article's
            listing, where nef is the width of the encoder.
        latent_size: height and width of the coarse features in training; for ``style_dim`` only.
        fades_in: create ``conv_img_before``, so that the attribute ``fade`` (0..1) can be set; for
            ``most`` or fine blocks only.
        smooth_doublings: number of upsamplings, from the coarsest on, that are bilinear; the others
            are nearest neighbor as in the article, whose blocks at 4x4 and 8x8 pixels are as large
            as mountains and visible as bands in the picture.

    Raises:
        ConfigError: unknown ``upsampling``, or ``fades_in`` without a block that can fade in.
        ValueError: ``widths`` has another number of blocks.
    """

    def __init__(
        self,
        *,
        semantic_nc: int,
        widths: GeneratorWidths,
        make_block: MakeBlock,
        activation: Activation,
        upsampling: str = "normal",
        fine_blocks: int = 0,
        extra_blocks: int = 0,
        coarse_norm: MakeNorm | None = None,
        noise: bool = False,
        style_dim: int = 0,
        latent_size: tuple[int, int] = (8, 8),
        fades_in: bool = False,
        smooth_doublings: int = 0,
    ) -> None:
        super().__init__()
        self.semantic_nc = semantic_nc
        self.smooth_doublings = smooth_doublings
        _check_upsampling(upsampling, fine_blocks=fine_blocks, fades_in=fades_in)
        self.upsampling = upsampling
        self.fine_blocks = fine_blocks
        self.extra_blocks = extra_blocks
        self._plan = block_plan(upsampling, fine_blocks=fine_blocks, extra_blocks=extra_blocks)
        self.multiple = 2 ** (UPSAMPLINGS[upsampling] + fine_blocks)
        self.activation = activation
        self.noise_strides = self._strides() if noise else []
        self.style_dim = style_dim
        self.latent_size = latent_size

        self.latent_channels = widths.coarse
        self.fc: nn.Layer
        if style_dim:
            self.fc = nn.Linear(style_dim, widths.coarse * latent_size[0] * latent_size[1])
        else:
            self.fc = nn.Conv2D(semantic_nc, widths.coarse, 3, 1, 1)
        self.fc_norm = None if coarse_norm is None else coarse_norm(widths.coarse)
        names = [name for name, _ in self._plan]
        if len(names) != len(widths.blocks):
            raise ValueError(f"widths: expected {len(names)} blocks, got {len(widths.blocks)}")
        self.block_channels = {name: block.out for name, block in zip(names, widths.blocks)}
        into = widths.coarse
        for name, block in zip(names, widths.blocks):
            self.add_sublayer(name, make_block(into, block.out, **block.inside))
            before, into = into, block.out
        self.conv_img = nn.Conv2D(into, 3, 3, 1, 1)
        if fades_in:
            self.conv_img_before = nn.Conv2D(before, 3, 3, 1, 1)
        self.fade = 1.0

    def forward(
        self,
        segmap: paddle.Tensor,
        noise: paddle.Tensor | list[paddle.Tensor] | tuple[paddle.Tensor, ...] | None = None,
        *,
        style: paddle.Tensor | None = None,
        positions: paddle.Tensor | None = None,
    ) -> paddle.Tensor:
        """Semantic map [N, K, H, W] -> picture [N, 3, H, W] in -1..1.

        Args:
            segmap: the semantic map; H and W are multiples of ``multiple``.
            noise: standard normal [N, noise_channels, H, W], subsampled for coarser blocks; or one
                map for each block at its own size, [N, 1, H / s, W / s] with s in
                ``noise_strides``. None for a generator without noise.
            style: z, [N, style_dim]; None for a generator without style.
            positions: positional encoding [N, 2, H, W] for CLADE-ICPE; else None.

        Raises:
            LabelMapError: H or W is not a multiple of ``multiple``, or K differs.
        """
        self._check(segmap)
        stride = self.multiple
        coarser_picture = None
        x = self._coarse_features(segmap, style)  # [N, 16 ngf, H / 2^n, W / 2^n]
        if positions is not None:
            segmap = paddle.concat([segmap, positions], axis=1)
        plan = self._plan
        for index, (name, doubles_first) in enumerate(plan):
            if self.fade < 1 and index == len(plan) - 1:
                coarser_picture = upsample_nearest(F.tanh(self.conv_img_before(self.activation(x))))
            if doubles_first:
                smooth = self.multiple // stride < 2**self.smooth_doublings
                x = upsample_bilinear(x) if smooth else upsample_nearest(x)
                stride //= 2
            block_noise = None
            if self.noise_channels:
                place = index // (1 + self.extra_blocks)
                block_noise = (
                    noise[place]
                    if isinstance(noise, (list, tuple))
                    else _subsample(noise[:, place : place + 1], stride)  # type: ignore[index]
                )
            x = getattr(self, name)(x, _subsample(segmap, stride), block_noise)
        picture = F.tanh(self.conv_img(self.activation(x)))
        if coarser_picture is None:
            return picture
        return self.fade * picture + (1 - self.fade) * coarser_picture

    def _check(self, segmap: paddle.Tensor) -> None:
        if segmap.shape[1] != self.semantic_nc:
            raise LabelMapError(
                f"a semantic map of {segmap.shape[1]} channels cannot be painted: this generator "
                f"takes {self.semantic_nc}, which are labels, don't care and edges; encode label "
                "maps with its SemanticLayout",
                code="semantic_channels",
            )
        if not paddle.in_dynamic_mode():  # during export sizes are unknown
            return
        height, width = segmap.shape[2:]
        if height % self.multiple or width % self.multiple:
            fine = f" and {self.fine_blocks} fine_blocks" if self.fine_blocks else ""
            raise LabelMapError(
                f"a map of {width} x {height} pixels cannot be painted: with "
                f"'{self.upsampling}' upsampling{fine} width and height must be multiples of "
                f"{self.multiple}; pad or resize it",
                code="label_map_not_multiple",
                multiple=self.multiple,
            )

    def _coarse_features(self, segmap: paddle.Tensor, style: paddle.Tensor | None) -> paddle.Tensor:
        if not self.style_dim:
            x = self.fc(segmap[:, :, :: self.multiple, :: self.multiple])
        else:
            x = self.fc(style).reshape([-1, self.latent_channels, *self.latent_size])
            # at the training size this is exactly the identity
            size = [segmap.shape[2] // self.multiple, segmap.shape[3] // self.multiple]
            x = F.interpolate(x, size=size, mode="bilinear")
        return x if self.fc_norm is None else self.fc_norm(x)

    @property
    def noise_channels(self) -> int:
        """Number of noise maps, one for each block except extra ones; 0 without noise."""
        return len(self.noise_strides)

    def scale_noise(self, factors: Sequence[float]) -> None:
        """Multiply the learned strengths of the noise, for more or less varied pictures.

        Args:
            factors: one for each noise map, from the coarsest block on; missing ones are 1.

        Raises:
            ConfigError: there are more factors than noise maps, or one is negative or not finite.
        """
        if len(factors) > self.noise_channels or not all(0 <= each < math.inf for each in factors):
            raise ConfigError(
                f"factors of the noise: expected at most {self.noise_channels} numbers of at least "
                f"0, one for each noise map of this generator, got {list(factors)}",
                code="noise_factors",
            )
        for index, name in enumerate(self.block_channels):
            place = index // (1 + self.extra_blocks)
            if place < len(factors):
                strength = getattr(self, name).noise_strength
                strength.set_value(strength * factors[place])

    def _strides(self) -> list[int]:
        """For each block except extra ones, the side of its pixels in pixels of the picture."""
        strides, stride = [], self.multiple
        for _, doubles_first in self._plan[:: 1 + self.extra_blocks]:
            stride //= 2 if doubles_first else 1
            strides.append(stride)
        return strides


def _subsample(values: paddle.Tensor, stride: int) -> paddle.Tensor:
    """Take every stride-th pixel, which is exactly nearest-neighbor downsampling by that factor."""
    values = values[:, :, ::stride, ::stride]
    # several operators read it, and each would gather the pixels again
    return values.contiguous() if paddle.in_dynamic_mode() else values


def _check_upsampling(upsampling: str, *, fine_blocks: int, fades_in: bool) -> None:
    if upsampling not in UPSAMPLINGS:
        raise ConfigError(
            f"generator.upsampling: expected one of {', '.join(UPSAMPLINGS)}, got {upsampling!r}",
            code="config_value",
        )
    if fades_in and upsampling != "most" and not fine_blocks:
        raise ConfigError(
            "generator.upsampling: only the last block of 'most' or of fine_blocks can fade in, "
            f"got {upsampling!r} without fine_blocks; set fade_in_images to 0",
            code="config_value",
        )
