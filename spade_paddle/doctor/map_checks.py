"""Findings about single label maps and instance maps: kind of file, borders, don't care."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.doctor.borders import MANY_RAMPS
from spade_paddle.doctor.findings import Finding, shorten
from spade_paddle.doctor.survey import Survey

MUCH_DONT_CARE = 0.5  # of a map
_SHOWN = 3
_HINTS = {
    "label_map_unreadable": "get the files anew; --fix leaves them out",
    "label_map_jpeg": "JPEG changes ids beyond repair: save the map as PNG from where it was made; "
    "--fix can only read JPEGs in the label set's colours",
    "label_map_colour": "a label map is a grey or palette PNG whose values are ids; --fix reads "
    "the label set's colours and grey saved as colour",
}
_MESSAGES = {
    "label_map_unreadable": "cannot be read as a label map",
    "label_map_jpeg": "a label map must not be a JPEG, whatever its ending",
    "label_map_colour": "colours are not ids",
}


def check_maps(survey: Survey) -> Iterator[Finding]:
    """Every finding of this file."""
    yield from _unusable(survey)
    yield from _modes(survey)
    yield from _dont_care(survey)
    yield from _drawn_otherwise(survey)
    yield from _instances(survey)


def _unusable(survey: Survey) -> Iterator[Finding]:
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for scene in survey.scenes:
        if scene.label_map.code:
            name = survey.name(scene.pair.label_map)
            groups[scene.label_map.code].append((name, scene.label_map.problem))
    for code, group in groups.items():
        reasons = list(dict.fromkeys(problem for _, problem in group))
        message = f"{_MESSAGES[code]}: {shorten(reasons[:_SHOWN], reasons)}"
        yield Finding(code, message, tuple(name for name, _ in group), _HINTS[code])


def _modes(survey: Survey) -> Iterator[Finding]:
    odd = {
        survey.name(scene.pair.label_map): scene.label_map.mode
        for scene in survey.scenes
        if not scene.label_map.code and scene.label_map.mode not in ("L", "P")
    }
    if odd:
        kinds = {"1": "one bit a pixel", "I": "16 bits or more", "I;16": "16 bits"}
        found = sorted({kinds[mode] for mode in odd.values()})
        yield Finding(
            "label_map_mode",
            f"label maps have 8 bits a pixel, these have {' or '.join(found)}; they are read all "
            "the same",
            tuple(odd),
            "nothing, or --fix, which stores them with 8 bits",
        )


def _dont_care(survey: Survey) -> Iterator[Finding]:
    shares = {name: facts.dont_care for name, facts in survey.maps_read()}
    whole = [name for name, share in shares.items() if share == 1]
    much = [name for name, share in shares.items() if MUCH_DONT_CARE < share < 1]
    if whole:
        yield Finding(
            "dont_care_whole",
            f"the whole map is {DONT_CARE}, don't care: nothing can be learned from it",
            tuple(whole),
            "draw them, or leave them out, as --fix does",
        )
    if much:
        yield Finding(
            "dont_care_much",
            f"more than half of the map is {DONT_CARE}, don't care, up to "
            f"{max(shares[name] for name in much):.0%}",
            tuple(much),
            "draw more of them, or leave them out",
        )
    some = [name for name, share in shares.items() if share > 0]
    if some and survey.config is not None and not survey.config.data.dont_care:
        yield Finding(
            "dont_care_off",
            f"{DONT_CARE}, don't care, occurs, but data.dont_care is false: the networks see no "
            "label at all there",
            tuple(some),
            "set data.dont_care: true",
        )


def _drawn_otherwise(survey: Survey) -> Iterator[Finding]:
    maps = dict(survey.maps_read())
    ramps = [name for name, facts in maps.items() if facts.ramp_share > MANY_RAMPS]
    if ramps:
        yield Finding(
            "label_map_interpolated",
            "along the borders lie ids between those of both sides: the map was resized or turned "
            "as if ids were brightness, and those borders name wrong things",
            tuple(ramps),
            "make them anew, resized by nearest neighbour",
        )
    displaced = {name: facts.displaced for name, facts in maps.items() if facts.displaced}
    if displaced:
        labels = survey.label_set.labels
        value, label = next(
            (v, i) for found in displaced.values() for v, i in found.items() if v != i
        )
        yield Finding(
            "label_map_palette",
            f"values and colours contradict each other: value {value} has the colour of "
            f"{label} ({labels[label].name_en}); training goes by the values",
            tuple(displaced),
            "if the colours are right, save the maps as RGB pictures and let --fix read them",
        )
    masks = [name for name, facts in maps.items() if facts.ids == {0, DONT_CARE}]
    if masks:
        two = len(survey.label_set) == 2
        yield Finding(
            "label_map_mask",
            f"only 0 and {DONT_CARE}: a black and white mask? {DONT_CARE} means don't care here "
            "(ids look multiplied)",
            tuple(masks),
            "write 1 for white; --fix does it" if two else "write the id of what is white",
        )


def _instances(survey: Survey) -> Iterator[Finding]:
    broken, shared = {}, {}
    for scene in survey.scenes:
        if scene.instance_map is None:
            continue
        name = survey.name(scene.pair.instance_map)
        if scene.instance_map.problem:
            broken[name] = scene.instance_map.problem
        elif scene.instance_map.shared:
            shared[name] = scene.instance_map.shared
    if broken:
        yield Finding(
            "instance_map_unreadable",
            f"cannot be read as an instance map: {next(iter(broken.values()))}",
            tuple(broken),
            "an instance map is a grey PNG of 8 or 16 bits; --fix leaves them out",
        )
    if shared:
        yield Finding(
            "instances_overflow",
            f"one instance lies in several labels (number {next(iter(shared.values()))[0]}): more "
            "numbers than 8 bits hold, or counted anew for each label; edges between them are lost",
            tuple(shared),
            "number the instances of a picture 1, 2, 3, ... and save them with 16 bits",
        )
