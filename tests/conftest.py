"""Fixtures that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from spade_paddle.data.labels import LabelSet

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def landscape() -> LabelSet:
    """The 13-label landscape set."""
    return LabelSet.load(ROOT / "configs" / "labels" / "landscape.yaml")
