"""Progressive growing: how a run may differ from the smaller run it starts from.

A generator may grow by fine blocks, or from ``normal`` to ``more`` or ``most``; crops may grow in
size and the discriminator in scales. A style or projected heads may be added, and projected heads
may be replaced by new ones on another network, or removed if there are patch scales. Everything
else stays the same. grown_weights.py adapts the weights.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from paddle import nn

from spade_paddle.config import UPSAMPLINGS, Config
from spade_paddle.networks.widths import block_names

_STYLE_FIELDS = (
    *("encoder.style_dim", "encoder.nef", "encoder.size"),
    "generator.latent_channels",
)
_PROJECTED_FIELDS = (
    *("discriminator.projected_network", "discriminator.projected_2_network"),
    "discriminator.projected_width",
)
_ENCODER_SIZES = ("encoder.nef", "encoder.size")
_GROWING = ("generator.fine_blocks", "discriminator.scales")


def network_changes(old: Config, new: Config) -> dict[str, tuple[Any, Any]]:
    """Return the changed fields that determine the networks: (old, new) values by dotted name.

    Excluded are the crop size, fading in, and the paths of the feature networks' weights, which
    networks/projection.py identifies by checksum.
    """
    names = [
        f"{section}.{field}"
        for section in ("generator", "encoder", "discriminator")
        for field in vars(getattr(old, section))
    ]
    names.remove("discriminator.projected_weights")
    names.remove("discriminator.projected_2_weights")
    if old.discriminator.kind == new.discriminator.kind == "patch":
        names = [name for name in names if name not in _PROJECTED_FIELDS]
    names += ["data.dont_care", "data.instance_edges", "data.icpe_compatible"]
    values = {name: (old.value(name), new.value(name)) for name in names}
    return {name: (before, now) for name, (before, now) in values.items() if before != now}


def forbidden_changes(old: Config, new: Config, *, parts: Collection[str]) -> list[str]:
    """List the changes with which a new run cannot start from the weights of a source.

    Args:
        old: configuration of the source.
        new: configuration of the new run.
        parts: names of the networks that the source has; fields of others are ignored.

    Returns:
        a sentence for each forbidden change.
    """
    problems = []
    for name, (before, now) in network_changes(old, new).items():
        expected = "the same"
        if name == "generator.widths" and now is not None:
            continue  # channels are pruned: compression/slicing.py checks the widths
        if name in _STYLE_FIELDS and not old.encoder.style_dim:
            continue  # a style is added
        if name in _ENCODER_SIZES and not ("encoder" in parts and new.encoder.style_dim):
            continue
        if name.startswith("discriminator.") and "discriminator" not in parts:
            continue
        if name in _PROJECTED_FIELDS:
            continue  # projected heads are added, removed or replaced
        if name == "discriminator.kind":
            if "both" in (before, now):
                continue  # patch scales or heads are added or removed
            expected = "the same or both"
        if name == "generator.upsampling":
            comes_before = now == "most" and old.generator.fine_blocks
            if UPSAMPLINGS[now] > UPSAMPLINGS[before] and not comes_before:
                continue
            expected = "the same or a finer one"
            if comes_before:
                expected = "the same: up_4 would be inserted before existing fine blocks"
        if name in _GROWING:
            if now > before:
                continue
            expected = "the same or more"
        problems.append(f"{name} was {before}, is {now}, must be {expected}")
    return problems + _fading_problems(old, new)


def _fading_problems(old: Config, new: Config) -> list[str]:
    added = new.generator.added_blocks - old.generator.added_blocks
    if not new.fade_in_images or added == 1:
        return []
    reason = "the source already has the finest block, so there is no new block to fade in"
    if added > 1:
        reason = f"{added} blocks are new, and only one can fade in; add one block at a time"
    return [f"fade_in_images is {new.fade_in_images}, must be 0: {reason}"]


def new_heads(old: Config, new: Config) -> list[str]:
    """Return the discriminator's parts with projected heads that its source does not have."""
    had, has = old.discriminator.heads, new.discriminator.heads
    same_width = old.discriminator.projected_width == new.discriminator.projected_width
    return [part for part, name in has.items() if not (same_width and had.get(part) == name)]


def removed_heads(old: Config, new: Config) -> list[str]:
    """Return the parts with projected heads of which a new run does not take over the weights."""
    kept = new.discriminator.heads.keys() - set(new_heads(old, new))
    return [part for part in old.discriminator.heads if part not in kept]


def added_blocks(old: Config, new: Config) -> list[str]:
    """Return the generator's blocks that its source does not have, the finest one last."""
    had = block_names(old.generator)
    return [name for name in block_names(new.generator) if name not in had]


def finer_scales(old: Config, new: Config) -> int:
    """Count the new patch scales that precede those of the source; others follow them.

    If the generator grows by fine blocks and the discriminator by as many scales, the resolution
    doubles that many times. The source's scales then keep the resolution they were trained at, and
    the new scales see the finer pictures.
    """
    fine = new.generator.fine_blocks - old.generator.fine_blocks
    grown = new.discriminator.scales - old.discriminator.scales
    has_scales = "projected" not in (old.discriminator.kind, new.discriminator.kind)
    return fine if has_scales and fine == grown else 0


def new_layers(part: str, network: nn.Layer, *, old: Config, new: Config) -> list[str]:
    """Return the layers of a network that cannot take over weights of its source.

    Args:
        part: ``generator``, ``encoder`` or ``discriminator``.
        network: the new network.
        old: configuration of the source.
        new: configuration of the network, without forbidden changes.
    """
    names = []
    if part == "generator":
        if new.encoder.style_dim and not old.encoder.style_dim:
            names.append("fc")
            if network.head_0.learned_shortcut:  # the source has an identity shortcut there
                names.append("head_0")
        blocks = added_blocks(old, new)
        names += [*blocks, "conv_img"] if blocks else []
    if part == "discriminator":
        kinds = old.discriminator.kind, new.discriminator.kind
        has = old.discriminator.scales if kinds[0] != "projected" else 0
        all_scales = new.discriminator.scales if kinds[1] != "projected" else 0
        finer = finer_scales(old, new)
        scales = [*range(finer), *range(finer + has, all_scales)]
        names += new_heads(old, new)
        names += [f"nld_{scale}" for scale in scales]
    return names
