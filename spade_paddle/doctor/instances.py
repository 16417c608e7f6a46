"""Instance maps: readable, and with enough numbers for their instances."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.data.label_pictures import ID_MODES, read_ids
from spade_paddle.doctor.maps import NOTHING
from spade_paddle.doctor.pictures import why_unreadable

# an instance lies in two labels when each holds this much of it
_SHARE, _PIXELS = 0.05, 16


@dataclass(frozen=True)
class InstanceFacts:
    """An instance map; ``problem`` says why it cannot be used."""

    problem: str = ""
    size: tuple[int, int] = (0, 0)  # width, height
    shared: tuple[int, ...] = ()  # of an 8-bit map read whole: numbers that lie in several labels


def instance_facts(path: Path, label_map: np.ndarray, *, whole: bool) -> InstanceFacts:
    """Look at an instance map and, with ``whole``, hold it against the label map [H, W]."""
    try:
        with Image.open(path) as image:
            if image.format == "JPEG" or image.mode not in ID_MODES:
                kind = "a JPEG" if image.format == "JPEG" else f"a picture of mode {image.mode}"
                return InstanceFacts(f"{kind}, whose values are no numbers", image.size)
            values = read_ids(path) if whole else NOTHING
            shared = ()
            if image.mode in ("L", "P") and values.size and values.shape == label_map.shape:
                shared = in_several_labels(values, label_map)
            return InstanceFacts("", image.size, shared)
    except Exception as error:  # decoders of damaged files raise what they like
        return InstanceFacts(why_unreadable(path, error))


def in_several_labels(instances: np.ndarray, label_map: np.ndarray) -> tuple[int, ...]:
    """Numbers but 0, which often means none, that cover several labels: cut off at 8 bits."""
    joint = instances * 65_536 + label_map.astype(np.int64)
    both, pixels = np.unique(joint, return_counts=True)
    numbers = both // 65_536
    totals = np.bincount(numbers, weights=pixels)
    large = (pixels >= _PIXELS) & (pixels >= _SHARE * totals[numbers])
    labels = np.bincount(numbers[large], minlength=1)
    return tuple(int(number) for number in np.flatnonzero(labels > 1) if number != 0)
