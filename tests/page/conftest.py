"""A fresh stand-in service and browser profile for each test of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.page.driver import Visit, open_page
from tests.page.stand_in import StandIn


@pytest.fixture
def service() -> Iterator[StandIn]:
    """A running stand-in for the painting service."""
    stand_in = StandIn().start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def visit(browser: Browser, service: StandIn) -> Iterator[Visit]:
    """The page, opened in English on a wide screen."""
    opened = open_page(browser, service.address, viewport={"width": 1280, "height": 860})
    yield opened
    opened.page.context.close()
