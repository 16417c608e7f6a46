"""Fields of frozen dataclasses: the type has the limits, ``of`` the default and the meaning.

    ngf: AtLeast1 = of(24, "width of the last block")

``entries`` lists them for error messages, for the table in docs/ and for the service's options.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import ConfigDict, Field

# the only conversion is that of integers to floats
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
AtLeast0 = Annotated[int, Ge(0)]
AtLeast1 = Annotated[int, Ge(1)]
AtLeast32 = Annotated[int, Ge(32)]
Weight = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
Probability = Annotated[Share, "a probability, from 0 to 1"]


def of(default: Any, meaning: str, *, secret: bool = False) -> Any:
    """Define a field by its default and meaning; a secret is never shown."""
    return Field(default, description=meaning, repr=not secret)


class Entry(NamedTuple):
    """One field; ``limits`` is a text, either the one in the type's annotations or generated."""

    name: str  # dotted, such as generator.ngf
    kind: type  # the type without limits and None; that of the values for a Literal
    limits: str
    default: Any
    meaning: str
    secret: bool


def entries(section: Any, prefix: str = "") -> Iterator[Entry]:
    """List the fields of a pydantic dataclass and its nested ones; names start with ``prefix``."""
    for name, field in section.__pydantic_fields__.items():
        if dataclasses.is_dataclass(field.annotation):
            yield from entries(field.annotation, f"{prefix}{name}.")
            continue
        optional = get_origin(field.annotation) is Union
        hint = get_args(field.annotation)[0] if optional else field.annotation
        hint, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        kind = type(get_args(hint)[-1]) if get_origin(hint) is Literal else get_origin(hint) or hint
        limits = _limits(hint, [*notes, *field.metadata], optional=optional)
        yield Entry(prefix + name, kind, limits, field.default, field.description, not field.repr)


def _limits(hint: Any, notes: list[Any], *, optional: bool) -> str:
    last = {type(note): note for note in notes}
    if str in last:
        return last[str]
    words = []
    if get_origin(hint) is Literal:
        choices = ("false" if choice is False else choice for choice in get_args(hint))
        words.append("one of " + ", ".join(choices))
    if Gt in last:
        words.append(f"above {last[Gt].gt}")
    elif Le in last:
        words.append(f"from {last[Ge].ge} to {last[Le].le}")
    elif Ge in last:
        words.append(f"at least {last[Ge].ge}")
    return ", ".join([*words, "or null"] if optional else words)
