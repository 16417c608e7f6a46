"""The page in a real Chromium against the real service: a person paints and a landscape comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import (
    Visit,
    choose,
    download,
    download_picture,
    element,
    open_page,
    set_live,
    stroke,
    wait_for_picture,
)

SLOW_S = 60


@pytest.fixture
def visit(browser: Browser, server) -> Iterator[Visit]:
    opened = open_page(browser, server.url, viewport={"width": 1280, "height": 860})
    yield opened
    opened.page.context.close()


def wait_for_large_picture(page: Page, *, other_than: str | None = None) -> str:
    """Wait for a new picture and until it is at twice the size of the doodle; its address."""
    wait_for_picture(page, other_than=other_than, timeout_s=SLOW_S)
    picture = element(page, "picture")
    expect(picture).to_have_js_property("naturalWidth", 512, timeout=SLOW_S * 1000)
    return picture.get_attribute("src")


def saved_picture(page: Page, folder: Path) -> np.ndarray:
    """The large picture as integers [512, 512, 3]."""
    picture = Image.open(download_picture(page, folder))
    assert picture.size == (512, 512)
    return np.asarray(picture.convert("RGB")).astype(int)


def test_a_stroke_changes_the_landscape_by_itself_there_and_hardly_elsewhere(visit, tmp_path):
    page = visit.page
    first = wait_for_large_picture(page)
    before = saved_picture(page, tmp_path)
    choose(page, tool="brush", label="snow")
    stroke(page, (0.15, 0.8), (0.85, 0.8))
    wait_for_large_picture(page, other_than=first)
    change = np.abs(saved_picture(page, tmp_path) - before).mean(axis=2)
    snow, sky = change[390:430, 120:400].mean(), change[:120].mean()
    assert snow > 20
    assert sky < snow / 3
    expect(element(page, "milliseconds")).to_contain_text("ms")
    assert not visit.errors
    assert len(visit.hosts()) == 1  # nothing but the service was asked


def test_the_button_paints_every_starter_scene(visit):
    page = visit.page
    shown = wait_for_large_picture(page)
    set_live(page, on=False)
    scenes = page.locator("[data-testid^='scene-']")
    assert scenes.count() >= 6
    for index in range(scenes.count()):
        scenes.nth(index).click()
        element(page, "generate").click()
        shown = wait_for_large_picture(page, other_than=shown)
    assert not visit.errors


def test_a_service_killed_and_started_again_while_one_draws_loses_no_stroke(
    browser, hub, label_set, tmp_path
):
    with hub.serve() as first:
        visit = open_page(browser, first.url, viewport={"width": 1280, "height": 860})
        page = visit.page
        shown = wait_for_large_picture(page)
        first.kill()
        choose(page, tool="brush", label="snow")
        stroke(page, (0.2, 0.75), (0.8, 0.75))
        note = element(page, "problem")
        expect(note).to_have_attribute("data-code", "away", timeout=SLOW_S * 1000)
        stroke(page, (0.2, 0.9), (0.8, 0.9))
    with hub.serve(port=first.port) as second:
        wait_for_picture(page, other_than=shown, timeout_s=SLOW_S)
        expect(note).to_have_count(0)
        expect(element(page, "service")).to_have_attribute("data-state", "ready")
        assert second.metric("gaugan_queue_length") == 0
        file = download(page, tmp_path, menu="save", item="save-png")
        doodle = np.asarray(Image.open(file))
        assert doodle[192, 128] == doodle[230, 128] == label_set.id_of("snow")
    page.context.close()


def test_a_page_from_an_allowed_origin_paints(browser, server, page_elsewhere):
    visit = open_page(browser, f"{page_elsewhere}/?api={server.url}")
    element(visit.page, "allow").click()
    wait_for_picture(visit.page, timeout_s=SLOW_S)
    assert not visit.errors
    assert visit.hosts() == {server.url[7:], page_elsewhere[7:]}
    visit.page.context.close()


def test_a_page_from_another_origin_may_not_and_says_why(browser, server, page_not_allowed):
    visit = open_page(browser, f"{page_not_allowed}/?api={server.url}")
    element(visit.page, "allow").click()
    note = element(visit.page, "problem")
    expect(note).to_have_attribute("data-code", "cors", timeout=SLOW_S * 1000)
    assert page_not_allowed in note.inner_text()  # what to put on the list
    assert element(visit.page, "picture").count() == 0
    visit.page.context.close()
