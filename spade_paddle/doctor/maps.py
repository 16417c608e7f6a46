"""What one label map or instance map file is, told without an exception."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.data.colour_table import pack, unpack
from spade_paddle.data.label_pictures import ID_MODES, ids_in_grey, read_ids
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.doctor.borders import ramp_share
from spade_paddle.doctor.pictures import why_unreadable

NOTHING = np.zeros((0, 0), np.uint8)
GREY = "grey saved as colour"


@dataclass(frozen=True)
class MapFacts:
    """A map; ``code`` is that of the finding when it cannot be used, ``problem`` the reason.

    Of a map whose header only was read, ``counts`` is None; what stands below it is known of maps
    that were read whole.
    """

    code: str = ""
    problem: str = ""
    size: tuple[int, int] = (0, 0)  # width, height
    mode: str = ""  # as Pillow calls it
    counts: dict[int, int] | None = None  # pixels of every value
    ramp_share: float = 0.0  # see borders.py
    displaced: dict[int, int] = field(default_factory=dict)  # value -> id that its colour means
    digest: str = ""  # the same for maps that are the same pixel by pixel

    @property
    def ids(self) -> set[int]:
        """The values that occur, 255 among them."""
        return set(self.counts or ())

    @property
    def labels(self) -> set[int]:
        """The values that occur, without 255."""
        return self.ids - {DONT_CARE}

    @property
    def dont_care(self) -> float:
        """The share of 255, 0..1."""
        counts = self.counts or {}
        return counts.get(DONT_CARE, 0) / max(sum(counts.values()), 1)


def map_facts(
    path: Path, *, label_set: LabelSet, ids: bool, whole: bool
) -> tuple[MapFacts, np.ndarray]:
    """Look at a map: at its header only, with ``ids`` at its values, with ``whole`` at all of it.

    Returns:
        The facts, and the values [H, W], which are empty when they were not or cannot be read.
    """
    try:
        with Image.open(path) as image:
            facts = _header(image, label_set, ids=ids)
            if facts.code or not ids:
                return facts, NOTHING
            values = narrow(read_ids(path))
            facts = dataclasses.replace(facts, counts=count(values))
            if whole:
                facts = dataclasses.replace(
                    facts,
                    ramp_share=ramp_share(values),
                    displaced=displaced_colours(image, facts.labels, label_set),
                    digest=digest(values),
                )
            return facts, values
    except Exception as error:  # decoders of damaged files raise what they like
        return MapFacts("label_map_unreadable", why_unreadable(path, error)), NOTHING


def narrow(values: np.ndarray) -> np.ndarray:
    """Ids as ``uint8`` where that holds them, which is faster."""
    return values.astype(np.uint8) if values.size and values.max() < 256 else values


def digest(values: np.ndarray) -> str:
    """The same for arrays of one shape and content."""
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()


def count(values: np.ndarray) -> dict[int, int]:
    """How many pixels hold each value."""
    if values.dtype == np.uint8:
        pixels = np.bincount(values.ravel(), minlength=256)
        return {int(value): int(pixels[value]) for value in np.flatnonzero(pixels)}
    found, pixels = np.unique(values, return_counts=True)
    return {int(value): int(number) for value, number in zip(found, pixels)}


def _header(image: Image.Image, label_set: LabelSet, *, ids: bool) -> MapFacts:
    code = problem = ""
    if image.format == "JPEG":
        code, problem = "label_map_jpeg", "a JPEG"
    elif image.mode not in ID_MODES:
        code = "label_map_colour"
        problem = kind_of_colours(image, label_set) if ids else f"mode {image.mode}"
    return MapFacts(code, problem, image.size, image.mode)


def kind_of_colours(image: Image.Image, label_set: LabelSet) -> str:
    """What the colours of a picture that should hold ids may mean, in words."""
    pixels = np.asarray(image.convert("RGB"))
    if ids_in_grey(pixels) is not None:
        return GREY
    found = set(map(tuple, unpack(np.unique(pack(pixels))).tolist()))
    known = found & {label.color for label in label_set.labels}
    if known == found:
        return f"the colours of the label set '{label_set.name}'"
    return f"{len(found)} colours, {len(known)} of them of the label set '{label_set.name}'"


def displaced_colours(image: Image.Image, used: set[int], label_set: LabelSet) -> dict[int, int]:
    """Of a palette picture whose colours are the label set's but at other ids: value -> id.

    Empty when the palette agrees with the label set, or is another one altogether.
    """
    palette = image.getpalette() if image.mode == "P" else None
    if palette is None:
        return {}
    id_of = {label.color: label.id for label in label_set.labels}
    meant = {value: id_of.get(tuple(palette[3 * value : 3 * value + 3])) for value in sorted(used)}
    if None in meant.values() or all(value == label for value, label in meant.items()):
        return {}
    return {value: label for value, label in meant.items() if label is not None}
