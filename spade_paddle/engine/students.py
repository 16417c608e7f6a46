"""Starts the run of a smaller generator that is made from a trained one."""

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


def clips(old: Config, new: Config) -> bool:
    """Whether a run begins with some of the channels of its source."""
    return new.generator.widths not in (None, old.generator.widths)


def pruned_source(source: Source, student: GeneratorConfig) -> Source:
    """A source whose generator has the student's widths, and of its own channels the best.

    Raises:
        ConfigError: the student is no narrower version of the source.
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
    clipping: Pruning,
    *,
    config: Config,
    warn: Callable[[str], None],
) -> None:
    """Write the run folder of a student, with which tools/train.py goes on.

    If the student begins with its teacher's channels the folder has a snapshot of 0 images, which
    can be exported: the teacher's averages with the others left out.

    Args:
        out: the run folder.
        teacher: the folder that ``source`` was read from.
        config: the student's.
        warn: is told of damaged checkpoints.

    Raises:
        CompressionError: there is a run in the folder already.
    """
    run = RunFolder(out)
    if run.described:
        raise CompressionError(
            f"{out}: there is a run already; give another --out, or remove it",
            code="student_exists",
        )
    if config.distillation.student_start == "clipped":
        run.keep(_averages(Source.read(teacher, warn=warn, averaged=True).faded_in(), clipping))
    run.describe(config, source.label_set)  # last: with it the folder is a run


def _averages(source: Source, clipping: Pruning) -> dict[str, Any]:
    labels = len(source.label_set)
    average = pruned_state(
        source.weights["generator"], clipping.kept, source.config, num_labels=labels
    )
    state = {"average": average, "images_seen": 0, "seconds": 0.0}
    if "encoder" in source.weights:
        state["average_encoder"] = source.weights["encoder"]
    return state
