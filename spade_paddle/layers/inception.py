"""Blocks of six branches, from which compression can choose (CAT, Jin et al., CVPR 2021).

Legend: N batch, C channels of the features, K channels of the semantic map, m channels inside a
branch, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

import paddle
from paddle import nn

from spade_paddle.layers.activation import Activation
from spade_paddle.layers.blocks import add_noise, create_noise_strength
from spade_paddle.layers.initializer import set_to_zero
from spade_paddle.layers.norm import MakeNorm
from spade_paddle.layers.simam import simam as simam_attention
from spade_paddle.layers.spade import resize_like
from spade_paddle.layers.split import split

KERNELS = (1, 3, 5)
BRANCHES = tuple(f"{kind}_{kernel}" for kind in ("plain", "depthwise") for kernel in KERNELS)
"""Names of the branches, in the order of their widths."""


class Branch(nn.Layer):
    """One branch, [N, C, H, W] -> [N, fout, H, W].

    plain: ``conv_1(act(norm_0(conv_0(x))))``, both convolutions k x k, m channels between them.
    depthwise: ``conv_1(act(norm_1(depthwise(act(norm_0(conv_0(x)))))))`` with 1x1 convolutions
    around a k x k one of every channel alone. The scale of ``norm_0`` tells what a channel is
    worth: compression/scores.py.

    Args:
        name: of BRANCHES.
        fin: C.
        middle: m, above 0.
        make_norm, make_second_norm: build norm_0 and norm_1.
    """

    def __init__(
        self,
        name: str,
        fin: int,
        fout: int,
        *,
        middle: int,
        activation: Activation,
        make_norm: MakeNorm,
        make_second_norm: MakeNorm,
    ) -> None:
        super().__init__()
        kind, _, kernel = name.partition("_")
        size = int(kernel)
        outer = size if kind == "plain" else 1
        self.activation = activation
        self.conv_0 = nn.Conv2D(fin, middle, outer, padding=outer // 2)
        self.norm_0 = make_norm(middle)
        self.depthwise = None
        if kind == "depthwise":
            self.depthwise = nn.Conv2D(middle, middle, size, padding=size // 2, groups=middle)
            self.norm_1 = make_second_norm(middle)
        self.conv_1 = nn.Conv2D(middle, fout, outer, padding=outer // 2)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """As above."""
        x = self.activation(self.norm_0(self.conv_0(x)))
        if self.depthwise is not None:
            x = self.activation(self.norm_1(self.depthwise(x)))
        return self.conv_1(x)


class Branches(nn.Layer):
    """The sum of those branches that are there, as sub-layers ``plain_1`` ... ``depthwise_5``.

    Args:
        fin: C.
        fout: channels of the sum.
        widths: m of each branch; 0: it is not there.
        others: of Branch.
    """

    def __init__(self, fin: int, fout: int, *, widths: Sequence[int], **others: object) -> None:
        super().__init__()
        self.present = [name for name, middle in zip(BRANCHES, widths) if middle]
        for name, middle in zip(BRANCHES, widths):
            if middle:
                self.add_sublayer(name, Branch(name, fin, fout, middle=middle, **others))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, fout, H, W]; at least one branch must be there."""
        first, *others = (getattr(self, name)(x) for name in self.present)
        return sum(others, first)


class InceptionSPADE(nn.Layer):
    """SPADE whose gamma and beta are the sum of branches over the label map.

    ``out = param_free_norm(x) * (1 + gamma) + beta``; without any branch ``param_free_norm(x)``.

    Args:
        norm_nc: C.
        label_nc: K.
        widths: of the branches.
        make_param_free_norm: builds what is modulated, for C channels.
        make_norm: builds the norms in the branches, which have a scale and a shift.
        activation: in the branches; None: ReLU, as in the public CAT.
    """

    def __init__(
        self,
        norm_nc: int,
        label_nc: int,
        *,
        widths: Sequence[int],
        make_param_free_norm: MakeNorm,
        make_norm: MakeNorm,
        activation: Activation | None = None,
    ) -> None:
        super().__init__()
        self.out_channels = norm_nc
        self.param_free_norm = make_param_free_norm(norm_nc)
        self.branches = Branches(
            label_nc,
            2 * norm_nc,
            widths=widths,
            activation=activation or nn.ReLU(),
            make_norm=make_norm,
            make_second_norm=make_norm,
        )

    def forward(self, x: paddle.Tensor, segmap: paddle.Tensor) -> paddle.Tensor:
        """x [N, C, H, W], segmap [N, K, any h, any w] -> [N, C, H, W]."""
        normalized = self.param_free_norm(x)
        if not self.branches.present:
            return normalized
        modulation = self.branches(resize_like(segmap, x))
        gamma, beta = split(modulation, [self.out_channels, self.out_channels], axis=1)
        return normalized * (1 + gamma) + beta


class InceptionBlock(nn.Layer):
    """A residual block of the generator with six branches in place of two convolutions.

    ``out = x_s + sum of branches(act(norm(x)))``; the shortcut is x itself when the widths agree,
    else ``conv_s(norm_s(x))`` with a plain batch norm (1x1, no bias). Without any branch the block
    is its shortcut.

    Args:
        fin: channels that come in.
        fout: channels that go out.
        branches: widths of the branches.
        hidden: those of the branches in ``norm``, if that is SPADE.
        make_modulated_norm: builds ``norm``, from its channels and ``hidden``.
        make_norm: builds norms with scale and shift.
        make_param_free_norm: builds the second norms of depthwise branches.
        activation: after ``norm`` and in the branches. The public CAT trains its teacher with
            LeakyReLU and distills with ReLU; here it is one.
        simam, noise: as in SPADEResnetBlock.
    """

    def __init__(
        self,
        fin: int,
        fout: int,
        *,
        branches: Sequence[int],
        hidden: Sequence[int],
        make_modulated_norm: Callable[[int, Sequence[int]], nn.Layer],
        make_norm: MakeNorm,
        make_param_free_norm: MakeNorm,
        activation: Activation | None = None,
        simam: bool = True,
        noise: bool = False,
    ) -> None:
        super().__init__()
        self.learned_shortcut = fin != fout
        self.activation = nn.GELU() if activation is None else activation
        self.simam = simam
        if noise:
            self.noise_strength = create_noise_strength(self, fin)
        self.norm = make_modulated_norm(fin, hidden) if any(branches) else None
        self.branches = Branches(
            self.norm.out_channels if any(branches) else fin,
            fout,
            widths=branches,
            activation=self.activation,
            make_norm=make_norm,
            make_second_norm=make_param_free_norm,
        )
        if self.learned_shortcut:
            self.norm_s = make_norm(fin)
            self.conv_s = nn.Conv2D(fin, fout, 1, bias_attr=False)

    def forward(
        self, x: paddle.Tensor, segmap: paddle.Tensor, noise: paddle.Tensor | None = None
    ) -> paddle.Tensor:
        """x [N, fin, H, W], segmap [N, K, any h, any w], noise [N, 1, H, W] -> [N, fout, H, W]."""
        if noise is not None:
            x = add_noise(x, noise, self.noise_strength)
        out = self.conv_s(self.norm_s(x)) if self.learned_shortcut else x
        if self.norm is not None:
            out = out + self.branches(self.activation(self.norm(x, segmap)))
        return simam_attention(out) if self.simam else out

    def zero_init_residual(self) -> None:
        """Let the branches add nothing, nor noise, until they have learned to."""
        for name in self.branches.present:
            set_to_zero(*getattr(self.branches, name).conv_1.parameters())
        if hasattr(self, "noise_strength"):
            set_to_zero(self.noise_strength)
