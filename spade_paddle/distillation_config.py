"""The distillation section of a configuration. Imports neither paddle nor our networks."""

from __future__ import annotations

from typing import Literal, Optional

from pydantic.dataclasses import dataclass

from spade_paddle.fields import STRICT, AtLeast0, AtLeast1, Weight, of


@dataclass(frozen=True, config=STRICT)
class DistillationConfig:
    """Knowledge distillation (docs/compression.md); the default weights are the papers'.

    CAT (Jin et al. 2021) adds a loss to those of the run, with a trained teacher. With OMGD (Ren
    et al. 2021), the student learns only from a wider and a deeper teacher, trained beside it.
    """

    method: Literal["none", "cat", "omgd"] = of("none", "distillation method")
    teacher: Optional[str] = of(
        None, "run folder, or model folder with trained weights; omgd: the wider one"
    )
    student_start: Literal["clipped", "scratch"] = of(
        "clipped", "init_from a wider generator: its remaining channels, or new weights"
    )
    layers: Optional[str] = of(
        None, "blocks whose outputs are compared, such as 'head_0 up_1'; null: the method's"
    )
    alignment: Weight = of(0.5, "cat: weight of the kernel alignment of these outputs")
    feature_mse: Weight = of(0.0, "cat: weight of the MSE through 1x1 convolutions; try 10")
    wider: AtLeast1 = of(4, "omgd: width of the wider teacher relative to the student")
    deeper: AtLeast1 = of(1, "omgd: blocks that the deeper teacher adds after each block")
    teachers_every: AtLeast1 = of(3, "omgd: the teachers are updated every this many steps")
    shared_stages: AtLeast0 = of(0, "omgd: number of first stages shared by the discriminators")
    ssim: Weight = of(10.0, "omgd: weight of 1 - SSIM of the pictures")
    gram: Weight = of(1.0e4, "omgd: weight of the distance of Gram matrices")
    feature: Weight = of(10.0, "omgd: weight of the distance of the second features")
    tv: Weight = of(2.0, "omgd: weight of mean total variation; 2 is 1e-5 of the sum at 256 x 256")
    channels: Weight = of(50.0, "omgd: weight of the squared distance of channel means")

    @property
    def compared(self) -> tuple[str, ...]:
        """The blocks whose outputs are compared."""
        if self.layers is not None:
            return tuple(self.layers.split())
        cat = ("head_0", "G_middle_1", "up_1")
        return cat if self.method == "cat" else (*cat, "up_3")
