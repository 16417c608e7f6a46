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
from spade_paddle.losses.color import ColorBalance, chroma_loss, color_loss
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

Losses = dict  # scalars by name: tensors within a step, floats in its result

ExtraLoss = Callable[["Networks", "StepInput", paddle.Tensor], Losses]
"""Called with the networks, the batch and the fake photos [N, 3, H, W] in -1..1, which require
gradients; returns scalar tensors by name, already multiplied by their weights."""


@dataclass
class Networks:
    """The trained networks, losses that need a network or a memory (or None), and additional ones.

    The encoder is None for a model without style. The generator's optimizer also updates the
    encoder and the adapters of a distillation. Without a discriminator, the networks can only
    paint. The prefix distinguishes their losses from those of other networks trained beside them.
    """

    generator: nn.Layer
    encoder: nn.Layer | None
    discriminator: nn.Layer | None = None
    perceptual: PerceptualLoss | None = None
    color_balance: ColorBalance | None = None
    extra_losses: Sequence[ExtraLoss] = ()
    adapters: nn.Layer | None = None
    prefix: str = ""

    def generator_parameters(self) -> list[paddle.Tensor]:
        """Return the parameters that the generator's optimizer updates."""
        layers = self.generator, self.encoder, self.adapters
        return [p for layer in layers if layer is not None for p in layer.parameters()]

    def trained(self) -> Iterator[tuple[str, nn.Layer]]:
        """Yield the trained networks with their names."""
        for name in ("generator", "encoder", "discriminator", "adapters"):
            network = getattr(self, name)
            if network is not None:
                yield name, network

    def named(self, losses: Losses) -> Losses:
        """Return the losses with the prefix added to each name."""
        return {self.prefix + name: value for name, value in losses.items()}


@dataclass(frozen=True)
class StepInput:
    """A batch as tensors; inputs that the networks do not need are None."""

    segmap: paddle.Tensor  # float32 [N, K, H, W]
    photo: paddle.Tensor  # float32 [N, 3, H, W] in -1..1
    positions: paddle.Tensor | None = None  # float32 [N, 2, H, W]
    # float32 [N, 1, h, w] per block, or one [N, C, H, W]
    noise: tuple[paddle.Tensor, ...] | paddle.Tensor | None = None
    style_noise: paddle.Tensor | None = None  # float32 [N, D]
    augmentation: np.ndarray | None = None  # float32 [N, P], see losses/diff_augment.py
    shift: tuple[int, int] = (0, 0)  # pixels down and right for the perceptual loss

    @classmethod
    def of(cls, batch: Batch, layout: SemanticLayout) -> StepInput:
        """Convert a batch; the label map becomes a semantic map with this layout."""

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
            # one shift for the whole batch: that of its first picture
            shift=(0, 0) if batch.shift is None else tuple(batch.shift[0].tolist()),
        )


Style = tuple  # mu and logvar, [N, D] each


def sample_style(
    encoder: nn.Layer | None, batch: StepInput
) -> tuple[paddle.Tensor | None, Style | None]:
    """Sample a style z [N, D] from the encoder's distribution (mu, logvar) for the real photos.

    Returns:
        z and (mu, logvar); both None without an encoder.
    """
    if encoder is None:
        return None, None
    style = encoder(batch.photo)
    return reparametrize(*style, batch.style_noise), style


def paint(networks: Networks, batch: StepInput) -> tuple[paddle.Tensor, Style | None]:
    """Paint fake photos [N, 3, H, W], with an encoder in the style of the real ones.

    Returns:
        the fake photos, and (mu, logvar) of the style or None.
    """
    z, style = sample_style(networks.encoder, batch)
    fake_photo = networks.generator(batch.segmap, batch.noise, style=z, positions=batch.positions)
    return fake_photo, style


def generator_losses(
    networks: Networks,
    batch: StepInput,
    options: LossConfig,
    *,
    num_batches: int = 1,
) -> tuple[paddle.Tensor, Losses, paddle.Tensor]:
    """``g_loss = g_ganloss + lambda_feat * g_featloss + lambda_vgg * g_vggloss`` (article, section
    4), ``+ lambda_kld * g_vaeloss`` with a style, and ours: ``+ color * g_color``,
    ``+ color_balance * g_balance``, ``+ chroma * g_chroma``.

    Args:
        networks: the networks.
        batch: semantic maps, real photos and noise.
        options: the weights of the losses.
        num_batches: number of micro-batches and processes over which gradients are averaged. The
            KL loss is a sum over the batch, so it is multiplied by this number.

    Returns:
        the total, each weighted term by name, and the fake photos [N, 3, H, W].

    Raises:
        ValueError: an extra loss has the same name as another loss.
    """
    fake_photo, style = paint(networks, batch)
    fake = discriminate(networks, batch, fake_photo)
    parts = {"g_gan": combined_generator_loss(fake, weights=options.kinds, mode=options.gan_mode)}
    if options.feature_matching:
        # a separate forward pass: the discriminator's weights are frozen in this update
        # (engine/updates.py), so this pass builds no graph for gradients
        real = networks.discriminator.patch(discriminator_input(batch, batch.photo))
        matching = feature_matching_loss(fake["patch"], real)
        parts["g_feat"] = options.feature_matching * matching
    if networks.perceptual is not None:
        distance = networks.perceptual(fake_photo, batch.photo, shift=batch.shift)
        parts["g_vgg"] = options.perceptual * distance
    if style is not None:
        parts["g_vae"] = options.kl * num_batches * kl_loss(*style)
    if options.color:
        parts["g_color"] = options.color * color_loss(fake_photo, batch.photo, batch.segmap)
    if networks.color_balance is not None:
        balance = networks.color_balance(fake_photo, batch.photo, batch.segmap)
        parts["g_balance"] = options.color_balance * balance
    if options.chroma:
        parts["g_chroma"] = options.chroma * chroma_loss(fake_photo, batch.photo)
    for loss in networks.extra_losses:
        more = loss(networks, batch, fake_photo)
        if parts.keys() & more.keys():
            raise ValueError(f"extra losses {sorted(more)} repeat a name of {list(parts)}")
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
    """``d_loss = df_ganloss + dr_ganloss`` (article, section 4), optionally with the R1 penalty.

    Args:
        networks: the networks.
        batch: the real photos and their semantic maps.
        fake_photo: the fake photos [N, 3, H, W]; detached here.
        options: the kind of adversarial loss.
        r1_weight: weight of the R1 penalty; 0: not computed.

    Returns:
        the total; and each term and the discriminator's accuracy, by name.
    """
    fake = discriminate(networks, batch, fake_photo.detach())
    real = discriminate(networks, batch, batch.photo)
    df_ganloss, dr_ganloss = combined_discriminator_loss(
        fake, real, weights=options.kinds, mode=options.gan_mode
    )
    parts = {"d_fake": df_ganloss, "d_real": dr_ganloss}
    if r1_weight:
        # Paddle's second derivative of concat requires that every input has a gradient
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


def discriminate(networks: Networks, batch: StepInput, photo: paddle.Tensor) -> Predictions:
    """Apply the discriminator to fake or real photos [N, 3, H, W] and their semantic maps."""
    return networks.discriminator(discriminator_input(batch, photo))


def discriminator_input(batch: StepInput, photo: paddle.Tensor) -> paddle.Tensor:
    """Return [N, K + 3, H, W]; fake and real photo of a scene get the same augmentation."""
    pictures = paddle.concat([batch.segmap, photo], axis=1)
    return pictures if batch.augmentation is None else diff_augment(pictures, batch.augmentation)
