"""Findings about labels that the training photos hardly have, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spade_paddle.data.labels import Label
from spade_paddle.doctor.findings import Finding, shorten
from spade_paddle.doctor.summary import PartSummary
from spade_paddle.doctor.survey import Survey

FEW_PHOTOS = 5  # of 50 and more; below that a tenth of the photos
_SHOWN = 12


def check_labels(survey: Survey, train: PartSummary) -> Iterator[Finding]:
    """Every finding of this file. A quick look, which reads a sample, cannot know."""
    if survey.quick or not train.maps_read:
        return
    few = min(FEW_PHOTOS, train.maps_read / 10)
    labels = survey.label_set.labels
    empty = [label for label in labels if train.maps[label.id] == 0]
    rare = [label for label in labels if 0 < train.maps[label.id] < few]
    if empty:
        yield Finding(
            "labels_empty",
            f"no label map to train with has {_told(empty)}",
            hint="such doodles will be painted as noise: add photos, or take a label set without "
            "these",
        )
    if rare:
        counts = ", ".join(f"{label.name_en} in {train.maps[label.id]}" for label in rare)
        yield Finding(
            "labels_rare",
            f"labels that few of the {train.maps_read} label maps to train with have: {counts}",
            hint="add photos of them, or merge them with a label like them (tools/remap.py)",
        )


def _told(labels: Sequence[Label]) -> str:
    names = [f"{label.id} ({label.name_en})" for label in labels]
    return shorten(names[:_SHOWN], names)
