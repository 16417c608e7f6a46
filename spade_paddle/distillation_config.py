"""The distillation section of a configuration. Imports neither paddle nor our networks."""

from __future__ import annotations

from typing import Literal, Optional

from pydantic.dataclasses import dataclass

from spade_paddle.fields import STRICT, AtLeast0, AtLeast1, Weight, of


@dataclass(frozen=True, config=STRICT)
class DistillationConfig:
    """Distillation of larger generators (docs/compression.md); the weights are those of the papers.

    CAT (Jin et al. 2021) adds a loss on the features of a trained teacher to the usual losses. With
    OMGD (Ren et al. 2021) the student learns only from a wider and a deeper teacher, which are
    trained at the same time.
    """

    method: Literal["none", "cat", "omgd"] = of("none", "distillation method")
    teacher: Optional[str] = of(None, "cat: run folder, or model folder that can be trained")
    student_start: Literal["clipped", "scratch"] = of(
        "clipped", "if init_from is wider: its remaining channels, or new weights"
    )
    layers: Optional[str] = of(
        None, "blocks whose outputs are compared, 'head_0 up_1'; null: those of the method"
    )
    alignment: Weight = of(0.5, "cat: kernel alignment of these outputs")
    feature_mse: Weight = of(0.0, "cat: their squared distance through 1x1 adapters; try 10")
    wider: AtLeast1 = of(4, "omgd: width of the wider teacher relative to the student")
    deeper: AtLeast1 = of(1, "omgd: additional blocks after each block of the deeper teacher")
    teachers_every: AtLeast1 = of(3, "omgd: student steps for each step of the teachers")
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
