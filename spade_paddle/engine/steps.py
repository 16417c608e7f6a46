"""One training step of the generator and one of the discriminator.

Legend: N batch, K channels of the semantic input, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import paddle
from paddle import nn

from spade_paddle.config import LossConfig
from spade_paddle.engine.distributed import Workers
from spade_paddle.losses.gan import (
    Prediction,
    feature_matching_loss,
    discriminator_loss,
    generator_loss,
    split_fake_real,
)
from spade_paddle.losses.perceptual import FeatureNetwork, perceptual_loss

Losses = dict


@dataclass
class Networks:
    """What is trained, and the feature network of the perceptual loss (or None)."""

    generator: nn.Layer
    discriminator: nn.Layer
    features: FeatureNetwork | None


def generator_losses(
    networks: Networks,
    semantics: paddle.Tensor,
    photo: paddle.Tensor,
    options: LossConfig,
    *,
    noise: paddle.Tensor | None = None,
) -> tuple[paddle.Tensor, Losses, paddle.Tensor]:
    """``g_loss = g_ganloss + lambda_feat * g_featloss + lambda_vgg * g_vggloss`` (article, 4).

    Args:
        networks: the networks.
        semantics: float32 [N, K, H, W].
        photo: float32 [N, 3, H, W] in -1..1.
        options: the weights of the losses.
        noise: float32 [N, C, H, W] for a generator with noise.

    Returns:
        the total, each weighted part by name, and the fake pictures [N, 3, H, W].
    """
    fake_photo = networks.generator(semantics, noise)
    fake, real = split_fake_real(discriminate(networks, semantics, fake_photo, photo))
    parts = {"g_gan": generator_loss(fake)}
    if options.feature_matching:
        parts["g_feat"] = options.feature_matching * feature_matching_loss(fake, real)
    if networks.features is not None:
        parts["g_vgg"] = options.perceptual * perceptual_loss(networks.features, fake_photo, photo)
    return sum(parts.values()), parts, fake_photo


def discriminator_losses(
    networks: Networks,
    semantics: paddle.Tensor,
    photo: paddle.Tensor,
    fake_photo: paddle.Tensor,
) -> tuple[paddle.Tensor, Losses]:
    """``d_loss = df_ganloss + dr_ganloss`` (article, 4); the fake pictures are taken as given."""
    fake, real = split_fake_real(discriminate(networks, semantics, fake_photo.detach(), photo))
    df_ganloss, dr_ganloss = discriminator_loss(fake, real)
    return df_ganloss + dr_ganloss, {"d_fake": df_ganloss, "d_real": dr_ganloss}


def discriminate(
    networks: Networks, semantics: paddle.Tensor, fake_photo: paddle.Tensor, photo: paddle.Tensor
) -> Prediction:
    """One pass over the fakes followed by the real pictures, each with its semantic map."""
    fake = paddle.concat([semantics, fake_photo], axis=1)
    real = paddle.concat([semantics, photo], axis=1)
    return networks.discriminator(paddle.concat([fake, real], axis=0))  # [2N, K + 3, H, W]


def train_step(
    networks: Networks,
    optimizers: tuple[paddle.optimizer.Optimizer, paddle.optimizer.Optimizer],
    semantics: paddle.Tensor,
    photo: paddle.Tensor,
    options: LossConfig,
    *,
    noise: paddle.Tensor | None,
    regenerate_fake: bool,
    workers: Workers,
) -> Losses:
    """Update the generator, then the discriminator, on the same pictures.

    Args:
        networks: the networks, in training mode.
        optimizers: of the generator and of the discriminator.
        semantics: float32 [N, K, H, W].
        photo: float32 [N, 3, H, W] in -1..1.
        options: the weights of the losses.
        noise: float32 [N, C, H, W] for a generator with noise.
        regenerate_fake: paint anew with the updated generator for the discriminator's step (as
            the public SPADE does) instead of using the fakes of the generator's step.
        workers: the processes that train together.

    Returns:
        every part of the two losses by name, as floats.
    """
    optimizer_g, optimizer_d = optimizers
    _require_gradients(networks.discriminator, False)
    g_loss, g_parts, fake_photo = generator_losses(networks, semantics, photo, options, noise=noise)
    g_loss.backward()
    workers.average_gradients(networks.generator.parameters())
    optimizer_g.step()
    optimizer_g.clear_grad()
    _require_gradients(networks.discriminator, True)

    if regenerate_fake:
        with paddle.no_grad():
            fake_photo = networks.generator(semantics, noise)
    d_loss, d_parts = discriminator_losses(networks, semantics, photo, fake_photo)
    d_loss.backward()
    workers.average_gradients(networks.discriminator.parameters())
    optimizer_d.step()
    optimizer_d.clear_grad()
    return {name: float(value) for name, value in {**g_parts, **d_parts}.items()}


def _require_gradients(network: nn.Layer, required: bool) -> None:
    """Spare the gradients of weights that a step does not update."""
    for parameter in network.parameters():
        parameter.stop_gradient = not required
