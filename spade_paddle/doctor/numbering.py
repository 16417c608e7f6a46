"""Unknown ids, and what they come from: multiplied ids, or ids that count from 1."""

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
    """How the maps of a data set number their labels, where they hold unknown ids.

    Args:
        stretch: value -> id, where ids were multiplied to be seen as gray.
        stretched: the maps that were.
        from_one: all maps count from 1.
    """

    stretch: dict[int, int]
    stretched: tuple[Path, ...]
    from_one: bool


def check_ids(survey: Survey) -> Iterator[Issue]:
    """The issues of this file."""
    maps, num_labels = maps_read(survey.scenes), len(survey.label_set)
    numbering = numbering_of(maps, num_labels=num_labels)
    known = f"the label set '{survey.label_set.name}' knows 0..{num_labels - 1}"
    if numbering.from_one:
        found = f"the ids are 1..{num_labels}, never 0, and {known}"
        yield Issue("ids_off_by_one", list(maps), found)
        return
    if numbering.stretched:
        used = set().union(*(maps[path].ids for path in numbering.stretched))
        values = [f"{v} for {numbering.stretch[v]}" for v in sorted(used & set(numbering.stretch))]
        yield Issue("ids_multiplied", numbering.stretched, shorten(values, 6))
    foreign = {
        path: facts
        for path, facts in maps.items()
        if path not in numbering.stretched and facts.labels - set(range(num_labels))
    }
    if foreign:
        pixels = [pixel for facts in foreign.values() for pixel in (facts.counts or {}).items()]
        ids = set().union(*(facts.labels for facts in foreign.values())) - set(range(num_labels))
        share = sum(number for value, number in pixels if value in ids)
        share /= sum(number for _, number in pixels)
        told = shorten([str(value) for value in sorted(ids)], 8)
        yield Issue("label_unknown", list(foreign), f"{told} ({share:.1%} of these maps); {known}")


def numbering_of(maps: Mapping[Path, MapFacts], *, num_labels: int) -> Numbering:
    """Find out how maps with unknown ids number their labels."""
    known = set(range(num_labels))
    odd = {path: facts.labels for path, facts in maps.items() if facts.labels - known}
    stretch = _stretch(
        [ids for ids in odd.values() if _looks_stretched(ids, num_labels)], num_labels
    )
    stretched = tuple(path for path, ids in odd.items() if ids <= set(stretch))
    used = set().union(*(facts.labels for facts in maps.values()))
    counts_from_one = used <= set(range(1, num_labels + 1)) and len(used) > num_labels / 2
    return Numbering(stretch, stretched, bool(odd) and not stretched and counts_from_one)


def _stretch(maps: list[set[int]], num_labels: int) -> dict[int, int]:
    """value -> id for the ids of maps that were multiplied by one factor; empty without maps."""
    if not maps:
        return {}
    used = set().union(*maps) - {0}
    for full in _full_ranges(num_labels):
        if used <= set(full):
            return {value: label for label, value in enumerate(full)}
    factor = math.gcd(*used)
    return {factor * label: label for label in range(num_labels)}


def _looks_stretched(ids: set[int], num_labels: int) -> bool:
    """Two or more ids, most of them unknown, all of them multiples of a number that fits."""
    ids = ids - {0}
    if len(ids) < 2 or 2 * len(ids - set(range(num_labels))) <= len(ids):
        return False
    factor = math.gcd(*ids)
    fits = factor > 1 and max(ids) // factor < num_labels
    return fits or (len(ids) > 2 and any(ids <= set(full) for full in _full_ranges(num_labels)))


def _full_ranges(num_labels: int) -> list[list[int]]:
    """0..K-1 spread over 0..255 as programs do it: cut off, or rounded."""
    spread = np.arange(num_labels) * 255 / max(num_labels - 1, 1)
    ranges = (np.floor(spread), np.rint(spread), np.floor(spread + 0.5))
    return [values.astype(int).tolist() for values in ranges]
