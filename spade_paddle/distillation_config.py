"""The distillation section of a configuration. Imports neither paddle nor our networks."""

from __future__ import annotations

from typing import Literal, Optional

from pydantic.dataclasses import dataclass

from spade_paddle.fields import STRICT, AtLeast0, AtLeast1, Weight, of


@dataclass(frozen=True, config=STRICT)
class DistillationConfig:
    """A generator that learns from larger ones (docs/compression.md); the weights are the papers'.

    By CAT (Jin et al. 2021) from one that is trained already, beside the losses that it has
    anyhow; by OMGD (Ren et al. 2021) from a wider and a deeper one that train beside it, and from
    nothing else.
    """

    method: Literal["none", "cat", "omgd"] = of("none", "what it learns from")
    teacher: Optional[str] = of(None, "cat: run folder, or model folder that can be trained")
    student_start: Literal["clipped", "scratch"] = of(
        "clipped", "with init_from wider: the channels that are left, or fresh weights"
    )
    layers: Optional[str] = of(
        None, "'head_0 up_1': whose outputs are compared; null: those of the method"
    )
    alignment: Weight = of(0.5, "cat: kernel alignment of these outputs")
    feature_mse: Weight = of(0.0, "cat: their squared distance through 1x1 adapters; try 10")
    wider: AtLeast1 = of(4, "omgd: width of the wider teacher, in widths of the student")
    deeper: AtLeast1 = of(1, "omgd: so many more blocks after each one of the deeper teacher")
    teachers_every: AtLeast1 = of(3, "omgd: the teachers learn in each so many steps once")
    shared_stages: AtLeast0 = of(0, "omgd: first stages that the teachers' discriminators share")
    ssim: Weight = of(10.0, "omgd: one minus structural similarity of the pictures")
    gram: Weight = of(1.0e4, "omgd: distance of the features' Gram matrices")
    feature: Weight = of(10.0, "omgd: distance of the second features")
    tv: Weight = of(2.0, "omgd: total variation, a mean; 2 is 1e-5 of the sum at 256 x 256")
    channels: Weight = of(50.0, "omgd: squared distance of the layers' channel means")

    @property
    def compared(self) -> tuple[str, ...]:
        """The blocks whose outputs are compared."""
        if self.layers is not None:
            return tuple(self.layers.split())
        cat = ("head_0", "G_middle_1", "up_1")
        return cat if self.method == "cat" else (*cat, "up_3")
