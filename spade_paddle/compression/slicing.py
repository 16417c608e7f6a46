"""The weights of a student that has some of its teacher's channels, and which those are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import paddle

from spade_paddle.compression.channels import Axis, tensor_axes
from spade_paddle.compression.counts import Kept, best_channels
from spade_paddle.compression.groups import block_groups, group_sizes, resized, widths_of
from spade_paddle.compression.scores import channel_scores
from spade_paddle.config import Config, GeneratorConfig
from spade_paddle.errors import ConfigError
from spade_paddle.layers.spectral import power_iterations
from spade_paddle.networks.widths import GeneratorWidths

SAME_FIELDS = (
    *("norm", "block", "upsampling", "fine_blocks", "extra_blocks", "kernel_size"),
    *("param_free_norm", "noise"),
)
"""Of ``generator``, where a student has tensors of its teacher's."""


@paddle.no_grad()
def clipped_state(
    state: Mapping[str, paddle.Tensor], kept: Kept, config: Config, *, num_labels: int
) -> dict[str, paddle.Tensor]:
    """The state dict of the student: the kept channels of every tensor.

    Where the teacher has spectral norm the student has: its vector u begins with the kept entries
    and is settled, with v, on the smaller weight. Its largest singular value is smaller, so the
    student's effective weights are larger than the teacher's.

    Args:
        state: the teacher's, with or without spectral norm.
        kept: channels of every group, of clip_to or kept_by_widths.
        config: the teacher's.
        num_labels: of the teacher's label set.
    """
    teacher = widths_of(config)
    counts = {group: len(channels) for group, channels in kept.items()}
    before = tensor_axes(config, num_labels=num_labels, widths=teacher)
    student = resized(config.generator, teacher, counts)
    after = tensor_axes(config, num_labels=num_labels, widths=student)
    # a shortcut that became the identity, or another, would leave tensors out
    assert block_groups(config.generator, student) == block_groups(config.generator, teacher)
    clipped = {}
    for name in after:
        axes, spectral = before[name].axes, f"{name}_orig" in state
        weight = _chosen(state[f"{name}_orig" if spectral else name], axes, kept)
        if not spectral:
            clipped[name] = weight
            continue
        u, v = power_iterations(weight, _chosen(state[f"{name}_u"], axes[:1], kept))
        clipped.update({f"{name}_orig": weight, f"{name}_u": u, f"{name}_v": v})
    return clipped


def kept_by_widths(
    state: Mapping[str, Any], config: Config, student: GeneratorConfig, *, num_labels: int
) -> Kept:
    """The channels that a student of given widths keeps: of each group those of the best scores.

    They are those that clip_to kept where it gave these widths.

    Args:
        state: the teacher's, with or without spectral norm.
        config: the teacher's.
        student: the student's ``generator``.
        num_labels: of the label set of both.

    Raises:
        ConfigError: the student is no narrower version of the teacher.
    """
    options, teacher = config.generator, widths_of(config)
    for name in SAME_FIELDS:
        expected, found = (_comparable(getattr(each, name)) for each in (options, student))
        if expected != found:
            raise _misfit(name, expected, found)
    widths = GeneratorWidths.of_options(student, has_style=config.encoder.style_dim > 0)
    pairs = zip(block_groups(options, teacher), block_groups(student, widths))
    for expected, found in pairs:
        if expected.learned_shortcut != found.learned_shortcut:
            shortcuts = ("as many channels out as in", "other channels out than in")
            raise _misfit(
                f"widths: {expected.name}",
                shortcuts[expected.learned_shortcut],
                shortcuts[found.learned_shortcut],
            )
    counts = group_sizes(student, widths)
    for group, most in group_sizes(options, teacher).items():
        if counts[group] > most:
            raise _misfit(f"widths: {group}", f"at most {most} channels", counts[group])
    return best_channels(channel_scores(state, config, num_labels=num_labels), counts)


def _chosen(value: paddle.Tensor, axes: Sequence[Axis], kept: Kept) -> paddle.Tensor:
    for number, axis in enumerate(axes):
        if axis.group is not None:
            places = paddle.to_tensor(axis.places(kept[axis.group]))
            value = paddle.index_select(value, places, axis=number)
    return value


def _comparable(value: Any) -> Any:
    """``sync_batch`` and ``batch`` have the same tensors."""
    return "batch" if value == "sync_batch" else value


def _misfit(name: str, expected: Any, found: Any) -> ConfigError:
    return ConfigError(
        f"generator.{name}: expected {expected}, as in the teacher, got {found}; a student that "
        "is clipped is a narrower version of its teacher: take the configuration that "
        "tools/compress.py wrote, or fresh weights",
        code="config_value",
    )
