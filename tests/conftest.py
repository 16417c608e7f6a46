"""Fixtures that all tests share."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy.testing  # noqa: F401 - starts lscpu when first imported, so not within a test
import pytest

from spade_paddle.data.labels import LabelSet
from spade_paddle.inference.native import kernels

ROOT = Path(__file__).parent.parent


if os.environ.get("GAUGAN_ENGINE") == "paddle":  # the way without a compiler

    def _not_built() -> Path:
        raise kernels.KernelsMissing("left out by GAUGAN_ENGINE")

    kernels.library_path = _not_built

# the tests that start processes and browsers, in this order behind all others
SLOW_FOLDERS = ("engine", "page", "guide", "hub")

# fixtures that mark the tests that use them, directly or through other fixtures; each implies slow
MARKS = ("browser", "hub", "processes")
_STARTS = (
    (subprocess.Popen, "__init__"),
    (multiprocessing.process.BaseProcess, "start"),
    (os, "fork"),
)


@pytest.fixture(scope="session")
def processes() -> None:
    """For tests, and fixtures, that start a process; in all others that fails."""


def _refuse(*arguments: object, **options: object) -> None:
    pytest.fail("this test starts a process: add the fixture 'processes' to it or its fixture")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Only marked tests start processes, so ``-m "not slow"`` leaves all of those out."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(mark in item.fixturenames for mark in MARKS):
            for owner, name in _STARTS:
                patch.setattr(owner, name, _refuse)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks, and fast tests first."""
    for item in items:
        marks = [mark for mark in MARKS if mark in item.fixturenames]
        for mark in (*marks, *(["slow"] if marks else ())):
            item.add_marker(mark)

    def rank(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return 1 + SLOW_FOLDERS.index(folder) if folder in SLOW_FOLDERS else 0

    items.sort(key=rank)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; one for all, since Playwright runs once in a process."""
    from tests.page.driver import chromium

    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def landscape() -> LabelSet:
    """The 13-label landscape set."""
    return LabelSet.load(ROOT / "configs" / "labels" / "landscape.yaml")
