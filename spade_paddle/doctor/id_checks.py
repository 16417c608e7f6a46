"""Findings about unknown ids, and what they come from: multiplied ids, or ids that count from 1."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.doctor.findings import Finding, shorten
from spade_paddle.doctor.maps import MapFacts
from spade_paddle.doctor.survey import Survey

_SHOWN = 8


@dataclass(frozen=True)
class Numbering:
    """How the maps of a data set number their labels, where they hold unknown ids.

    Args:
        stretch: value -> id, where ids were multiplied to be seen as grey.
        stretched: names of the maps that were.
        from_one: all maps count from 1.
    """

    stretch: dict[int, int]
    stretched: tuple[str, ...] = ()
    from_one: bool = False


def check_ids(survey: Survey) -> Iterator[Finding]:
    """Every finding of this file."""
    maps = dict(survey.maps_read())
    highest = len(survey.label_set) - 1
    numbering = numbering_of(maps, num_labels=highest + 1)
    if numbering.stretched:
        used = set().union(*(maps[name].ids for name in numbering.stretched))
        pairs = [f"{v} for {numbering.stretch[v]}" for v in sorted(used & set(numbering.stretch))]
        yield Finding(
            "ids_multiplied",
            f"ids look multiplied, as if to see them as grey: {shorten(pairs[:6], pairs)}",
            numbering.stretched,
            "save the ids themselves; --fix undoes it, look at what it makes of them",
        )
    if numbering.from_one:
        yield Finding(
            "ids_off_by_one",
            f"the ids are 1..{highest + 1}, never 0, and the label set '{survey.label_set.name}' "
            f"knows 0..{highest}: these maps count their labels from 1",
            tuple(maps),
            "renumber them with tools/remap.py, or let --fix subtract 1",
        )
        return
    unknown = {
        name: facts.labels - set(range(highest + 1))
        for name, facts in maps.items()
        if name not in numbering.stretched
    }
    unknown = {name: ids for name, ids in unknown.items() if ids}
    if unknown:
        yield _unknown(survey, maps, unknown)


def _unknown(survey: Survey, maps: dict[str, MapFacts], unknown: dict[str, set[int]]) -> Finding:
    highest = len(survey.label_set) - 1
    pixels = Counter[int]()
    for name, ids in unknown.items():
        pixels.update({value: (maps[name].counts or {})[value] for value in ids})
    values = [str(value) for value in sorted(pixels)]
    share = sum(pixels.values()) / sum(sum((maps[n].counts or {}).values()) for n in unknown)
    return Finding(
        "label_unknown",
        f"unknown label ids {shorten(values[:_SHOWN], values)} ({share:.1%} of these maps); the "
        f"label set '{survey.label_set.name}' knows 0..{highest} (and {DONT_CARE} for don't care)",
        tuple(unknown),
        "name the label set they were drawn with (--labels), or bring them into this one with "
        "tools/remap.py; --fix makes them don't care",
    )


def numbering_of(maps: dict[str, MapFacts], *, num_labels: int) -> Numbering:
    """Find out how maps with unknown ids number their labels."""
    odd = {name: facts for name, facts in maps.items() if _unknown_ids(facts, num_labels)}
    stretch = _stretch(odd.values(), num_labels)
    stretched = tuple(name for name, facts in odd.items() if facts.labels <= set(stretch))
    rest = [facts for name, facts in odd.items() if name not in stretched]
    used = set().union(*(facts.labels for facts in maps.values()))
    from_one = (
        bool(rest)
        and not stretched
        and used <= set(range(1, num_labels + 1))
        and len(used) > num_labels / 2
    )
    return Numbering(stretch, stretched, from_one)


def _unknown_ids(facts: MapFacts, num_labels: int) -> set[int]:
    return facts.labels - set(range(num_labels))


def _stretch(maps: Iterable[MapFacts], num_labels: int) -> dict[int, int]:
    """value -> id for maps whose ids were multiplied by one factor; empty when they were not."""
    clear = [facts.labels - {0} for facts in maps if _looks_stretched(facts, num_labels)]
    if not clear:
        return {}
    used = set().union(*clear)
    for full in _full_ranges(num_labels):
        if used <= set(full):
            return {value: label for label, value in enumerate(full)}
    factor = math.gcd(*used) if len(used) > 1 else used.pop()
    return {factor * label: label for label in range(num_labels)}


def _looks_stretched(facts: MapFacts, num_labels: int) -> bool:
    """Two or more ids, most of them unknown, all of them multiples of a number that fits."""
    ids = facts.labels - {0}
    if len(ids) < 2 or 2 * len(_unknown_ids(facts, num_labels)) <= len(ids):
        return False
    factor = math.gcd(*ids)
    fits = factor > 1 and max(ids) // factor < num_labels
    return fits or (len(ids) > 2 and any(ids <= set(r) for r in _full_ranges(num_labels)))


def _full_ranges(num_labels: int) -> list[list[int]]:
    """0..K-1 spread over 0..255 as programs do it: cut off, or rounded."""
    spread = np.arange(num_labels) * 255 / max(num_labels - 1, 1)
    ranges = (np.floor(spread), np.rint(spread), np.floor(spread + 0.5))
    return [values.astype(int).tolist() for values in ranges]
