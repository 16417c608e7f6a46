"""The page in a real browser: pictures while the hand moves, gaps, undo with the look, two tabs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import (
    Visit,
    choose,
    element,
    open_page,
    pixel_of_picture,
    set_live,
    stroke,
    wait_for_picture,
)
from tests.page.stand_in import DONT_CARE, StandIn
from tests.page.test_drawing import place

BOARD = {"width": 1280, "height": 860}


def color_of(service: StandIn, label: str) -> tuple[int, int, int]:
    return service.label_set.labels[service.label_set.id_of(label)].color


def same_look(service: StandIn, index: int) -> bool:
    return service.looks[-1] == {**service.looks[index], "style_vector": [index + 1.0, 0.5]}


# --- while drawing --------------------------------------------------------------------------------


@pytest.mark.parametrize("delay_s", [0.1, 0.6])
def test_pictures_appear_while_the_pen_is_down_and_the_last_is_of_the_final_doodle(
    visit: Visit, service: StandIn, delay_s: float
) -> None:
    page = visit.page
    shown = {wait_for_picture(page)}
    service.delay_s = delay_s
    given_up = []
    page.on("requestfailed", lambda request: given_up.append(request.url))
    choose(page, tool="brush", label="flower")
    page.mouse.move(*place(page, 0.1, 0.1))
    page.mouse.down()
    for step in itertools.count():
        page.mouse.move(*place(page, 0.1 + 0.8 * (step % 40) / 40, 0.1 + 0.02 * (step % 37)))
        shown.add(element(page, "picture").get_attribute("src"))
        page.wait_for_timeout(20)
        if len(shown) > 8:
            break
        assert step < 3000, f"{len(shown)} pictures"
    page.mouse.move(*place(page, 0.95, 0.95))
    page.mouse.up()
    expect(element(page, "picture")).not_to_have_attribute("src", "")
    page.wait_for_function(
        """([x, y, color]) => {
            const image = document.querySelector("[data-testid=picture]");
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
            return [...context.getImageData(...at, 1, 1).data].slice(0, 3).join() === color.join();
        }""",
        arg=[0.95, 0.95, list(color_of(service, "flower"))],
    )
    assert given_up == []


def test_another_scene_does_not_wait_for_the_picture_of_the_old_one(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    first = wait_for_picture(page)
    service.delay_s = 1.5
    choose(page, tool="brush", label="flower")
    stroke(page, (0.5, 0.1))
    element(page, "progress").wait_for()
    service.delay_s = 0.0
    element(page, "scene-meadow").click()
    wait_for_picture(page, other_than=first)
    assert pixel_of_picture(page, 0.5, 0.7) == color_of(service, "grass")


def test_the_first_stroke_of_a_newcomer_shows(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    before = service.doodles[-1]
    stroke(page, (0.3, 0.3), (0.6, 0.3))
    wait_for_picture(page, other_than=shown)
    assert (service.doodles[-1] != before).sum() > 500


def test_a_stroke_may_begin_outside_of_the_sheet_and_selects_nothing(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    choose(page, tool="brush", label="flower")
    heading = page.locator("h1").bounding_box()
    page.mouse.move(heading["x"] + 2, heading["y"] + 2)
    page.mouse.down()
    for x, y in ((0.3, -0.02), (0.3, 0.3), (0.7, 0.3), (0.7, -0.1)):
        page.mouse.move(*place(page, x, y), steps=6)
    page.mouse.up()
    wait_for_picture(page, other_than=shown)
    assert pixel_of_picture(page, 0.3, 0.2) == color_of(service, "flower")
    assert pixel_of_picture(page, 0.5, 0.3) == color_of(service, "flower")
    assert page.evaluate("getSelection().toString()") == ""


def test_a_drag_from_the_brush_size_does_not_paint(visit: Visit, service: StandIn) -> None:
    page = visit.page
    wait_for_picture(page)
    set_live(page, on=False)
    choose(page, tool="brush", label="flower")
    box = element(page, "size").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*place(page, 0.5, 0.5), steps=8)
    page.mouse.up()
    expect(element(page, "undo")).to_be_disabled()


# --- gaps -----------------------------------------------------------------------------------------


def paint_rows(page: Page, *, rows: int) -> None:
    """Strokes across a blank sheet from the top on, with slivers of paper between them."""
    element(page, "clear").click()
    choose(page, tool="rectangle", label="grass")
    for row in range(rows):
        stroke(page, (0.0, row / 10 + 0.004), (0.995, (row + 1) / 10 - 0.02))


def test_slivers_are_sent_as_what_is_next_to_them_once_half_is_painted(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    set_live(page, on=False)
    grass = service.label_set.id_of("grass")
    for rows, share_sent in ((3, (0.2, 0.3)), (8, (1.0, 1.0))):
        paint_rows(page, rows=rows)
        element(page, "generate").click()
        shown = wait_for_picture(page, other_than=shown)
        sent = service.doodles[-1]
        assert share_sent[0] <= (sent == grass).mean() <= share_sent[1]
        assert set(np.unique(sent)) <= {grass, DONT_CARE}
    # on the sheet the gaps are still there, until somebody fills them
    wait_for_kept_gaps(page, there=True)
    element(page, "fill_rest").click()
    wait_for_kept_gaps(page, there=False)
    element(page, "undo").click()
    wait_for_kept_gaps(page, there=True)


def wait_for_kept_gaps(page: Page, *, there: bool) -> None:
    """Wait until the doodle that the page keeps for a reload has blank cells, or none."""
    page.wait_for_function(
        """(there) => {
            const kept = JSON.parse(localStorage.getItem("spade_paddle.doodle"));
            return kept && atob(kept.data).includes(String.fromCharCode(255)) === there;
        }""",
        arg=there,
    )


# --- the look -------------------------------------------------------------------------------------


def test_undo_of_a_scene_brings_its_look_back_and_redo_the_other(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "dice").click()
    shown = wait_for_picture(page, other_than=shown)
    element(page, "scene-desert").click()
    shown = wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["style_vector"] is None  # chosen anew
    element(page, "undo").click()
    shown = wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[1])
    assert same_look(service, 1)
    element(page, "redo").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[2])
    assert same_look(service, 2)


def test_undo_after_going_back_to_an_earlier_picture_brings_the_look_of_now_back(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "dice").click()
    shown = wait_for_picture(page, other_than=shown)
    expect(element(page, "album-entry")).to_have_count(1)
    element(page, "scene-desert").click()
    shown = wait_for_picture(page, other_than=shown)
    element(page, "style-sunset").check(force=True)
    shown = wait_for_picture(page, other_than=shown)
    now = service.looks[-1]
    element(page, "album-entry").last.click()
    shown = wait_for_picture(page, other_than=shown)
    expect(element(page, "style-auto")).to_be_checked()
    element(page, "undo").click()
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1] == now and now["style_name"] == "sunset"
    assert np.array_equal(service.doodles[-1], service.doodles[2])


@pytest.mark.parametrize("reloaded", [False, True])
def test_a_much_changed_doodle_gets_another_light_but_not_while_the_pen_is_down(
    visit: Visit, service: StandIn, reloaded: bool
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    if reloaded:
        page.reload()
        shown = wait_for_picture(page)
        choose(page, tool="brush", label="flower")
        stroke(page, (0.5, 0.05))  # what has been drawn from then on counts
        shown = wait_for_picture(page, other_than=shown)
    choose(page, tool="brush", label="sand")
    element(page, "size").fill("99")  # the largest
    page.mouse.move(*place(page, 0.0, 0.1))
    page.mouse.down()
    for row in range(8):
        page.mouse.move(*place(page, row % 2, 0.1 + row / 9), steps=10)
    shown = wait_for_picture(page, other_than=shown)
    first = [1.0, 0.5]
    assert service.looks[-1]["style_vector"] == first
    page.mouse.up()
    stroke(page, (0.5, 0.05))  # a picture is due after the pen was lifted
    for _ in range(300):
        if service.looks[-1]["style_vector"] is None:
            return
        page.wait_for_timeout(50)
    raise AssertionError(service.looks)


# --- two tabs, keys -------------------------------------------------------------------------------


def test_two_tabs_keep_all_pictures_and_the_newest_doodle(
    browser: Browser, service: StandIn
) -> None:
    one = open_page(browser, service.address + "ui/words/en.js", viewport=BOARD)
    # no pictures but those that are asked for, from the start
    one.page.evaluate("localStorage.setItem('spade_paddle.live', 'false')")
    pages = [one.page, one.page.context.new_page()]
    for page in pages:
        page.goto(service.address)
    for page, scene in zip(pages, ("scene-desert", "scene-meadow")):
        element(page, scene).click()
        element(page, "generate").click()
        wait_for_picture(page)
        page.wait_for_timeout(1000)  # what is drawn is kept a little later
    newest = service.doodles[-1]
    pages[0].close()  # it must not write its older doodle over the newer one
    pages[1].reload()
    expect(element(pages[1], "album-entry")).to_have_count(2)
    element(pages[1], "generate").click()
    wait_for_picture(pages[1])
    assert np.array_equal(service.doodles[-1], newest)
    one.page.context.close()


def test_a_question_mark_opens_the_shortcuts(visit: Visit) -> None:
    page = visit.page
    wait_for_picture(page)
    for _ in range(2):
        page.keyboard.press("?")
        expect(page.locator("dialog[open]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
