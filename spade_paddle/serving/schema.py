"""A request to paint, as JSON -> a checked ``PaintRequest``. Pure functions, no web framework.

Whatever is wrong is said with the place ("labels[1].data"), what was expected and what came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.serving.json_values import (
    check_keys,
    decode_base64,
    kind,
    listed,
    need_keys,
    refuse,
    shown,
    whole_number,
)
from spade_paddle.serving.label_images import Note, SizeLimits, decode_label_image
from spade_paddle.serving.sent_photos import read_sent_photo

KEYS = ("images", "labels", "seed", "style", "style_name", "style_vector", "format")
EXAMPLE = '{"images": ["<base64 of a PNG>"]}'
LABEL_KEYS = ("width", "height", "data")
FORMATS = ("png", "jpeg")
MAX_SEED = 2**32 - 1
STYLE_SIDE = 512  # pixels kept of a style photo's short side; encoders look at 256
LARGEST_IN_STYLE = 100.0  # styles are of the order of 1


@dataclass(frozen=True, eq=False)
class LabelInput:
    """One label map, ``uint8`` [H, W] with known ids or 255, and notes on how it was read."""

    label_map: np.ndarray
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class PaintRequest:
    """Everything asked for in one request, checked.

    ``style`` is a photo, ``uint8`` RGB [h, w, 3], the name of one of the model's styles, or the
    style itself, ``float32`` [D].
    """

    inputs: tuple[LabelInput, ...]
    seed: int | None = None
    style: np.ndarray | str | None = None
    image_format: str = "png"


@dataclass(frozen=True)
class RequestRules:
    """What a request is checked against."""

    label_set: LabelSet
    sizes: SizeLimits
    max_images: int
    has_styles: bool = False  # a photo can give the style
    style_names: tuple[str, ...] = ()
    style_dim: int = 0  # D, numbers in a style; 0: the model has none


def parse_request(content: dict[str, Any], *, rules: RequestRules) -> PaintRequest:
    """Check a JSON object against the rules.

    Raises:
        RequestError: a key or value is wrong. LabelMapError: a label map cannot be painted.
    """
    check_keys(content, known=KEYS, where="body")
    given = [key for key in ("images", "labels") if content.get(key) is not None]
    if not given:
        raise RequestError(
            "body: expected the key 'images' (base64 PNGs) or 'labels' (raw ids), got "
            f"{listed(content)}; add one of them",
            code="missing_key",
            keys=["images", "labels"],
        )
    if len(given) == 2:
        refuse("images", "either 'images' or 'labels'", "both; leave one out")
    seed = _parse_seed(content.get("seed"))
    image_format = _parse_format(content.get("format"))
    style = _parse_style(content, rules=rules)
    entries = _parse_list(content[given[0]], key=given[0], max_images=rules.max_images)
    read = _read_image if given[0] == "images" else _read_raw
    inputs = tuple(
        read(entry, rules=rules, where=f"{given[0]}[{index}]")
        for index, entry in enumerate(entries)
    )
    return PaintRequest(inputs=inputs, seed=seed, style=style, image_format=image_format)


def _read_image(entry: Any, *, rules: RequestRules, where: str) -> LabelInput:
    data = decode_base64(entry, where=where)
    label_map, notes = decode_label_image(
        data, label_set=rules.label_set, limits=rules.sizes, where=where
    )
    return LabelInput(label_map, tuple(notes))


def _read_raw(entry: Any, *, rules: RequestRules, where: str) -> LabelInput:
    """Read ``{"width", "height", "data"}``; data is one byte per pixel, row by row."""
    if not isinstance(entry, dict):
        refuse(where, "an object with width, height and data", kind(entry))
    check_keys(entry, known=LABEL_KEYS, where=where)
    need_keys(entry, needed=LABEL_KEYS, where=where)
    width, height = (
        whole_number(entry[key], where=f"{where}.{key}") for key in ("width", "height")
    )
    rules.sizes.check(height=height, width=width, where=where)
    data = decode_base64(entry["data"], where=f"{where}.data")
    if len(data) != width * height:
        raise LabelMapError(
            f"{where}.data: expected width x height = {width} x {height} = {width * height} bytes, "
            f"got {len(data)}; send one byte per pixel, row by row",
            code="label_map_shape",
            expected=width * height,
            got=len(data),
        )
    label_map = np.frombuffer(data, np.uint8).reshape(height, width)
    rules.label_set.check(label_map, where=where)
    return LabelInput(label_map)


def _parse_list(value: Any, *, key: str, max_images: int) -> list[Any]:
    if not isinstance(value, list) or not value:
        came = "an empty list" if value == [] else kind(value)
        refuse(key, f"a list of 1 to {max_images} label maps", came)
    if len(value) > max_images:
        refuse(key, f"a list of 1 to {max_images} label maps", f"{len(value)}; send them in turn")
    return value


def _parse_seed(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        refuse("seed", f"a whole number from 0 to {MAX_SEED}, or null", shown(value))
    return value


def _parse_format(value: Any) -> str:
    if value is None:
        return "png"
    if value not in FORMATS:
        refuse("format", "'png' or 'jpeg'", shown(value))
    return value


def _parse_style(content: dict[str, Any], *, rules: RequestRules) -> np.ndarray | str | None:
    """The photo, the name or the numbers, whichever is given."""
    keys = ("style", "style_name", "style_vector")
    given = [key for key in keys if content.get(key) is not None]
    if len(given) > 1:
        refuse(given[1], f"either '{given[0]}' or '{given[1]}'", "both; leave one out")
    if not given:
        return None
    value = content[given[0]]
    if given == ["style_name"]:
        return _known_style(value, rules=rules)
    if given == ["style_vector"]:
        return _style_vector(value, rules=rules)
    return _style_photo(value, rules=rules)


def _style_vector(value: Any, *, rules: RequestRules) -> np.ndarray:
    if not rules.style_dim:
        raise _no_styles("style_vector")
    usable = (
        isinstance(value, list)
        and len(value) == rules.style_dim
        and all(type(number) in (int, float) for number in value)
        and all(abs(number) <= LARGEST_IN_STYLE for number in value)
    )
    if not usable:
        refuse(
            "style_vector",
            f"{rules.style_dim} numbers of at most {LARGEST_IN_STYLE:g}, as an answer has them",
            shown(value),
        )
    return np.array(value, np.float32)


def _style_photo(photo: Any, *, rules: RequestRules) -> np.ndarray:
    if not rules.has_styles:
        raise _no_styles("style")
    data = decode_base64(photo, where="style")
    return read_sent_photo(data, where="style", short_side=STYLE_SIDE)


def _known_style(name: Any, *, rules: RequestRules) -> str:
    if not isinstance(name, str):
        refuse("style_name", "the name of a style", kind(name))
    if name not in rules.style_names:
        known = ", ".join(rules.style_names)
        advice = f"choose one of {known}" if known else "leave 'style_name' out"
        raise RequestError(
            f"style_name: this model has no style {shown(name)}; {advice}",
            code="style_unknown",
            known=list(rules.style_names),
        )
    return name


def _no_styles(key: str) -> RequestError:
    return RequestError(f"{key}: this model has no styles; leave '{key}' out", code="no_styles")
