"""Low resolution first, then high: what becomes of a smaller run's weights in a larger one.

A generator grows from ``normal`` into ``more`` or ``most``, the crops in size, the discriminator
in scales, a style or projected heads may be added, and projected heads beside patch scales may be
left out. Everything else stays as it was.

Legend: D length of a style vector, C channels, h and w of the coarse features made of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import Config
from spade_paddle.networks.generator import UPSAMPLINGS

Weights = dict[str, paddle.Tensor]

_STYLE_FIELDS = (
    *("encoder.style_dim", "encoder.nef", "encoder.size"),
    "generator.latent_channels",
)
_PROJECTED_FIELDS = ("discriminator.projected_network", "discriminator.projected_width")
_ENCODER_SIZES = ("encoder.nef", "encoder.size")


def network_changes(old: Config, new: Config) -> dict[str, tuple[Any, Any]]:
    """The fields that networks are made by and that differ: old and new value by dotted name.

    Not among them: the size of the crops, whether a block fades in, and where the weights of a
    feature network lie (networks/projection.py knows them by their check sum).
    """
    names = [
        f"{section}.{field}"
        for section in ("generator", "encoder", "discriminator")
        for field in vars(getattr(old, section))
    ]
    names.remove("discriminator.projected_weights")
    if old.discriminator.kind == new.discriminator.kind == "patch":
        names = [name for name in names if name not in _PROJECTED_FIELDS]
    names += ["data.dont_care", "data.instance_edges", "data.icpe_compatible"]
    values = {name: (_value(old, name), _value(new, name)) for name in names}
    return {name: (before, now) for name, (before, now) in values.items() if before != now}


def forbidden_changes(old: Config, new: Config, *, parts: Collection[str]) -> list[str]:
    """What a run with the configuration ``new`` must not have otherwise than its source ``old``.

    Args:
        old: of the source.
        new: of the run that begins.
        parts: the networks that the source has; how the others are made does not matter.
    """
    problems = []
    for name, (before, now) in network_changes(old, new).items():
        expected = "the same"
        if name in _STYLE_FIELDS and not old.encoder.style_dim:
            continue  # a style is added
        if name in _ENCODER_SIZES and not ("encoder" in parts and new.encoder.style_dim):
            continue
        if name.startswith("discriminator.") and "discriminator" not in parts:
            continue
        if name in _PROJECTED_FIELDS and "patch" in (
            old.discriminator.kind,
            new.discriminator.kind,
        ):
            continue  # projected heads are added, or left out
        if name == "discriminator.kind":
            if now == "both" or (before, now) == ("both", "patch"):
                continue
            expected = "the same or both"
        if name == "generator.upsampling":
            if UPSAMPLINGS[now] > UPSAMPLINGS[before]:
                continue
            expected = "the same or a finer one"
        if name == "discriminator.scales":
            if now > before:
                continue
            expected = "the same or more"
        problems.append(f"{name} was {before}, is {now}, must be {expected}")
    if new.fade_in_images and old.generator.upsampling == "most":
        problems.append(
            f"fade_in_images is {new.fade_in_images}, must be 0: with 'most' the source has the "
            "finest block already, and nothing comes in"
        )
    return problems


def fresh_layers(part: str, network: nn.Layer, *, old: Config, new: Config) -> list[str]:
    """The layers of a network that its source has not, or has for something else.

    Args:
        part: ``generator``, ``encoder`` or ``discriminator``.
        network: the new one.
        old: the configuration of the source.
        new: that of the network; the changes are no forbidden ones.
    """
    names = []
    if part == "generator":
        if new.encoder.style_dim and not old.encoder.style_dim:
            names.append("fc")
            if network.head_0.learned_shortcut:  # without a style as much comes in as goes out
                names.append("head_0")
        if new.generator.upsampling == "most" != old.generator.upsampling:
            names += ["up_4", "conv_img"]
    if part == "discriminator":
        kinds = old.discriminator.kind, new.discriminator.kind
        has = old.discriminator.scales if kinds[0] != "projected" else 0
        scales = range(has, new.discriminator.scales if kinds[1] != "projected" else 0)
        names += ["projected"] if kinds[0] == "patch" != kinds[1] else []
        names += [f"nld_{scale}" for scale in scales]
    return names


def kept_kinds(weights: Weights, *, old: Config, new: Config) -> tuple[Weights, list[str]]:
    """The weights of a discriminator without projected heads that the new one has not.

    So who lacks the weights file of their feature network goes on with the patch scales alone.

    Args:
        weights: of the source.
        old: the configuration of the source.
        new: that of the network.

    Returns:
        the weights, and what was done to them, in words.
    """
    if old.discriminator.kind == "both" and new.discriminator.kind == "patch":
        return _without(weights, "projected"), ["the projected heads are left out"]
    return weights, []


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
        notes.append(
            f"conv_img_before is the source's conv_img; in {new.fade_in_images} images up_4 and "
            "conv_img take its place"
        )
    before, now = _latent_size(old), tuple(network.latent_size)
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


def _latent_size(config: Config) -> tuple[int, int]:
    """Height and width of a style's coarse features (see networks/build.py)."""
    multiple = config.generator.multiple
    return config.data.crop_height // multiple, config.data.crop_size // multiple


def _value(config: Config, name: str) -> Any:
    section, _, field = name.partition(".")
    return getattr(getattr(config, section), field)


def _without(weights: Weights, layer: str) -> Weights:
    return {name: value for name, value in weights.items() if not name.startswith(f"{layer}.")}
