"""Inception blocks of six branches, which compression can prune (CAT, Jin et al., CVPR 2021).

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
    """One branch of an inception block.

    plain: ``conv_1(act(norm_0(conv_0(x))))``, both convolutions k x k, m channels between them.
    depthwise: ``conv_1(act(norm_1(depthwise(act(norm_0(conv_0(x)))))))``, a k x k depthwise
    convolution between two 1x1 convolutions. The scale of ``norm_0`` is the importance score of a
    channel (compression/scores.py).

    Args:
        name: one of BRANCHES.
        fin: C.
        fout: output channels.
        middle: m, above 0.
        activation: after each norm.
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
        """[N, C, H, W] -> [N, fout, H, W]."""
        x = self.activation(self.norm_0(self.conv_0(x)))
        if self.depthwise is not None:
            x = self.activation(self.norm_1(self.depthwise(x)))
        return self.conv_1(x)


class Branches(nn.Layer):
    """Sum of up to six branches, the sub-layers ``plain_1`` ... ``depthwise_5``.

    Args:
        fin: C.
        fout: output channels.
        widths: m of each branch, in the order of BRANCHES; 0: the branch is left out.
        options: further arguments of Branch.

    Attributes:
        present: names of the branches that are not left out.
    """

    def __init__(self, fin: int, fout: int, *, widths: Sequence[int], **options: object) -> None:
        super().__init__()
        self.present = [name for name, middle in zip(BRANCHES, widths) if middle]
        for name, middle in zip(BRANCHES, widths):
            if middle:
                self.add_sublayer(name, Branch(name, fin, fout, middle=middle, **options))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, fout, H, W]; at least one branch must be present."""
        first, *others = (getattr(self, name)(x) for name in self.present)
        return sum(others, first)


class InceptionSPADE(nn.Layer):
    """SPADE whose gamma and beta are a sum of branches over the semantic map.

    ``out = param_free_norm(x) * (1 + gamma) + beta``; without branches ``param_free_norm(x)``.

    Args:
        norm_nc: C.
        label_nc: K.
        widths: m of each branch, as in Branches.
        make_param_free_norm: builds the norm that is modulated, for C channels.
        make_norm: builds the affine norms in the branches.
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
    """Residual block of the generator with six branches instead of two convolutions.

    ``out = x_s + sum of branches(act(norm(x)))``. The shortcut x_s is x itself if fin equals fout,
    else ``conv_s(norm_s(x))`` with a batch norm and a 1x1 convolution without bias. Without
    branches the block consists of its shortcut.

    Args:
        fin: input channels.
        fout: output channels.
        branches: m of each branch, as in Branches.
        hidden: m of each branch in ``norm``, if that is InceptionSPADE.
        make_modulated_norm: builds ``norm``, from its channels and ``hidden``.
        make_norm: builds affine norms.
        make_param_free_norm: builds the second norms of depthwise branches.
        activation: after ``norm`` and in the branches; None: GELU. The public CAT trains its
            teacher with LeakyReLU and distills with ReLU; here both have the same.
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
        """Initialize the branches and the noise strength so that both add nothing."""
        for name in self.branches.present:
            set_to_zero(*getattr(self.branches, name).conv_1.parameters())
        if hasattr(self, "noise_strength"):
            set_to_zero(self.noise_strength)
