"""Checks label and instance maps: file format, interpolation, don't care, rare labels."""

from __future__ import annotations

from collections.abc import Iterator

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.doctor.findings import Issue, shorten
from spade_paddle.doctor.summary import PartSummary
from spade_paddle.doctor.survey import Survey, maps_read

# Correct maps have ramps at up to 1/8 of their borders (small maps, by chance), interpolated maps
# at 1/3 and more.
MANY_RAMPS = 0.2
_MUCH_DONT_CARE = 0.5  # of a map
_DEPTHS = {"1": "1 bit", "I": "16 bits or more", "I;16": "16 bits"}
_FEW_PHOTOS = 5  # if there are 50 or more; else a tenth of the photos
_SHOWN = 12  # absent labels to list


def check_maps(survey: Survey) -> Iterator[Issue]:
    """Find the issues of single maps."""
    for scene in survey.scenes:
        path, facts, instances = scene.pair.label_map, scene.label_map, scene.instance_map
        if facts.code:
            yield Issue(facts.code, [path], facts.problem)
        elif facts.mode in _DEPTHS:
            yield Issue("label_map_mode", [path], _DEPTHS[facts.mode])
        if instances is not None and instances.code:
            yield Issue(instances.code, [scene.pair.instance_map], instances.problem)
        elif instances is not None and instances.shared:
            number = f"number {instances.shared[0]}"
            yield Issue("instances_overflow", [scene.pair.instance_map], number)
    maps = maps_read(survey.scenes)
    for path, facts in maps.items():
        if facts.ramp_share > MANY_RAMPS:
            yield Issue("label_map_interpolated", [path])
        if facts.displaced:
            value, label = next(iter(facts.displaced.items()))
            name = survey.label_set.labels[label].name_en
            color = f"value {value} has the color of {label} ({name})"
            yield Issue("label_map_palette", [path], color)
        if facts.ids == {0, DONT_CARE}:
            yield Issue("label_map_mask", [path])
        if facts.dont_care == 1:
            yield Issue("dont_care_whole", [path])
        if facts.dont_care > 0 and survey.config and not survey.config.data.dont_care:
            yield Issue("dont_care_off", [path])
    shares = {path: facts.dont_care for path, facts in maps.items()}
    much = {path: share for path, share in shares.items() if _MUCH_DONT_CARE < share < 1}
    if much:
        yield Issue("dont_care_much", list(much), f"{max(much.values()):.0%}")


def check_labels(survey: Survey, train: PartSummary) -> Iterator[Issue]:
    """Find labels that are rare or absent in training, which a quick survey, which reads only a
    sample, cannot know."""
    if survey.quick or not train.maps_read:
        return
    few = min(_FEW_PHOTOS, train.maps_read / 10)
    labels = survey.label_set.labels
    empty = [f"{label.id} ({label.name_en})" for label in labels if not train.maps[label.id]]
    if empty:
        yield Issue("labels_empty", detail=shorten(empty, _SHOWN))
    rare = [label for label in labels if 0 < train.maps[label.id] < few]
    if rare:
        counts = ", ".join(f"{label.name_en} in {train.maps[label.id]}" for label in rare)
        detail = f"{counts} of {train.maps_read} label maps for training"
        yield Issue("labels_rare", detail=detail)
