"""Reads YAML files, ``--set`` options, dictionaries and environment variables into dataclasses.

The only module that parses configurations (YAML 1.2) and rewrites pydantic's errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, TypeVar

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from spade_paddle.errors import ConfigError, did_you_mean
from spade_paddle.fields import Entry, entries

Section = TypeVar("Section")
CODES = {
    "field": ("config_unknown_field", "config_value"),
    "setting": ("setting_unknown", "setting_invalid"),
}
_NUMBER = re.compile(r"[-+]?\.?\d[-+.\de]*", re.IGNORECASE)


class _Constructor(SafeConstructor):
    """Reads dates as strings, since YAML 1.2 has no dates."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def read_yaml(path: Path) -> tuple[Any, dict[str, str]]:
    """Read the content of a file, and FILE:LINE of its fields by dotted name.

    Raises:
        ConfigError: there is no such file, or it is not YAML.
    """
    try:
        content, lines = _parse(path.read_bytes(), place=str(path), line=":{}".format)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such configuration file; configs/ has some to start from",
            code="config_missing",
        ) from error
    return content or {}, {name: f"{path}:{line}" for name, line in lines}


def override(
    content: dict[str, Any], options: Sequence[str], places: Mapping[str, str]
) -> dict[str, str]:
    """Apply options such as ``generator.ngf=32`` to ``content`` in place.

    Args:
        content: nested dictionaries.
        options: each FIELD=VALUE, with a dotted name and a value in YAML.
        places: FILE:LINE of fields by dotted name.

    Returns:
        ``places``, with the option for the fields that it sets.

    Raises:
        ConfigError: an option has another form.
    """
    places = dict(places)
    for option in options:
        place, (key, separator, text) = f"--set {option}", option.partition("=")
        *sections, name = key.strip().split(".")
        if not separator or not name:
            problem = "expected FIELD=VALUE, for example --set total_images=1000"
            raise ConfigError(f"{place}: {problem}", code="config_syntax")
        inner: Any = content
        for section in sections:
            inner = inner.setdefault(section, {})
            if not isinstance(inner, dict):
                problem = f"'{section}' is a single value, not a section"
                raise ConfigError(f"{place}: {problem}", code="config_syntax")
        inner[name], lines = _parse(text, place=place)
        inside = f"{key.strip()}."  # setting a section replaces all of its fields
        places = {field: at for field, at in places.items() if not field.startswith(inside)}
        places |= {inside[:-1]: place, **{inside + field: place for field, _ in lines}}
    return places


def build(
    section: type[Section],
    content: Any,
    *,
    place: Callable[[str], str],
    noun: str = "field",
    advice: Mapping[str, str] = MappingProxyType({}),
) -> Section:
    """Build a pydantic dataclass, which may have nested ones, from parsed content.

    Args:
        section: the dataclass; all fields have defaults.
        content: values by name.
        place: maps the dotted name of a field to its source, with which errors begin.
        noun: what a field is called in errors, a key of ``CODES``.
        advice: for removed fields, what to do about them, by dotted name.

    Raises:
        ConfigError: a name is unknown, or a value has the wrong type or is beyond its limits.
    """
    try:
        # as JSON, since strict validation of Python objects accepts no dictionaries
        return TypeAdapter(section).validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
    name, value = ".".join(map(str, wrong["loc"])), wrong["input"]
    known = {entry.name: entry for entry in entries(section)}
    if "." in name:  # inside of a list or dictionary: report the field that contains it
        name = next((whole for whole in known if f"{name}.".startswith(f"{whole}.")), name)
    code = CODES[noun][1]
    if wrong["type"] == "unexpected_keyword_argument":
        code = CODES[noun][0]
        problem = f"unknown {noun} '{name}'; {advice.get(name) or _nearest(name, known)}"
    elif wrong["type"] == "dataclass_type":
        code = "config_syntax"
        problem = f"{name or 'the file'} must hold 'field: value' lines, got {value!r}"
    elif known[name].secret:
        problem = f"'{name}' must be {known[name].limits}, got something else"
    else:
        problem = f"'{name}' must be {_expected(known[name], value, typed=noun == 'field')}"
    # not inside of "except", because the cause would show secrets
    raise ConfigError(f"{place(name)}: {problem}", code=code, **{noun: name})


def _parse(
    text: str | bytes, *, place: str, line: Callable[[int], str] = "".format
) -> tuple[Any, list[tuple[str, int]]]:
    """Parse YAML; return the content, and the lines of its fields by dotted name."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        node = yaml.compose(text)
        content = node and yaml.constructor.construct_document(node)
        # copied via JSON, so that aliases become separate objects and cycles are errors
        return json.loads(json.dumps(content)), list(_lines(node))
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = line(mark.line + 1) if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        message = f"{place}{at}: this is not YAML: {problem}"
        raise ConfigError(message, code="config_syntax") from error


def _lines(node: Node | None, prefix: str = "") -> Iterator[tuple[str, int]]:
    for key, value in node.value if isinstance(node, MappingNode) else ():
        yield f"{prefix}{key.value}", key.start_mark.line + 1
        if not prefix:
            yield from _lines(value, f"{key.value}.")


def _nearest(name: str, known: Mapping[str, Entry]) -> str:
    """Suggest a field of the same section for an unknown name."""
    *sections, last = name.split(".")
    prefix = "".join(f"{section}." for section in sections)
    names = [each[len(prefix) :].split(".")[0] for each in known if each.startswith(prefix)]
    otherwise = f"known: {', '.join(dict.fromkeys(names))}"
    return did_you_mean(last, names, otherwise=otherwise, prefix=prefix)


def _expected(entry: Entry, value: Any, *, typed: bool) -> str:
    """What a value must be, what it is and, for common mistakes, what to do."""
    kinds = (int, float) if entry.kind is float else (entry.kind,)
    if not typed or type(value) in kinds or entry.kind is dict:
        return f"{entry.limits}, got {value!r}"
    advice = ""
    if entry.kind is bool and isinstance(value, str):
        advice = "; write true or false"
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        advice = "; write it without quotes"
    return f"of type {entry.kind.__name__}, got {value!r}{advice}"
