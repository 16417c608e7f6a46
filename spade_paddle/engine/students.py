"""Starts the run of a student: a smaller generator made from a trained one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable

from spade_paddle.compression.clipping import Pruning
from spade_paddle.compression.slicing import kept_by_widths, pruned_state
from spade_paddle.config import Config, GeneratorConfig
from spade_paddle.engine.initial_weights import Source
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.errors import CompressionError


def is_pruned(old: Config, new: Config) -> bool:
    """Whether a new run has other generator widths than its source."""
    return new.generator.widths not in (None, old.generator.widths)


def pruned_source(source: Source, student: GeneratorConfig) -> Source:
    """Prune the generator of a source to the student's widths, keeping the best channels.

    Raises:
        ConfigError: the student is not a narrower version of the source.
    """
    config, labels, weights = source.config, len(source.label_set), source.weights["generator"]
    kept = kept_by_widths(weights, config, student, num_labels=labels)
    narrower = dataclasses.replace(config.generator, widths=student.widths)
    return dataclasses.replace(
        source,
        config=dataclasses.replace(config, generator=narrower),
        weights={
            **source.weights,
            "generator": pruned_state(weights, kept, config, num_labels=labels),
        },
    )


def begin_student(
    out: Path,
    teacher: Path,
    source: Source,
    pruning: Pruning,
    *,
    config: Config,
    warn: Callable[[str], None],
) -> None:
    """Write the run folder of a student, ready for tools/train.py.

    If the student starts from its teacher's channels, the folder has a snapshot of 0 images, which
    can be exported: the pruned averaged weights of the teacher.

    Args:
        out: the run folder.
        teacher: the folder that ``source`` was read from.
        source: the teacher.
        pruning: the channels to keep.
        config: configuration of the student.
        warn: called with a message for each damaged checkpoint.

    Raises:
        CompressionError: the folder already contains a run.
    """
    run = RunFolder(out)
    if run.has_config:
        raise CompressionError(
            f"{out}: there is already a run here; use another --out, or remove it",
            code="student_exists",
        )
    if config.distillation.student_start == "clipped":
        run.keep(_averages(Source.read(teacher, warn=warn, averaged=True).faded_in(), pruning))
    run.describe(config, source.label_set)  # last: config.yaml marks the folder as a run


def _averages(source: Source, pruning: Pruning) -> dict[str, Any]:
    labels = len(source.label_set)
    average = pruned_state(
        source.weights["generator"], pruning.kept, source.config, num_labels=labels
    )
    state = {"average": average, "images_seen": 0, "seconds": 0.0}
    if "encoder" in source.weights:
        state["average_encoder"] = source.weights["encoder"]
    return state
