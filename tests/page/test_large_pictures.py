"""The page in a real browser: once nobody draws, the picture is painted at twice its size, if the
service has a model for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import (
    choose,
    download,
    element,
    open_page,
    pixel_of_picture,
    stroke,
    wait_for_picture,
)
from tests.page.stand_in import StandIn

LARGE = {"name": "stand-in-512", "version": "0", "width": 512, "height": 512}


@pytest.fixture
def page(browser: Browser, service: StandIn) -> Page:
    """The page of a service that has a model for large pictures, before any picture is shown."""
    service.abilities = {**service.abilities, "large": LARGE, "natural_edges": True}
    visit = open_page(browser, service.address, viewport={"width": 1280, "height": 860})
    yield visit.page
    visit.page.context.close()


def wait_for_large(page: Page) -> None:
    expect(element(page, "picture")).to_have_js_property("naturalWidth", 512)


def wait_until_large_is_asked_for(page: Page, service: StandIn) -> None:
    while service.doodles[-1].shape != (512, 512):
        page.wait_for_timeout(50)


def test_the_picture_becomes_larger_in_the_same_look(page: Page, service: StandIn) -> None:
    wait_for_picture(page)
    wait_for_large(page)
    small, large = service.doodles
    assert (large[::2, ::2] == small).mean() > 0.98  # but for corners of slanting edges
    assert service.looks[0]["edges"] == "natural"
    assert service.looks[1] == {**service.looks[0], "style_vector": [1, 0.5]}


def test_who_goes_on_drawing_does_not_wait_for_the_large_picture(
    page: Page, service: StandIn
) -> None:
    service.large_may_go.clear()
    shown = wait_for_picture(page)
    wait_until_large_is_asked_for(page, service)
    choose(page, tool="fill", label="flower")
    stroke(page, (0.5, 0.05))
    shown = wait_for_picture(page, other_than=shown)
    flower = service.label_set.labels[service.label_set.id_of("flower")].color
    assert pixel_of_picture(page, 0.5, 0.05) == flower
    service.large_may_go.set()  # the old one is painted now, too: nobody wants it any more
    wait_for_large(page)
    assert pixel_of_picture(page, 0.5, 0.05) == flower
    assert [doodle.shape[0] for doodle in service.doodles] == [256, 512, 256, 512]


def test_without_a_large_picture_the_small_one_stays(page: Page, service: StandIn) -> None:
    service.large_may_go.clear()
    service.breaks_at_large = True
    shown = wait_for_picture(page)
    wait_until_large_is_asked_for(page, service)
    with page.expect_event("requestfailed"):
        service.large_may_go.set()
    expect(element(page, "problem")).to_have_count(0)
    assert element(page, "picture").get_attribute("src") == shown


def test_the_album_keeps_the_large_picture(page: Page, service: StandIn) -> None:
    wait_for_picture(page)
    element(page, "generate").click()
    expect(element(page, "album-entry")).to_have_count(1)
    wait_for_large(page)
    entry = element(page, "album-entry").locator("img")
    expect(entry).to_have_js_property("naturalWidth", 512)
    expect(entry).to_have_count(1)


def test_the_large_picture_is_saved_as_it_is_seen(
    page: Page, service: StandIn, tmp_path: Path
) -> None:
    service.jpegs = True
    wait_for_picture(page)
    wait_for_large(page)
    path = download(page, tmp_path, menu="save-picture", item="download")
    assert Image.open(path).format == "PNG"
    assert Image.open(path).size == (512, 512)
    element(page, "save-picture").click()
    expect(element(page, "download-2x")).to_have_count(0)


def test_a_service_without_such_a_model_is_not_asked(browser: Browser, service: StandIn) -> None:
    page = open_page(browser, service.address).page
    page.clock.install()
    wait_for_picture(page)
    page.clock.run_for(5000)
    assert [doodle.shape for doodle in service.doodles] == [(256, 256)]
    page.context.close()
