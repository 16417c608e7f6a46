"""Validates requests to paint, given as JSON or as a PNG file. Pure functions, no web framework.

Errors name the place ("labels[1].data"), what was expected and what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from spade_paddle.errors import LabelMapError, RequestError
from spade_paddle.inference.natural_edges import EDGES
from spade_paddle.serving.json_values import (
    check_keys,
    decode_base64,
    kind,
    listed,
    refuse,
    shown,
    whole_number,
)
from spade_paddle.serving.orders import Order
from spade_paddle.serving.sent_pictures import read_sent_label_map, read_sent_photo

if TYPE_CHECKING:  # importing it loads Paddle
    from spade_paddle.inference.painter import Painter

QUERY_KEYS = ("seed", "style_name", "format", "edges")
KEYS = ("images", "labels", "seed", "style", "style_name", "style_vector", "format", "edges")
EXAMPLE = '{"images": ["<base64 of a PNG>"]}'
LABEL_KEYS = ("width", "height", "data")
FORMATS = ("png", "jpeg")
MAX_SEED = 2**32 - 1
STYLE_SIDE = 512  # pixels to which a style photo's short side is reduced; encoders use 256
MAX_STYLE_VALUE = 100.0  # styles are approximately N(0, I)


def read_orders(content: dict[str, Any], *, painter: Painter, max_images: int) -> list[Order]:
    """Validate a request given as a JSON object; one order for each label map.

    Args:
        content: the body of the request.
        painter: defines the labels, sizes and styles that can be painted.
        max_images: most label maps in one request.

    Raises:
        RequestError: a key or value is invalid.
        LabelMapError: a label map cannot be painted.
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
    (key,) = given
    look = _read_look(content, painter=painter)
    entries, expected = content[key], f"a list of 1 to {max_images} label maps"
    if not isinstance(entries, list) or not entries:
        refuse(key, expected, "an empty list" if entries == [] else kind(entries))
    if len(entries) > max_images:
        refuse(key, expected, f"{len(entries)}; send them in several requests")
    orders = []
    for index, entry in enumerate(entries):
        where = f"{key}[{index}]"
        notes: list[dict[str, Any]] = []
        if key == "labels":
            label_map = _read_raw(entry, painter=painter, where=where)
        else:
            data = decode_base64(entry, where=where)
            label_map, notes = read_sent_label_map(data, painter=painter, where=where)
        orders.append(Order(label_map, *look, notes))
        _check_total_size(orders, max_pixels=painter.limits.max_pixels, where=key)
    return orders


def _check_total_size(orders: list[Order], *, max_pixels: int, where: str) -> None:
    """Raise LabelMapError if label maps together exceed the limit for a single one."""
    pixels = sum(order.label_map.size for order in orders)
    if pixels > max_pixels:
        raise LabelMapError(
            f"{where}: the first {len(orders)} label maps have {pixels} pixels together; at most "
            f"{max_pixels} are allowed; send them in several requests",
            code="label_map_too_large",
            max_pixels=max_pixels,
        )


def read_file_order(data: bytes, query: Mapping[str, str], *, painter: Painter) -> Order:
    """Validate a request whose body is the PNG file of one label map.

    Args:
        data: the body.
        query: the parameters in the URL, see QUERY_KEYS.
        painter: defines the labels, sizes and styles that can be painted.

    Raises:
        RequestError, LabelMapError: as of ``read_orders``.
    """
    check_keys(query, known=QUERY_KEYS, where="query")
    content: dict[str, Any] = dict(query)
    seed = query.get("seed", "")
    if seed.isdecimal() and len(seed) <= len(str(MAX_SEED)):
        content["seed"] = int(seed)
    look = _read_look(content, painter=painter)
    label_map, notes = read_sent_label_map(data, painter=painter, where="body")
    return Order(label_map, *look, notes)


def _read_look(
    content: Mapping[str, Any], *, painter: Painter
) -> tuple[int | None, np.ndarray | str | None, str, str]:
    """Read seed, style, format and edges."""
    seed = content.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed <= MAX_SEED):
        refuse("seed", f"a whole number from 0 to {MAX_SEED}, or null", shown(seed))
    image_format = one_of(FORMATS, content, "format")
    edges = one_of(EDGES, content, "edges")
    return seed, _read_style(content, painter=painter), image_format, edges


def one_of(words: tuple[str, ...], content: Mapping[str, Any], key: str) -> str:
    """Read one of some words; the first one if none is given. Raises RequestError."""
    word = content.get(key)
    if word is None:
        return words[0]
    if word not in words:
        refuse(key, " or ".join(map(repr, words)), shown(word))
    return word


def _read_raw(entry: Any, *, painter: Painter, where: str) -> np.ndarray:
    """Read ``{"width", "height", "data"}``; data is base64 of one byte per pixel, row by row."""
    if not isinstance(entry, dict):
        refuse(where, "an object with width, height and data", kind(entry))
    check_keys(entry, known=LABEL_KEYS, needed=LABEL_KEYS, where=where)
    width, height = (
        whole_number(entry[key], where=f"{where}.{key}") for key in ("width", "height")
    )
    painter.limits.check(height=height, width=width, where=where)
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
    painter.check(label_map, where=where)
    return label_map


def _read_style(content: Mapping[str, Any], *, painter: Painter) -> np.ndarray | str | None:
    """Read the photo, the name or the vector, whichever is given."""
    keys = ("style", "style_name", "style_vector")
    given = [key for key in keys if content.get(key) is not None]
    if not given:
        return None
    if len(given) > 1:
        refuse(given[1], f"either '{given[0]}' or '{given[1]}'", "both; leave one out")
    (key,) = given
    value = content[key]
    if key == "style_name":
        return _known_style(value, painter=painter)
    if not (painter.has_styles if key == "style" else painter.style_dim):
        lacks = "encoder" if painter.style_dim else "input"
        raise RequestError(
            f"{key}: this model has no style {lacks}; leave '{key}' out", code="no_styles"
        )
    if key == "style":
        data = decode_base64(value, where=key)
        return read_sent_photo(data, where=key, short_side=STYLE_SIDE)
    usable = (
        isinstance(value, list)
        and len(value) == painter.style_dim
        and all(type(number) in (int, float) for number in value)
        and all(abs(number) <= MAX_STYLE_VALUE for number in value)
    )
    if not usable:
        refuse(
            key,
            f"{painter.style_dim} numbers from -{MAX_STYLE_VALUE:g} to {MAX_STYLE_VALUE:g}",
            shown(value),
        )
    return np.array(value, np.float32)


def _known_style(name: Any, *, painter: Painter) -> str:
    if not isinstance(name, str):
        refuse("style_name", "the name of a style", kind(name))
    if name not in painter.styles:
        known = ", ".join(painter.styles)
        advice = f"choose one of {known}" if known else "leave 'style_name' out"
        raise RequestError(
            f"style_name: this model has no style {shown(name)}; {advice}",
            code="style_unknown",
            known=list(painter.styles),
        )
    return name
