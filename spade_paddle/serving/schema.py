"""The bytes of a request body -> a checked ``PaintRequest``. Pure functions, no web framework.

Whatever is wrong is said with the place ("labels[1].data"), what was expected and what came.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.serving.label_images import (
    Note,
    SizeLimits,
    decode_label_image,
    decode_photo,
)

KEYS = ("images", "labels", "seed", "style", "format")
LABEL_KEYS = ("width", "height", "data")
FORMATS = ("png", "jpeg")
MAX_SEED = 2**32 - 1
_DATA_URL = re.compile(r"data:[\w/+.-]*;base64,")


@dataclass(frozen=True, eq=False)
class LabelInput:
    """One label map, ``uint8`` [H, W] with known ids or 255, and notes on how it was read."""

    label_map: np.ndarray
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class PaintRequest:
    """Everything asked for in one request, checked."""

    inputs: tuple[LabelInput, ...]
    seed: int | None = None
    style: np.ndarray | None = None
    image_format: str = "png"


@dataclass(frozen=True)
class RequestRules:
    """What a request is checked against."""

    label_set: LabelSet
    sizes: SizeLimits
    max_images: int
    has_styles: bool = False


def parse_json(body: bytes) -> dict[str, Any]:
    """Decode a body into a JSON object. Raises RequestError (not_json, json_not_object)."""
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:120] or type(error).__name__
        raise RequestError(
            f"body: expected JSON, got {len(body)} bytes that are not ({reason}); "
            'send {"images": ["<base64 of a PNG>"]}',
            code="not_json",
        ) from error
    if not isinstance(content, dict):
        raise RequestError(
            f"body: expected a JSON object with the key 'images' or 'labels', got "
            f"{_kind(content)}; put it into {{...}}",
            code="json_not_object",
            came=_kind(content),
        )
    return content


def parse_request(content: dict[str, Any], *, rules: RequestRules) -> PaintRequest:
    """Check a JSON object against the rules.

    Raises:
        RequestError: a key or value is wrong. LabelMapError: a label map cannot be painted.
    """
    _check_keys(content, known=KEYS, where="body")
    given = [key for key in ("images", "labels") if content.get(key) is not None]
    if not given:
        raise RequestError(
            "body: expected the key 'images' (base64 PNGs) or 'labels' (raw ids), got "
            f"{_listed(content)}; add one of them",
            code="missing_key",
            keys=["images", "labels"],
        )
    if len(given) == 2:
        _refuse("images", "either 'images' or 'labels'", "both; leave one out")
    seed = _parse_seed(content.get("seed"))
    image_format = _parse_format(content.get("format"))
    style = _parse_style(content.get("style"), rules=rules)
    entries = _parse_list(content[given[0]], key=given[0], max_images=rules.max_images)
    read = _read_image if given[0] == "images" else _read_raw
    inputs = tuple(
        read(entry, rules=rules, where=f"{given[0]}[{index}]")
        for index, entry in enumerate(entries)
    )
    return PaintRequest(inputs=inputs, seed=seed, style=style, image_format=image_format)


def _read_image(entry: Any, *, rules: RequestRules, where: str) -> LabelInput:
    data = _decode_base64(entry, where=where)
    label_map, notes = decode_label_image(
        data, label_set=rules.label_set, limits=rules.sizes, where=where
    )
    return LabelInput(label_map, tuple(notes))


def _read_raw(entry: Any, *, rules: RequestRules, where: str) -> LabelInput:
    """Read ``{"width", "height", "data"}``; data is one byte per pixel, row by row."""
    if not isinstance(entry, dict):
        _refuse(where, "an object with width, height and data", _kind(entry))
    _check_keys(entry, known=LABEL_KEYS, where=where)
    for key in LABEL_KEYS:
        if key not in entry:
            raise RequestError(
                f"{where}: expected the keys width, height and data, got {_listed(entry)}; "
                f"add '{key}'",
                code="missing_key",
                keys=[key],
            )
    width, height = (_whole(entry[key], where=f"{where}.{key}") for key in ("width", "height"))
    rules.sizes.check(height=height, width=width, where=where)
    data = _decode_base64(entry["data"], where=f"{where}.data")
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


def _decode_base64(text: Any, *, where: str) -> bytes:
    if not isinstance(text, str):
        _refuse(where, "a base64 text", _kind(text))
    url = _DATA_URL.match(text)  # what a canvas gives: "data:image/png;base64,..."
    compact = "".join(text[url.end() if url else 0 :].split())
    try:
        data = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            f"{where}: expected base64, got a text of {len(text)} characters that is not "
            f"({error}); encode the bytes of the file",
            code="not_base64",
        ) from error
    if not data:
        raise RequestError(
            f"{where}: expected base64 of some bytes, got an empty text; send the picture",
            code="not_base64",
        )
    return data


def _parse_list(value: Any, *, key: str, max_images: int) -> list[Any]:
    if not isinstance(value, list) or not value:
        came = "an empty list" if value == [] else _kind(value)
        _refuse(key, f"a list of 1 to {max_images} label maps", came)
    if len(value) > max_images:
        _refuse(key, f"a list of 1 to {max_images} label maps", f"{len(value)}; send them in turn")
    return value


def _parse_seed(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        _refuse("seed", f"a whole number from 0 to {MAX_SEED}, or null", _shown(value))
    return value


def _parse_format(value: Any) -> str:
    if value is None:
        return "png"
    if value not in FORMATS:
        _refuse("format", "'png' or 'jpeg'", _shown(value))
    return value


def _parse_style(value: Any, *, rules: RequestRules) -> np.ndarray | None:
    if value is None:
        return None
    if not rules.has_styles:
        raise RequestError(
            "style: this model has no styles, got a style picture; leave 'style' out",
            code="no_styles",
        )
    data = _decode_base64(value, where="style")
    return decode_photo(data, limits=rules.sizes, where="style")


def _whole(value: Any, *, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        _refuse(where, "a whole number of at least 1", _shown(value))
    return value


def _check_keys(content: dict[str, Any], *, known: Sequence[str], where: str) -> None:
    for key in content:
        if key in known:
            continue
        similar = difflib.get_close_matches(key, known, n=1)
        advice = f"did you mean '{similar[0]}'?" if similar else "leave it out"
        raise RequestError(
            f"{where}: expected the keys {', '.join(known)}, got '{key[:40]}'; {advice}",
            code="unknown_key",
            key=key[:40],
            known=list(known),
        )


def _refuse(where: str, expected: str, came: str) -> NoReturn:
    raise RequestError(
        f"{where}: expected {expected}, got {came}", code="bad_value", key=where, expected=expected
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _kind(value: Any) -> str:
    """A JSON value's type in words."""
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "null")


def _shown(value: Any) -> str:
    """A short value as it came, or only its type when it is long."""
    text = json.dumps(value)
    return text if len(text) <= 40 else _kind(value)


def _listed(content: dict[str, Any]) -> str:
    return ", ".join(f"'{key}'" for key in content) if content else "none"
