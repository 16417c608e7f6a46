"""Progressive growing: how a smaller run's weights carry over into a larger one.

growth.py defines in what the two runs may differ.

Legend: D length of a style vector, C channels, h and w of the coarse features made of it.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import Config
from spade_paddle.engine.growth import added_blocks, finer_scales
from spade_paddle.networks.discriminator import scale_name

Weights = dict[str, paddle.Tensor]


def grown_discriminator(weights: Weights, *, old: Config, new: Config) -> tuple[Weights, list[str]]:
    """The weights of a discriminator, made to fit a new one.

    They are without projected heads that the new one has not; so who lacks the weights file of
    their feature network goes on with the patch scales alone. And the patch scales make room for
    finer ones.

    Args:
        weights: of the source.
        old: the configuration of the source.
        new: that of the network.

    Returns:
        the weights, and what was done to them, in words.
    """
    notes = []
    if old.discriminator.kind == "both" and new.discriminator.kind == "patch":
        weights = _without(weights, "projected")
        notes.append("the projected heads are left out")
    finer = finer_scales(old, new)
    if finer:
        weights = {scale_name(name, further=finer): value for name, value in weights.items()}
        notes.append(f"the source's nld_0 is nld_{finer} and so on, for pictures of its own scale")
    return weights, notes


def grown_generator(
    network: nn.Layer, weights: Weights, *, old: Config, new: Config
) -> tuple[Weights, list[str]]:
    """The weights of a generator, made to fit a larger one where they do not by themselves.

    Args:
        network: the larger generator.
        weights: of the source.
        old: the configuration of the source.
        new: that of the network.

    Returns:
        the weights, and what was done to them, in words.
    """
    notes = []
    if old.fade_in_images:
        weights = _without(weights, "conv_img_before")
        notes.append("conv_img_before is left out")
    if new.fade_in_images:
        image = {
            name.replace("conv_img.", "conv_img_before."): value
            for name, value in weights.items()
            if name.startswith("conv_img.")
        }
        weights = {**weights, **image}
        (block,) = added_blocks(old, new)  # more are refused
        notes.append(
            f"conv_img_before is the source's conv_img; in {new.fade_in_images} images "
            f"{block} and conv_img take its place"
        )
    before, now = old.latent_size, tuple(network.latent_size)
    if old.encoder.style_dim and before != now:
        weights = resized_style_layer(
            weights, channels=network.latent_channels, before=before, now=now
        )
        notes.append(f"fc is resized from {before[1]} x {before[0]} to {now[1]} x {now[0]} places")
    return weights, notes


@paddle.no_grad()
def resized_style_layer(
    weights: Weights, *, channels: int, before: tuple[int, int], now: tuple[int, int]
) -> Weights:
    """The generator's ``fc`` for coarse features of another size, as forward would resize them.

    ``fc`` is linear, and so is bilinear resizing: resizing every row of its weight and its bias as
    maps gives a layer whose features are the resized ones.

    Args:
        weights: with ``fc.weight`` [D, C * h * w] and ``fc.bias`` [C * h * w]; others stay as
            they are.
        channels: C.
        before: h and w.
        now: those to come.
    """
    weights = dict(weights)
    for name in ("fc.weight", "fc.bias"):
        value = weights.get(name)
        if value is None or value.shape[-1] != channels * before[0] * before[1]:
            continue  # broken weights; who sets them will name this
        maps = value.reshape([-1, channels, *before])
        maps = F.interpolate(maps, size=list(now), mode="bilinear")
        weights[name] = maps.reshape([*value.shape[:-1], -1])
    return weights


def _without(weights: Weights, layer: str) -> Weights:
    return {name: value for name, value in weights.items() if not name.startswith(f"{layer}.")}
