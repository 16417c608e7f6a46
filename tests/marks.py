"""Marks that follow from what a test uses, so that none can be forgotten (tests/README.md).

``browser`` and ``hub`` are its fixtures. ``processes``: the test, one of its fixtures, or a helper
that one of them calls names what starts processes. Each of the three makes it ``slow``; a test that
takes seconds for other reasons says so itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

_FIXTURES = ("browser", "hub")
_STARTERS = {"subprocess", "multiprocessing", "ProcessPoolExecutor", "tests.serving.processes"}


def add_marks(item: pytest.Item) -> None:
    """Mark a collected test."""
    marks = [name for name in _FIXTURES if name in item.fixturenames]
    definitions = item._fixtureinfo.name2fixturedefs.values()
    fixtures = [definition.func for found in definitions for definition in found]
    if any(starts_processes(inspect.unwrap(each)) for each in (item.function, *fixtures)):
        marks.append("processes")
    for name in (*marks, *(["slow"] if marks else ())):
        item.add_marker(name)


@functools.cache
def starts_processes(part: Any) -> bool:
    """Whether a function or a class of the tests names a starter, itself or by way of others."""
    return any(not _STARTERS.isdisjoint(_names(each)) for each in _reachable(part))


def _reachable(part: Any) -> list[Any]:
    """The functions of the tests that this one may call, itself included."""
    found: dict[Any, None] = {}
    waiting = [part]
    while waiting:
        function = inspect.unwrap(waiting.pop())
        if inspect.isclass(function) and function.__module__.startswith("tests."):
            waiting += filter(inspect.isfunction, vars(function).values())
        if not inspect.isfunction(function) or function in found:
            continue
        if function.__module__.startswith("tests."):
            found[function] = None
            known = function.__globals__
            waiting += [known[name] for name in _names(function) if name in known]
    return list(found)


def _names(function: Any) -> set[str]:
    return {name for code in _codes(function.__code__) for name in code.co_names}


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
