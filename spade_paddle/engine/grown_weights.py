"""Progressive growing: adapts the weights of a smaller run to a larger one.

growth.py defines how the two runs may differ.

Legend: D length of a style vector, C channels, h and w of the coarse features made of it.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import Config
from spade_paddle.engine.growth import added_blocks, finer_scales, removed_heads
from spade_paddle.networks.discriminator import scale_name

Weights = dict[str, paddle.Tensor]


def grown_discriminator(weights: Weights, *, old: Config, new: Config) -> tuple[Weights, list[str]]:
    """Adapt the weights of a discriminator to a new one.

    Projected heads are removed if the new one has none, or new ones, in their place; the weights
    file of their feature network is then not needed. Patch scales are removed if the new one has
    none, and renumbered if finer ones precede them.

    Args:
        weights: weights of the source.
        old: configuration of the source.
        new: configuration of the network.

    Returns:
        the weights, and a phrase for each change, for the log.
    """
    notes = []
    for part in removed_heads(old, new):
        weights = _without(weights, part)
        notes.append(f"the heads on {old.discriminator.heads[part]} are removed")
    if old.discriminator.kind == "both" and new.discriminator.kind == "projected":
        for scale in range(old.discriminator.scales):
            weights = _without(weights, f"nld_{scale}")
        notes.append("the patch scales are removed")
    finer = finer_scales(old, new)
    if finer:
        weights = {scale_name(name, further=finer): value for name, value in weights.items()}
        notes.append(f"nld_0 of the source becomes nld_{finer}, and so on, to keep its scale")
    return weights, notes


def grown_generator(
    network: nn.Layer, weights: Weights, *, old: Config, new: Config
) -> tuple[Weights, list[str]]:
    """Adapt the weights of a generator to a larger one.

    Args:
        network: the larger generator.
        weights: weights of the source.
        old: configuration of the source.
        new: configuration of the network.

    Returns:
        the weights, and a phrase for each change, for the log.
    """
    notes = []
    if old.fade_in_images:
        weights = _without(weights, "conv_img_before")
        notes.append("conv_img_before is removed")
    if new.fade_in_images:
        image = {
            name.replace("conv_img.", "conv_img_before."): value
            for name, value in weights.items()
            if name.startswith("conv_img.")
        }
        weights = {**weights, **image}
        (block,) = added_blocks(old, new)  # more than one is refused
        notes.append(
            f"conv_img_before is the source's conv_img, which {block} and conv_img replace over "
            f"{new.fade_in_images} images"
        )
    before, now = old.latent_size, tuple(network.latent_size)
    if old.encoder.style_dim and before != now:
        weights = resized_style_layer(
            weights, channels=network.latent_channels, before=before, now=now
        )
        notes.append(
            f"fc is resized from {before[1]} x {before[0]} to {now[1]} x {now[0]} features"
        )
    return weights, notes


@paddle.no_grad()
def resized_style_layer(
    weights: Weights, *, channels: int, before: tuple[int, int], now: tuple[int, int]
) -> Weights:
    """Convert the generator's ``fc`` to another size of the coarse features.

    ``fc`` and bilinear resizing are linear. So resizing every row of the weight, and the bias, as
    feature maps gives a layer whose output is the resized output of the original.

    Args:
        weights: with ``fc.weight`` [D, C * h * w] and ``fc.bias`` [C * h * w]; others are
            unchanged.
        channels: C.
        before: the original h and w.
        now: the new h and w.
    """
    weights = dict(weights)
    for name in ("fc.weight", "fc.bias"):
        value = weights.get(name)
        if value is None or value.shape[-1] != channels * before[0] * before[1]:
            continue  # does not fit the source's configuration: load_state reports it
        maps = value.reshape([-1, channels, *before])
        maps = F.interpolate(maps, size=list(now), mode="bilinear")
        weights[name] = maps.reshape([*value.shape[:-1], -1])
    return weights


def _without(weights: Weights, layer: str) -> Weights:
    return {name: value for name, value in weights.items() if not name.startswith(f"{layer}.")}
