"""Selects which of the teacher's channels a student keeps, and slices its weights."""

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
"""Fields of ``generator`` in which a pruned student must agree with its teacher."""


@paddle.no_grad()
def pruned_state(
    state: Mapping[str, paddle.Tensor], kept: Kept, config: Config, *, num_labels: int
) -> dict[str, paddle.Tensor]:
    """Return the state dict of the student: the kept channels of every tensor.

    Where the teacher has spectral norm, so has the student: starting from the kept entries of u,
    power iterations on the smaller weight give its u and v. The smaller weight has a smaller
    largest singular value, so the student's effective weights are larger than the teacher's.

    Args:
        state: state dict of the teacher, with or without spectral norm.
        kept: channels of every group, from prune_to_budget or kept_by_widths.
        config: configuration of the teacher.
        num_labels: number of labels in the teacher's label set.
    """
    teacher = widths_of(config)
    counts = {group: len(channels) for group, channels in kept.items()}
    before = tensor_axes(config, num_labels=num_labels, widths=teacher)
    student = resized(config.generator, teacher, counts)
    after = tensor_axes(config, num_labels=num_labels, widths=student)
    # if a shortcut became the identity, or stopped being it, tensors would be missing
    assert block_groups(config.generator, student) == block_groups(config.generator, teacher)
    pruned = {}
    for name in after:
        axes, spectral = before[name].axes, f"{name}_orig" in state
        weight = _chosen(state[f"{name}_orig" if spectral else name], axes, kept)
        if not spectral:
            pruned[name] = weight
            continue
        u, v = power_iterations(weight, _chosen(state[f"{name}_u"], axes[:1], kept))
        pruned.update({f"{name}_orig": weight, f"{name}_u": u, f"{name}_v": v})
    return pruned


def kept_by_widths(
    state: Mapping[str, Any], config: Config, student: GeneratorConfig, *, num_labels: int
) -> Kept:
    """Choose the channels that a student of given widths keeps: the best-scored of each group.

    If the widths come from prune_to_budget, these are the channels that it kept.

    Args:
        state: state dict of the teacher, with or without spectral norm.
        config: configuration of the teacher.
        student: ``generator`` section of the student's configuration.
        num_labels: number of labels in their label set.

    Raises:
        ConfigError: the student is not a narrower version of the teacher.
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
            shortcuts = ("as many output as input channels", "other output than input channels")
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
            indices = paddle.to_tensor(axis.indices(kept[axis.group]))
            value = paddle.index_select(value, indices, axis=number)
    return value


def _comparable(value: Any) -> Any:
    """Treat ``sync_batch`` like ``batch``: both have the same tensors."""
    return "batch" if value == "sync_batch" else value


def _misfit(name: str, expected: Any, found: Any) -> ConfigError:
    return ConfigError(
        f"generator.{name}: expected {expected}, as in the teacher, got {found}; a pruned student "
        "must be a narrower version of its teacher: use the configuration that tools/compress.py "
        "wrote, or start from new weights (distillation.student_start=scratch)",
        code="config_value",
    )
