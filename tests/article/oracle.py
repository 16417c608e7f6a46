"""Runs the article's listings, line breaks restored, with what they leave out.

``listings/*.txt`` is the article's text to the letter. It names a residual block, a discriminator
of one scale, a way to build norms and the size of the coarse features without listing them; here
they are written down once more, as docs/fidelity.md tells them.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.networks.discriminator import NLayersDiscriminator

LISTINGS = Path(__file__).parent / "listings"
DOUBLINGS = {"normal": 5, "more": 6, "most": 7}


def run(*names: str, changed: tuple[str, str] | None = None, **given: Any) -> Mapping[str, Any]:
    """The names that the listings define, one after the other, given what they use.

    Args:
        changed: a piece of the text and what to put in its place, to see that it is noticed.
    """
    text = "\n".join((LISTINGS / f"{name}.txt").read_text(encoding="utf-8") for name in names)
    if changed is not None:
        assert changed[0] in text
        text = text.replace(*changed)
    scope = {"copy": copy, "np": np, "paddle": paddle, "nn": nn, "F": F, "re": re, **given}
    exec(compile(text, ",".join(names), "exec"), scope)
    return scope


def generator(opt: SimpleNamespace, *, changed: tuple[str, str] | None = None) -> nn.Layer:
    """The article's generator, with its SPADE and SimAM."""
    scope: dict[str, Any] = {}

    class SPADEResnetBlock(nn.Layer):
        def __init__(self, fin, fout, opt):
            super().__init__()
            middle = min(fin, fout)
            self.learned_shortcut = fin != fout
            for name, nc in (("norm_0", fin), ("norm_1", middle)):
                setattr(self, name, scope["SPADE"](opt.norm_G, nc, opt.semantic_nc))
            self.conv_0 = nn.Conv2D(fin, middle, 3, padding=1)
            self.conv_1 = nn.Conv2D(middle, fout, 3, padding=1)
            if self.learned_shortcut:
                self.norm_s = scope["SPADE"](opt.norm_G, fin, opt.semantic_nc)
                self.conv_s = nn.Conv2D(fin, fout, 1, bias_attr=False)

        def forward(self, x, seg):
            x_s = self.conv_s(self.norm_s(x, seg)) if self.learned_shortcut else x
            dx = self.conv_0(F.gelu(self.norm_0(x, seg)))
            dx = self.conv_1(F.gelu(self.norm_1(dx, seg)))
            return scope["simam"](x_s + dx)

    def build_norm_layer(kind):
        assert kind == "batch"
        return lambda nc: nn.BatchNorm2D(nc, weight_attr=False, bias_attr=False)

    names = ("generator", "spade", "simam")
    given = {"SPADEResnetBlock": SPADEResnetBlock, "build_norm_layer": build_norm_layer}
    scope.update(run(*names, changed=changed, **given))
    scope["SPADEGenerator"].compute_latent_vector_size = lambda _, opt: (
        opt.crop_size // 2 ** DOUBLINGS[opt.num_upsampling_layers],
        opt.crop_size // 2 ** DOUBLINGS[opt.num_upsampling_layers],
    )
    return scope["SPADEGenerator"](opt)


def discriminator(opt: SimpleNamespace, *, changed: tuple[str, str] | None = None) -> nn.Layer:
    """The article's discriminator of several scales; each is ours."""

    def one_scale(opt):
        return NLayersDiscriminator(opt.semantic_nc + 3, ndf=opt.ndf, num_layers=opt.n_layers_D)

    scope = run("discriminator", changed=changed, NLayersDiscriminator=one_scale)
    return scope["MultiscaleDiscriminator"](opt)
