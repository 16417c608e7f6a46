"""Findings about single photos, and about photos and maps of different sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from spade_paddle.doctor.findings import Finding, shorten
from spade_paddle.doctor.survey import SceneFacts, Survey

EXTREME_ASPECT = 4.0  # longer side over shorter one
_SHOWN = 3


def check_photos(survey: Survey) -> Iterator[Finding]:
    """Every finding of this file."""
    readable = [scene for scene in survey.scenes if not scene.photo.problem]
    yield from _unreadable(survey)
    yield from _sizes(survey, readable)
    yield from _small(survey, readable)
    yield from _shapes(survey, readable)
    yield from _conversions(survey, readable)


def _photos(survey: Survey, scenes: list[SceneFacts]) -> tuple[str, ...]:
    return survey.names([scene.pair.photo for scene in scenes])


def _unreadable(survey: Survey) -> Iterator[Finding]:
    broken = [scene for scene in survey.scenes if scene.photo.problem]
    if broken:
        reasons = [f"{s.pair.photo.name}: {s.photo.problem}" for s in broken]
        yield Finding(
            "photo_unreadable",
            f"cannot be read as a photo: {shorten(reasons[:_SHOWN], reasons)}",
            _photos(survey, broken),
            "get the files anew; --fix leaves them out",
        )


def _sizes(survey: Survey, scenes: list[SceneFacts]) -> Iterator[Finding]:
    lying, differing = {}, {}  # name of the map -> what is wrong
    for scene in scenes:
        photo = scene.photo
        for path, other in (
            (scene.pair.label_map, scene.label_map),
            (scene.pair.instance_map, scene.instance_map),
        ):
            if other is None or other.problem or other.size == photo.size:
                continue
            sizes = "the map is {}x{} pixels but its photo {}x{}".format(*other.size, *photo.size)
            only_turned = other.size == photo.stored
            (lying if only_turned else differing)[survey.name(path)] = sizes
    if lying:
        yield Finding(
            "sizes_differ_exif",
            f"{next(iter(lying.values()))}: it was drawn on the photo as it is stored, which its "
            "EXIF data turns when it is shown or read",
            tuple(lying),
            "turn the maps as well; --fix does it",
        )
    if differing:
        yield Finding(
            "sizes_differ",
            next(iter(differing.values())),
            tuple(differing),
            "make them the same size; --fix does it where their proportions agree",
        )


def _lying(scene: SceneFacts) -> bool:
    """The label map fits the photo as it is stored, and not as it is shown."""
    return scene.label_map.size == scene.photo.stored != scene.photo.size


def _small(survey: Survey, scenes: list[SceneFacts]) -> Iterator[Finding]:
    if survey.config is None:
        return
    data = survey.config.data
    if not data.crops and data.load_mode != "fixed":
        return
    width, height = data.crop_size, data.crop_height
    small = [s for s in scenes if s.photo.size[0] < width or s.photo.size[1] < height]
    if small:
        least = min(small, key=lambda scene: min(scene.photo.size)).photo.size
        yield Finding(
            "photo_small",
            f"smaller than the training pictures of {width}x{height} pixels, so they are enlarged "
            f"and blurred; the smallest is {least[0]}x{least[1]}",
            _photos(survey, small),
            "take larger photos or a smaller data.crop_size",
        )


def _shapes(survey: Survey, scenes: list[SceneFacts]) -> Iterator[Finding]:
    long = [s for s in scenes if max(s.photo.size) > EXTREME_ASPECT * min(s.photo.size)]
    if long:
        size = max(long, key=lambda s: max(s.photo.size) / min(s.photo.size)).photo.size
        yield Finding(
            "photo_aspect",
            f"more than {EXTREME_ASPECT:g} times as long as wide, the most extreme "
            f"{size[0]}x{size[1]}; random crops see little of them, fixed sizes distort them",
            _photos(survey, long),
            "cut them into several pictures, or leave them out",
        )
    turned = [s for s in scenes if s.photo.orientation != 1 and not _lying(s)]
    if turned:
        yield Finding(
            "photo_rotated",
            "stored lying or mirrored, turned upright by their EXIF data when they are read; the "
            "label maps must be upright",
            _photos(survey, turned),
            "nothing, if the label maps fit; --fix stores them upright",
        )


def _conversions(survey: Survey, scenes: list[SceneFacts]) -> Iterator[Finding]:
    groups: dict[str, list[SceneFacts]] = defaultdict(list)
    for scene in scenes:
        if scene.photo.converted:
            groups[scene.photo.converted].append(scene)
    if groups:
        kinds = ", ".join(f"{len(group)} {kind}" for kind, group in groups.items())
        yield Finding(
            "photo_mode",
            f"made 8-bit RGB when they are read: {kinds}",
            _photos(survey, [scene for group in groups.values() for scene in group]),
            "look whether their colours are as they should be; --fix stores them as RGB",
        )
