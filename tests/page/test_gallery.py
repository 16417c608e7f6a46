"""The page in a real browser: the picture as large as the window, and the gallery."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import Visit, element, open_page, set_live, wait_for_picture
from tests.page.stand_in import StandIn

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def paint(page: Page, count: int) -> None:
    """Put so many pictures into the album: throws of the dice, no others."""
    shown = wait_for_picture(page)
    set_live(page, on=False)
    for _ in range(count):
        element(page, "dice").click()
        shown = wait_for_picture(page, other_than=shown)
    expect(element(page, "album-entry")).to_have_count(count)


def open_gallery(page: Page) -> None:
    element(page, "show-gallery").click()
    expect(element(page, "gallery")).to_be_visible()


def kept(page: Page) -> list[dict]:
    """What lies in IndexedDB: ``id`` and ``starred`` of each picture."""
    return page.evaluate(
        """() => new Promise((resolve, reject) => {
            const request = indexedDB.open('spade_paddle');
            request.onerror = () => reject(request.error);
            request.onsuccess = () => {
                const database = request.result;
                const get = database.transaction('album').objectStore('album').get('pictures');
                get.onsuccess = () => {
                    database.close();
                    const all = get.result ?? [];
                    resolve(all.map(({ id, starred }) => ({ id, starred: Boolean(starred) })));
                };
            };
        })"""
    )


def wait_until_kept(page: Page, count: int, *, starred: int = 0) -> list[dict]:
    for _ in range(200):
        found = kept(page)
        if (len(found), sum(entry["starred"] for entry in found)) == (count, starred):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(found)


# --- the picture as large as the window -----------------------------------------------------------


@pytest.mark.parametrize("way", ["Escape", "enlarged-close", "enlarged-picture", "beside"])
def test_the_picture_opens_large_and_closes_and_the_focus_goes_back(visit: Visit, way: str) -> None:
    page = visit.page
    wait_for_picture(page)
    element(page, "enlarge").focus()
    page.keyboard.press("Enter")
    expect(element(page, "enlarged-close")).to_be_focused()
    box = element(page, "enlarged-picture").bounding_box()
    assert box["height"] > 700 > element(page, "frame").bounding_box()["height"]
    if way == "Escape":
        page.keyboard.press(way)
    elif way == "beside":
        page.mouse.click(20, 800)
    else:
        element(page, way).click()
    expect(element(page, "enlarged")).to_have_count(0)
    expect(element(page, "enlarge")).to_be_focused()
    assert visit.errors == []


def test_a_newer_picture_takes_the_place_of_the_large_one(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    service.hangs.set()
    element(page, "dice").click()
    element(page, "enlarge").click()
    expect(element(page, "enlarged-picture")).to_have_attribute("src", shown)
    service.hangs.clear()
    newer = wait_for_picture(page, other_than=shown)
    expect(element(page, "enlarged-picture")).to_have_attribute("src", newer)


def test_a_tap_on_a_phone_shows_the_picture_over_the_whole_width(
    browser: Browser, service: StandIn
) -> None:
    page = open_page(browser, service.address, **PHONE).page
    wait_for_picture(page)
    element(page, "frame").tap()
    box = element(page, "enlarged-picture").bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    element(page, "enlarged-picture").tap()
    expect(element(page, "enlarged")).to_have_count(0)
    page.context.close()


def test_the_slider_keeps_the_picture_and_the_corner_enlarges(visit: Visit) -> None:
    page = visit.page
    wait_for_picture(page)
    element(page, "compare-toggle").click()
    box = element(page, "frame").bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    expect(element(page, "enlarged")).to_have_count(0)
    assert 20 <= int(element(page, "compare-share").input_value()) <= 30
    element(page, "enlarge").click()
    expect(element(page, "enlarged")).to_be_visible()


# --- gallery --------------------------------------------------------------------------------------


def test_the_gallery_shows_all_and_one_large_and_goes_on_with_it(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    paint(page, 3)
    seeds = [look["seed"] for look in service.looks[-3:]]
    open_gallery(page)
    expect(element(page, "gallery-open")).to_have_count(3)
    assert "202" in element(page, "gallery-entry").first.inner_text()  # the year it was painted in
    element(page, "gallery-open").first.click()
    names = element(page, "large-name")
    expect(names).to_contain_text("Picture 3")
    page.keyboard.press("ArrowRight")
    expect(names).to_contain_text("Picture 2")
    element(page, "large-next").click()
    expect(names).to_contain_text("Picture 1")
    page.keyboard.press("ArrowRight")
    expect(names).to_contain_text("Picture 3")  # round again
    page.keyboard.press("ArrowLeft")
    colors = (
        element(page, "large")
        .locator("canvas")
        .evaluate("c => [...c.getContext('2d').getImageData(128, 8, 1, 1).data].slice(0, 3)")
    )
    assert colors == list(service.label_set.colorize(service.doodles[-1])[8, 128])
    element(page, "large-go-on").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    shown = wait_for_picture(page)
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["seed"] == seeds[0]
    assert visit.errors == []


@pytest.mark.parametrize("button", ["enlarge", "show-gallery", "shortcuts"])
def test_a_dialog_is_open_before_the_next_key_can_come(visit: Visit, button: str) -> None:
    """Its click draws in microtasks: nothing else, no frame and no key, comes in between."""
    paint(visit.page, 1)
    opened = visit.page.evaluate(
        """async (name) => {
            document.querySelector(`[data-testid='${name}']`).click();
            for (let turn = 0; turn < 20; turn++) await Promise.resolve();
            return document.querySelectorAll('dialog:modal').length;
        }""",
        button,
    )
    assert opened == 1


def test_escape_closes_one_after_the_other(visit: Visit) -> None:
    page = visit.page
    paint(page, 1)
    open_gallery(page)
    element(page, "gallery-open").click()
    page.keyboard.press("Escape")
    expect(element(page, "large")).to_have_count(0)
    expect(element(page, "gallery-open")).to_be_focused()
    page.keyboard.press("Escape")
    expect(element(page, "gallery")).to_have_count(0)
    expect(element(page, "show-gallery")).to_be_focused()


def test_a_swipe_shows_the_next_picture(browser: Browser, service: StandIn) -> None:
    page = open_page(browser, service.address, **PHONE).page
    paint(page, 2)
    open_gallery(page)
    element(page, "gallery-open").first.tap()
    touch = page.context.new_cdp_session(page)

    def swipe(start: int, end: int) -> None:
        points = [[{"x": start + (end - start) * step / 5, "y": 300}] for step in range(6)]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[0]})
        for point in points[1:]:
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": point})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    expect(element(page, "large-name")).to_contain_text("Picture 2")
    swipe(300, 80)
    expect(element(page, "large-name")).to_contain_text("Picture 1")
    swipe(80, 300)
    expect(element(page, "large-name")).to_contain_text("Picture 2")
    page.context.close()


def test_a_picture_of_the_gallery_is_saved_as_it_was_kept(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    paint(page, 1)
    open_gallery(page)
    element(page, "gallery-open").click()
    with page.expect_download() as waiting:
        element(page, "large-save").click()
    waiting.value.save_as(tmp_path / "saved.png")
    assert Image.open(tmp_path / "saved.png").size == (256, 256)


def test_delete_and_undo_by_keyboard_down_to_the_empty_gallery(visit: Visit) -> None:
    page = visit.page
    paint(page, 1)
    (before,) = wait_until_kept(page, 1)
    open_gallery(page)
    for undone in (True, False):
        element(page, "gallery-delete").focus()
        page.keyboard.press("Enter")
        expect(element(page, "gallery-undo")).to_be_focused()
        expect(element(page, "gallery-notice")).to_contain_text("deleted")
        expect(element(page, "gallery-empty")).to_be_visible()
        wait_until_kept(page, 0)
        if undone:
            page.keyboard.press("Enter")
            expect(element(page, "gallery-entry")).to_have_count(1)
            assert wait_until_kept(page, 1) == [before]
    page.keyboard.press("Escape")
    expect(element(page, "show-gallery")).to_have_count(0)
    assert visit.errors == []


def test_a_deleted_picture_is_not_kept_again_when_a_reload_paints_it(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    wait_for_picture(page)
    expect(element(page, "album-entry")).to_have_count(1)  # it has stayed for a while
    open_gallery(page)
    element(page, "gallery-delete").click()
    wait_until_kept(page, 0)
    page.clock.install()
    page.reload()
    wait_for_picture(page)
    page.clock.run_for(10000)
    expect(element(page, "album-entry")).to_have_count(0)
    element(page, "generate").click()  # now it is asked for
    expect(element(page, "album-entry")).to_have_count(1)


def two_tabs(browser: Browser, service: StandIn, count: int) -> list[Page]:
    """Two tabs that show the same album of so many pictures."""
    one = open_page(browser, service.address, viewport={"width": 1280, "height": 860}).page
    paint(one, count)
    wait_until_kept(one, count)
    two = one.context.new_page()
    two.goto(service.address)
    expect(element(two, "album-entry")).to_have_count(count)
    return [one, two]


def test_what_one_tab_deletes_no_other_brings_back(browser: Browser, service: StandIn) -> None:
    one, two = two_tabs(browser, service, 2)
    open_gallery(one)
    gone = kept(one)[1]["id"]
    element(one, "gallery-delete").last.click()
    wait_until_kept(one, 1)
    expect(element(two, "album-entry")).to_have_count(1)  # told, without a reload
    element(two, "dice").click()  # it keeps one of its own, and merges
    left = wait_until_kept(two, 2)
    assert gone not in [entry["id"] for entry in left]
    expect(element(one, "gallery-entry")).to_have_count(2)
    for page in (one, two):
        page.reload()
        expect(element(page, "album-entry")).to_have_count(2)
    one.context.close()


def test_a_tab_that_heard_nothing_brings_nothing_back(browser: Browser, service: StandIn) -> None:
    one, two = two_tabs(browser, service, 2)
    two.add_init_script("delete window.BroadcastChannel")
    two.reload()
    expect(element(two, "album-entry")).to_have_count(2)
    open_gallery(one)
    gone = kept(one)[1]["id"]
    element(one, "gallery-delete").last.click()
    wait_until_kept(one, 1)
    expect(element(two, "album-entry")).to_have_count(2)
    open_gallery(two)
    element(two, "gallery-star").last.click()  # of the one that is gone
    expect(element(two, "gallery-entry")).to_have_count(1)
    assert gone not in [entry["id"] for entry in wait_until_kept(two, 1)]
    one.context.close()


def test_a_star_holds_over_two_tabs_and_against_newer_pictures(
    browser: Browser, service: StandIn
) -> None:
    one, two = two_tabs(browser, service, 2)
    open_gallery(one)
    star = element(one, "gallery-star").last
    star.focus()
    one.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    (starred,) = [entry["id"] for entry in wait_until_kept(one, 2, starred=1) if entry["starred"]]
    shown = None  # nothing is painted there before it is asked for
    for _ in range(24):
        element(two, "dice").click()
        shown = wait_for_picture(two, other_than=shown)
    expect(element(two, "album-entry")).to_have_count(24)
    left = wait_until_kept(two, 24, starred=1)
    assert left[-1] == {"id": starred, "starred": True}
    one.context.close()


def test_what_was_deleted_can_be_taken_back_on_a_narrow_phone(
    browser: Browser, service: StandIn
) -> None:
    """The way back and the way out stay on the screen beside each other."""
    narrow = {**PHONE, "viewport": {"width": 320, "height": 568}}
    page = open_page(browser, service.address, **narrow).page
    paint(page, 2)
    open_gallery(page)
    element(page, "gallery-delete").first.click()
    for name in ("gallery-undo", "gallery-close"):
        box = element(page, name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320, name
    element(page, "gallery-undo").tap()
    expect(element(page, "gallery-entry")).to_have_count(2)
    element(page, "gallery-close").tap()
    expect(element(page, "gallery")).to_have_count(0)
    page.context.close()


def test_no_more_stars_than_leave_room_and_the_page_says_so(visit: Visit) -> None:
    page = visit.page
    paint(page, 13)
    open_gallery(page)
    for place in range(13):
        element(page, "gallery-star").nth(place).click()
    expect(element(page, "gallery-notice")).to_contain_text("12 pictures")
    expect(element(page, "gallery-star").nth(12)).to_have_attribute("aria-pressed", "false")
    element(page, "gallery-star").nth(0).click()
    expect(element(page, "gallery-notice")).to_be_empty()
    element(page, "gallery-star").nth(12).click()
    expect(element(page, "gallery-star").nth(12)).to_have_attribute("aria-pressed", "true")
    wait_until_kept(page, 13, starred=12)
    assert np.all([entry["starred"] for entry in kept(page)[1:]])
