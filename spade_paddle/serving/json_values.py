"""Validates the values of a JSON body; errors name the place of the value.

Pure functions, no web framework. All raise RequestError.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from spade_paddle.errors import RequestError, did_you_mean

MAX_NUMBER = 10**9  # bounds sides, and the length of numbers in messages
_DATA_URL = re.compile(r"data:[\w/+.-]*;base64,")


def parse_json(body: bytes, *, example: str) -> dict[str, Any]:
    """Decode a body into a JSON object; error messages show ``example``.

    Raises:
        RequestError: ``not_json`` or ``json_not_object``.
    """
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:120] or type(error).__name__
        raise RequestError(
            f"body: expected JSON, got {len(body)} bytes that are not ({reason}); send {example}",
            code="not_json",
        ) from error
    if not isinstance(content, dict):
        raise RequestError(
            f"body: expected a JSON object, got {kind(content)}; send {example}",
            code="json_not_object",
            came=kind(content),
        )
    return content


def decode_base64(text: Any, *, where: str) -> bytes:
    """Decode base64, which may contain line breaks and start with a data URL's prefix."""
    if not isinstance(text, str):
        refuse(where, "a base64 string", kind(text))
    url = _DATA_URL.match(text)  # as from a canvas: "data:image/png;base64,..."
    compact = "".join(text[url.end() if url else 0 :].split())
    try:
        data = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            f"{where}: expected base64, got a string of {len(text)} characters that is "
            f"not ({error}); encode the bytes of the file",
            code="not_base64",
        ) from error
    if not data:
        raise RequestError(
            f"{where}: expected base64, got an empty string; send the picture",
            code="not_base64",
        )
    return data


def whole_number(value: Any, *, where: str) -> int:
    """Check an integer from 1 to ``MAX_NUMBER``."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_NUMBER:
        refuse(where, f"a whole number from 1 to {MAX_NUMBER}", shown(value))
    return value


def check_keys(
    content: Mapping[str, Any], *, known: Sequence[str], where: str, needed: Sequence[str] = ()
) -> None:
    """Reject objects with unknown keys, so that no misspelled key is silently ignored, or without a
    needed one."""
    for key in content:
        if key in known:
            continue
        start = _truncated(key)  # finding similar names of megabytes would take minutes
        advice = did_you_mean(start, known, otherwise="leave it out")
        raise RequestError(
            f"{where}: expected the keys {', '.join(known)}, got '{start}'; {advice}",
            code="unknown_key",
            key=start,
            known=list(known),
        )
    for key in needed:
        if key not in content:
            raise RequestError(
                f"{where}: expected the keys {', '.join(needed)}, got {listed(content)}; "
                f"add '{key}'",
                code="missing_key",
                keys=[key],
            )


def refuse(where: str, expected: str, got: str) -> NoReturn:
    """Raise a RequestError (bad_value)."""
    raise RequestError(
        f"{where}: expected {expected}, got {got}", code="bad_value", key=where, expected=expected
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def kind(value: Any) -> str:
    """The type of a JSON value in words."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    names.update({int: "a number", float: "a number"})
    return names.get(type(value), "null")


def shown(value: Any) -> str:
    """A value as JSON, or its type if that is long."""
    text = json.dumps(value)
    return text if len(text) <= 40 else kind(value)


def listed(content: Mapping[str, Any]) -> str:
    """The keys of an object, at most eight of them."""
    keys = [f"'{_truncated(key)}'" for key in list(content)[:8]]
    return ", ".join(keys) + (", ..." if len(content) > 8 else "") if keys else "none"


def _truncated(key: str) -> str:
    """The first 40 characters; lone surrogates, which UTF-8 cannot encode, become "?"."""
    return key[:40].encode("utf-8", "replace").decode("utf-8")
