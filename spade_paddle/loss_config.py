"""The losses of a training configuration."""

from __future__ import annotations

from typing import Literal, Optional

from pydantic.dataclasses import dataclass

from spade_paddle.fields import STRICT, AtLeast0, AtLeast32, Weight, of


@dataclass(frozen=True, config=STRICT)
class LossConfig:
    """The adversarial loss, which has weight 1, and the weights of the other losses."""

    gan_mode: Literal["hinge", "least_squares", "original"] = of("hinge", "adversarial loss")
    projected: Weight = of(1.0, "weight of the projected heads on each network; patch scales: 1")
    feature_matching: Weight = of(10.0, "weight of feature matching (lambda_feat)")
    perceptual: Weight = of(1.6, "weight of the perceptual loss (lambda_vgg)")
    perceptual_network: Literal["none", "vgg19", "vgg19_pools", "squeezenet"] = of(
        "none", "network of the perceptual loss; vgg19_pools: photopen's layers"
    )
    perceptual_weights: Optional[str] = of(
        None,
        "its weights file; null: download Paddle's; for vgg19, .npz files of its first blocks work",
    )
    perceptual_resize: Optional[AtLeast32] = of(224, "size of vgg19's input; null: not resized")
    perceptual_layers: Optional[str] = of(
        None, "such as 'relu1_1 relu2_1', weight 1 each; null: all"
    )
    perceptual_shift: AtLeast0 = of(
        0, "random shift of both pictures, up to this many pixels; try 7"
    )
    kl: Weight = of(0.05, "weight of the KL loss (lambda_kld), with a style")
    color: Weight = of(0.0, "weight of the color loss: mean color of each label; ours")
    color_balance: Weight = of(
        0.0, "weight of the color balance: the same over the last pictures, with less noise; ours"
    )
    chroma: Weight = of(
        0.0, "weight of the chroma loss: color without brightness in cells of 16 pixels; ours"
    )

    @property
    def kinds(self) -> dict[str, float]:
        """The weight of each kind of discriminator in the adversarial loss."""
        return {"patch": 1.0, "projected": self.projected, "projected_2": self.projected}
