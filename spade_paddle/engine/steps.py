"""The losses of a training step, for generator and discriminator.

Legend: N batch, K channels of the semantic map, D length of a style, H height, W width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable

import numpy as np
import paddle
from paddle import nn

from spade_paddle.config import LossConfig
from spade_paddle.data.batches import Batch
from spade_paddle.losses.diff_augment import diff_augment
from spade_paddle.losses.gan import (
    Prediction,
    Predictions,
    combined_discriminator_loss,
    combined_generator_loss,
    discriminator_accuracy,
    feature_matching_loss,
)
from spade_paddle.losses.perceptual import PerceptualLoss
from spade_paddle.losses.r1 import r1_penalty
from spade_paddle.losses.style import kl_loss
from spade_paddle.networks.encoder import reparametrize
from spade_paddle.networks.semantics import SemanticLayout

Losses = dict  # scalars by name: tensors on their way, floats in the end

ExtraLoss = Callable[["Networks", "StepInput", paddle.Tensor], Losses]
"""From the networks, what was to be painted and the fake photos [N, 3, H, W] in -1..1, which have a
gradient, to scalar tensors by name, each already times its weight."""


@dataclass
class Networks:
    """What is trained, the perceptual loss (or None), and more losses of the generator.

    The encoder is None for a model without style; else it learns together with the generator, and
    so do the adapters of a distillation. Without a discriminator they paint only. The prefix tells
    their losses from those of other networks that learn beside them.
    """

    generator: nn.Layer
    encoder: nn.Layer | None
    discriminator: nn.Layer | None = None
    perceptual: PerceptualLoss | None = None
    extra_losses: Sequence[ExtraLoss] = ()
    adapters: nn.Layer | None = None
    prefix: str = ""

    def generator_parameters(self) -> list[paddle.Tensor]:
        """What the generator's optimizer moves."""
        layers = self.generator, self.encoder, self.adapters
        return [p for layer in layers if layer is not None for p in layer.parameters()]

    def trained(self) -> Iterator[tuple[str, nn.Layer]]:
        """The networks that learn, by name."""
        for name in ("generator", "encoder", "discriminator", "adapters"):
            network = getattr(self, name)
            if network is not None:
                yield name, network

    def named(self, losses: Losses) -> Losses:
        """The same losses, with the prefix before each name."""
        return {self.prefix + name: value for name, value in losses.items()}


@dataclass(frozen=True)
class StepInput:
    """A batch as tensors; what the networks do not need is None."""

    segmap: paddle.Tensor  # float32 [N, K, H, W]
    photo: paddle.Tensor  # float32 [N, 3, H, W] in -1..1
    positions: paddle.Tensor | None = None  # float32 [N, 2, H, W]
    # float32 [N, 1, h, w] for each block, or [N, C, H, W] for all
    noise: tuple[paddle.Tensor, ...] | paddle.Tensor | None = None
    style_noise: paddle.Tensor | None = None  # float32 [N, D]
    augmentation: np.ndarray | None = None  # float32 [N, P], see losses/diff_augment.py
    shift: tuple[int, int] = (0, 0)  # pixels down and right for the perceptual loss

    @classmethod
    def of(cls, batch: Batch, layout: SemanticLayout) -> StepInput:
        """Arrays as tensors, the label map as a semantic map of this layout."""

        def tensor(values: np.ndarray | None) -> paddle.Tensor | None:
            return None if values is None else paddle.to_tensor(values)

        noise = batch.noise
        return cls(
            segmap=layout.encode(tensor(batch.label_map), tensor(batch.instance_map)),
            photo=tensor(batch.photo),
            positions=tensor(batch.positions),
            noise=tuple(map(tensor, noise)) if isinstance(noise, tuple) else tensor(noise),
            style_noise=tensor(batch.style_noise),
            augmentation=batch.augmentation,
            # a batch moves as a whole, by what its first picture has drawn
            shift=(0, 0) if batch.shift is None else tuple(batch.shift[0].tolist()),
        )


Style = tuple  # mu and logvar, [N, D] each


def draw_style(
    encoder: nn.Layer | None, batch: StepInput
) -> tuple[paddle.Tensor | None, Style | None]:
    """A style z [N, D] of the real photos, and what it was drawn from; None without an encoder."""
    if encoder is None:
        return None, None
    style = encoder(batch.photo)
    return reparametrize(*style, batch.style_noise), style


