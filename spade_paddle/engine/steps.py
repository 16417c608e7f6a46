"""One training step of the generator and one of the discriminator.

Legend: N batch, K channels of the semantic input, D length of a style, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import paddle
from paddle import nn

from spade_paddle.config import LossConfig
from spade_paddle.engine.distributed import Workers
from spade_paddle.losses.gan import (
    Prediction,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    split_fake_real,
)
from spade_paddle.losses.perceptual import FeatureNetwork, perceptual_loss
from spade_paddle.losses.style import kl_loss
from spade_paddle.networks.encoder import reparametrize

Losses = dict


@dataclass
class Networks:
    """What is trained, and the feature network of the perceptual loss (or None).

    The encoder is None for a model without style; else it learns together with the generator.
    Without a discriminator they paint only.
    """

    generator: nn.Layer
    encoder: nn.Layer | None
    discriminator: nn.Layer | None = None
    features: FeatureNetwork | None = None

    def generator_parameters(self) -> list[paddle.Tensor]:
        """What the generator's optimizer moves."""
        encoder = self.encoder.parameters() if self.encoder is not None else []
        return [*self.generator.parameters(), *encoder]

    def trained(self) -> Iterator[tuple[str, nn.Layer]]:
        """The networks that learn, by name."""
        for name in ("generator", "encoder", "discriminator"):
            network = getattr(self, name)
            if network is not None:
                yield name, network


@dataclass(frozen=True)
class StepInput:
    """A batch as tensors; what the networks do not need is None."""

    semantics: paddle.Tensor  # float32 [N, K, H, W]
    photo: paddle.Tensor  # float32 [N, 3, H, W] in -1..1
    positions: paddle.Tensor | None = None  # float32 [N, 2, H, W]
    noise: paddle.Tensor | None = None  # float32 [N, C, H, W]
    style_noise: paddle.Tensor | None = None  # float32 [N, D]


Style = tuple  # mu and logvar, [N, D] each


def paint(networks: Networks, batch: StepInput) -> tuple[paddle.Tensor, Style | None]:
    """The fake photos [N, 3, H, W], in the style of the real ones where there is an encoder."""
    style, z = None, None
    if networks.encoder is not None:
        style = networks.encoder(batch.photo)
        z = reparametrize(*style, batch.style_noise)
    fake_photo = networks.generator(
        batch.semantics, batch.noise, style=z, positions=batch.positions
    )
    return fake_photo, style


def generator_losses(
    networks: Networks, batch: StepInput, options: LossConfig, *, processes: int = 1
) -> tuple[paddle.Tensor, Losses, paddle.Tensor]:
    """``g_loss = g_ganloss + lambda_feat * g_featloss + lambda_vgg * g_vggloss`` (article, 4), and
    ``+ lambda_kld * g_vaeloss`` with a style.

    Args:
        networks: the networks.
        batch: what to paint and what it should look like.
        options: the weights of the losses.
        processes: how many average their gradients. The KL loss is a sum over the batch, so each
            process counts its share so many times for the average to be the whole sum.

    Returns:
        the total, each weighted part by name, and the fake pictures [N, 3, H, W].
    """
    fake_photo, style = paint(networks, batch)
    fake, real = split_fake_real(discriminate(networks, batch, fake_photo))
    parts = {"g_gan": generator_loss(fake, options.gan_mode)}
    if options.feature_matching:
        parts["g_feat"] = options.feature_matching * feature_matching_loss(fake, real)
    if networks.features is not None:
        perceptual = perceptual_loss(networks.features, fake_photo, batch.photo)
        parts["g_vgg"] = options.perceptual * perceptual
    if style is not None:
        parts["g_vae"] = options.kl * processes * kl_loss(*style)
    return sum(parts.values()), parts, fake_photo


def discriminator_losses(
    networks: Networks, batch: StepInput, fake_photo: paddle.Tensor, options: LossConfig
) -> tuple[paddle.Tensor, Losses]:
    """``d_loss = df_ganloss + dr_ganloss`` (article, 4); the fake pictures are taken as given."""
    fake, real = split_fake_real(discriminate(networks, batch, fake_photo.detach()))
    df_ganloss, dr_ganloss = discriminator_loss(fake, real, options.gan_mode)
    return df_ganloss + dr_ganloss, {"d_fake": df_ganloss, "d_real": dr_ganloss}


def discriminate(networks: Networks, batch: StepInput, fake_photo: paddle.Tensor) -> Prediction:
    """One pass over the fakes followed by the real pictures, each with its semantic map."""
    fake = paddle.concat([batch.semantics, fake_photo], axis=1)
    real = paddle.concat([batch.semantics, batch.photo], axis=1)
    return networks.discriminator(paddle.concat([fake, real], axis=0))  # [2N, K + 3, H, W]


def train_step(
    networks: Networks,
    optimizers: tuple[paddle.optimizer.Optimizer, paddle.optimizer.Optimizer],
    batch: StepInput,
    options: LossConfig,
    *,
    regenerate_fake: bool,
    workers: Workers,
) -> Losses:
    """Update the generator (and the encoder), then the discriminator, on the same pictures.

    Args:
        networks: the networks, in training mode.
        optimizers: of generator and encoder, and of the discriminator.
        batch: what to learn from.
        options: the weights of the losses.
        regenerate_fake: paint anew with the updated generator for the discriminator's step (as
            the public SPADE does) instead of using the fakes of the generator's step.
        workers: the processes that train together.

    Returns:
        every part of the two losses by name, as floats.
    """
    optimizer_g, optimizer_d = optimizers
    _require_gradients(networks.discriminator, False)
    g_loss, g_parts, fake_photo = generator_losses(networks, batch, options, processes=workers.size)
    g_loss.backward()
    workers.average_gradients(networks.generator_parameters())
    optimizer_g.step()
    optimizer_g.clear_grad()
    _require_gradients(networks.discriminator, True)

    if regenerate_fake:
        with paddle.no_grad():
            fake_photo, _ = paint(networks, batch)
    d_loss, d_parts = discriminator_losses(networks, batch, fake_photo, options)
    d_loss.backward()
    workers.average_gradients(networks.discriminator.parameters())
    optimizer_d.step()
    optimizer_d.clear_grad()
    return {name: float(value) for name, value in {**g_parts, **d_parts}.items()}


def _require_gradients(network: nn.Layer, required: bool) -> None:
    """Spare the gradients of weights that a step does not update."""
    for parameter in network.parameters():
        parameter.stop_gradient = not required
