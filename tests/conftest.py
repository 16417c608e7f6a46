"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spade_paddle.data.labels import LabelSet
from spade_paddle.inference.native import kernels
from tests.marks import add_marks

ROOT = Path(__file__).parent.parent


if os.environ.get("GAUGAN_ENGINE") == "paddle":  # the way without a compiler

    def _not_built() -> Path:
        raise kernels.KernelsMissing("left out by GAUGAN_ENGINE")

    kernels.library_path = _not_built

# the tests that start processes and browsers, in this order behind all others
SLOW_FOLDERS = ("engine", "page", "guide", "hub")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks, and fast tests first."""
    for item in items:
        add_marks(item)

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