def paint(networks: Networks, batch: StepInput) -> tuple[paddle.Tensor, Style | None]:
    """The fake photos [N, 3, H, W], in the style of the real ones where there is an encoder."""
    z, style = draw_style(networks.encoder, batch)
    fake_photo = networks.generator(batch.segmap, batch.noise, style=z, positions=batch.positions)
    return fake_photo, style


def generator_losses(
    networks: Networks,
    batch: StepInput,
    options: LossConfig,
    *,
    copies: int = 1,
) -> tuple[paddle.Tensor, Losses, paddle.Tensor]:
    """``g_loss = g_ganloss + lambda_feat * g_featloss + lambda_vgg * g_vggloss`` (article, 4), and
    ``+ lambda_kld * g_vaeloss`` with a style.

    Args:
        networks: the networks.
        batch: what to paint and what it should look like.
        options: the weights of the losses.
        copies: how many batches like this one the gradients are averaged over. The KL loss is a
            sum over the batch, so each counts its own so many times for the average to be the
            whole sum.

    Returns:
        the total, each weighted part by name, and the fake pictures [N, 3, H, W].

    Raises:
        ValueError: an extra loss has the name of another.
    """
    fake_photo, style = paint(networks, batch)
    fake = judged(networks, batch, fake_photo)
    parts = {"g_gan": combined_generator_loss(fake, weights=options.kinds, mode=options.gan_mode)}
    if options.feature_matching:
        # a pass of its own: with the discriminator's weights fixed (engine/updates.py), nothing in
        # it has a gradient, and none is computed
        real = networks.discriminator.patch(discriminator_input(batch, batch.photo))
        matching = feature_matching_loss(fake["patch"], real)
        parts["g_feat"] = options.feature_matching * matching
    if networks.perceptual is not None:
        distance = networks.perceptual(fake_photo, batch.photo, shift=batch.shift)
        parts["g_vgg"] = options.perceptual * distance
    if style is not None:
        parts["g_vae"] = options.kl * copies * kl_loss(*style)
    for loss in networks.extra_losses:
        more = loss(networks, batch, fake_photo)
        if parts.keys() & more.keys():
            raise ValueError(f"an extra loss is named as another: {sorted(more)} of {list(parts)}")
        parts.update(more)
    return sum(parts.values()), parts, fake_photo


def discriminator_losses(
    networks: Networks,
    batch: StepInput,
    fake_photo: paddle.Tensor,
    options: LossConfig,
    *,
    r1_weight: float = 0.0,
) -> tuple[paddle.Tensor, Losses]:
    """``d_loss = df_ganloss + dr_ganloss`` (article, 4), and maybe the R1 penalty.

    Args:
        networks: the networks.
        batch: the real photos and their semantic maps.
        fake_photo: the generated photos, taken as given.
        options: the kind of adversarial loss.
        r1_weight: of the R1 penalty; 0: it is not computed.

    Returns:
        the total; each part by name, and how well the discriminator tells them apart.
    """
    fake = judged(networks, batch, fake_photo.detach())
    real = judged(networks, batch, batch.photo)
    df_ganloss, dr_ganloss = combined_discriminator_loss(
        fake, real, weights=options.kinds, mode=options.gan_mode
    )
    parts = {"d_fake": df_ganloss, "d_real": dr_ganloss}
    if r1_weight:
        # Paddle has the second derivative of concat only where every input has a gradient
        segmap = batch.segmap.detach()
        segmap.stop_gradient = False
        scene = dataclasses.replace(batch, segmap=segmap)

        def judge(photo: paddle.Tensor) -> Prediction:
            return networks.discriminator.patch(discriminator_input(scene, photo))

        parts["d_r1"] = r1_weight * r1_penalty(judge, batch.photo)
    total = sum(parts.values())
    accuracies = {
        "d_accuracy" if kind == "patch" else f"d_accuracy_{kind}": discriminator_accuracy(
            fake[kind], real[kind], options.gan_mode
        )
        for kind in fake
    }
    return total, {**parts, **accuracies}


def judged(networks: Networks, batch: StepInput, photo: paddle.Tensor) -> Predictions:
    """What the discriminator says of fake or real photos [N, 3, H, W] with their semantic map."""
    return networks.discriminator(discriminator_input(batch, photo))


def discriminator_input(batch: StepInput, photo: paddle.Tensor) -> paddle.Tensor:
    """[N, K + 3, H, W]; the fake and the real photo of a scene are augmented alike."""
    pictures = paddle.concat([batch.segmap, photo], axis=1)
    return pictures if batch.augmentation is None else diff_augment(pictures, batch.augmentation)
