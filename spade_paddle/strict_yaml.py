"""YAML files into frozen dataclasses, strictly; what the fields mean is not known here.

An unknown key, a wrong type or a value where a section belongs is a ConfigError that names the
field and says what may have been meant.
"""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from spade_paddle.errors import ConfigError, did_you_mean

Section = TypeVar("Section")


def read_yaml(path: Path, *, overrides: Sequence[str] = ()) -> Any:
    """The content of a YAML file with overrides such as ``generator.ngf=32`` applied.

    Raises:
        ConfigError: no such file, not YAML, an override that is none.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such configuration file; configs/ has some to start from",
            code="config_missing",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not YAML: {error}", code="config_syntax") from error
    return apply_overrides(content, overrides)


def apply_overrides(content: Any, overrides: Sequence[str]) -> Any:
    """Parsed YAML with overrides such as ``generator.ngf=32`` applied. Raises ConfigError."""
    content = copy.deepcopy(content)
    for override in overrides:
        _apply_override(content, override)
    return content


def read_section(
    kind: type[Section],
    content: Any,
    *,
    where: str,
    advice: Mapping[str, str],
    prefix: str = "",
) -> Section:
    """Build the dataclass ``kind``, whose fields may be dataclasses again, from parsed YAML.

    Args:
        kind: every field has a default and a type: bool, int, float, str, Optional of these, or
            a dataclass.
        content: what was parsed.
        where: names the source in errors.
        advice: for fields that are no more, by dotted name: what to do about them.
        prefix: of the fields' names in errors.

    Raises:
        ConfigError: unknown keys, wrong types.
    """
    if not isinstance(content, dict):
        raise ConfigError(
            f"{where}: {prefix.rstrip('.') or 'the file'} must hold 'field: value' lines, "
            f"got {content!r}",
            code="config_syntax",
        )
    hints = typing.get_type_hints(kind)
    unknown = [key for key in content if key not in hints]
    if unknown:
        name = f"{prefix}{unknown[0]}"
        hint = _hint(name, prefix=prefix, known=list(hints), advice=advice)
        raise ConfigError(
            f"{where}: unknown field '{name}'; {hint}",
            code="config_unknown_field",
        )
    values = {}
    for name, value in content.items():
        if dataclasses.is_dataclass(hints[name]):
            values[name] = read_section(
                hints[name], value, where=where, advice=advice, prefix=f"{prefix}{name}."
            )
        else:
            values[name] = _read_value(hints[name], value, where=where, name=f"{prefix}{name}")
    return kind(**values)


def _hint(name: str, *, prefix: str, known: list[str], advice: Mapping[str, str]) -> str:
    """What a person may have meant by an unknown field."""
    if name in advice:
        return advice[name]
    otherwise = f"known: {', '.join(known)}"
    return did_you_mean(name[len(prefix) :], known, otherwise=otherwise, prefix=prefix)


def _read_value(hint: Any, value: Any, *, where: str, name: str) -> Any:
    kinds = typing.get_args(hint) or (hint,)
    if value is None and type(None) in kinds:
        return None
    kind = kinds[0]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is kind:
        return value
    advice = ""
    if kind is float and isinstance(value, str):
        advice = "; YAML reads 2e-4 as text, write 2.0e-4"
    raise ConfigError(
        f"{where}: '{name}' must be of type {kind.__name__}, got {value!r}{advice}",
        code="config_value",
    )


def _apply_override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(
            f"--set {override}: expected FIELD=VALUE, for example --set total_images=1000",
            code="config_syntax",
        )
    *sections, name = key.strip().split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise ConfigError(
                f"--set {override}: '{section}' is a single value, not a section",
                code="config_syntax",
            )
    content[name] = yaml.safe_load(text)
