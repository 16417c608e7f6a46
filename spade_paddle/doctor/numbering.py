"""Finds unknown ids, and their cause: multiplied ids, or ids that start at 1."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.doctor.findings import Issue, shorten
from spade_paddle.doctor.map_facts import MapFacts
from spade_paddle.doctor.survey import Survey, maps_read


@dataclass(frozen=True)
class Numbering:
    """How the maps of a data set number their labels, if they have unknown ids.

    Args:
        scaled_ids: value -> id, if ids were multiplied to be visible as gray levels.
        scaled_maps: the maps with such values.
        from_one: whether all maps number their labels from 1.
    """

    scaled_ids: dict[int, int]
    scaled_maps: tuple[Path, ...]
    from_one: bool


def check_ids(survey: Survey) -> Iterator[Issue]:
    """Find maps with unknown ids."""
    maps, num_labels = maps_read(survey.scenes), len(survey.label_set)
    numbering = numbering_of(maps, num_labels=num_labels)
    known = f"the label set '{survey.label_set.name}' has 0..{num_labels - 1}"
    if numbering.from_one:
        found = f"the ids are 1..{num_labels}, never 0, and {known}"
        yield Issue("ids_off_by_one", list(maps), found)
        return
    if numbering.scaled_maps:
        used = set().union(*(maps[path].ids for path in numbering.scaled_maps))
        values = [
            f"{v} for {numbering.scaled_ids[v]}" for v in sorted(used & set(numbering.scaled_ids))
        ]
        yield Issue("ids_multiplied", numbering.scaled_maps, shorten(values, 6))
    foreign = {
        path: facts
        for path, facts in maps.items()
        if path not in numbering.scaled_maps and facts.labels - set(range(num_labels))
    }
    if foreign:
        pixels = [pixel for facts in foreign.values() for pixel in (facts.counts or {}).items()]
        ids = set().union(*(facts.labels for facts in foreign.values())) - set(range(num_labels))
        share = sum(number for value, number in pixels if value in ids)
        share /= sum(number for _, number in pixels)
        listed = shorten([str(value) for value in sorted(ids)], 8)
        yield Issue(
            "label_unknown", list(foreign), f"{listed} ({share:.1%} of these maps); {known}"
        )


def numbering_of(maps: Mapping[Path, MapFacts], *, num_labels: int) -> Numbering:
    """Infer how maps with unknown ids number their labels."""
    known = set(range(num_labels))
    odd = {path: facts.labels for path, facts in maps.items() if facts.labels - known}
    scaled_ids = _scaled_ids(
        [ids for ids in odd.values() if _looks_scaled(ids, num_labels)], num_labels
    )
    scaled_maps = tuple(path for path, ids in odd.items() if ids <= set(scaled_ids))
    used = set().union(*(facts.labels for facts in maps.values()))
    counts_from_one = used <= set(range(1, num_labels + 1)) and len(used) > num_labels / 2
    return Numbering(scaled_ids, scaled_maps, bool(odd) and not scaled_maps and counts_from_one)


def _scaled_ids(maps: list[set[int]], num_labels: int) -> dict[int, int]:
    """value -> id for maps whose ids were multiplied by one factor; empty without maps."""
    if not maps:
        return {}
    used = set().union(*maps) - {0}
    for full in _full_ranges(num_labels):
        if used <= set(full):
            return {value: label for label, value in enumerate(full)}
    factor = math.gcd(*used)
    return {factor * label: label for label in range(num_labels)}


def _looks_scaled(ids: set[int], num_labels: int) -> bool:
    """Whether there are two or more ids, most of them unknown, that have a common factor or are
    spread over 0..255."""
    ids = ids - {0}
    if len(ids) < 2 or 2 * len(ids - set(range(num_labels))) <= len(ids):
        return False
    factor = math.gcd(*ids)
    fits = factor > 1 and max(ids) // factor < num_labels
    return fits or (len(ids) > 2 and any(ids <= set(full) for full in _full_ranges(num_labels)))


def _full_ranges(num_labels: int) -> list[list[int]]:
    """0..K-1 spread over 0..255 with the usual ways to round."""
    spread = np.arange(num_labels) * 255 / max(num_labels - 1, 1)
    ranges = (np.floor(spread), np.rint(spread), np.floor(spread + 0.5))
    return [values.astype(int).tolist() for values in ranges]
