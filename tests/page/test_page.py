"""The page in a real browser: drawing, generating, keeping, speaking."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.page.driver import (
    Visit,
    choose,
    download_picture,
    element,
    open_page,
    pixel_of_picture,
    set_live,
    size_of_picture,
    stroke,
    wait_for_picture,
)
from tests.page.stand_in import DONT_CARE, StandIn
from tests.page.test_drawing import color_at


def newest(service: StandIn, x: float, y: float) -> str:
    """The English label name in the newest doodle the service got, at a place in fractions."""
    doodle = service.doodles[-1]
    label = int(doodle[int(y * doodle.shape[0]), int(x * doodle.shape[1])])
    return "paper" if label == DONT_CARE else service.label_set.labels[label].name_en


def test_first_visit_shows_a_scene_and_its_picture(visit: Visit, service: StandIn) -> None:
    wait_for_picture(visit.page)
    assert size_of_picture(visit.page) == (256, 256)
    assert service.doodles[0].shape == (256, 256)
    expect(element(visit.page, "milliseconds")).to_have_text("7 ms")
    expect(element(visit.page, "status")).to_contain_text("7 milliseconds")


def test_drawing_changes_the_picture_by_itself(visit: Visit, service: StandIn) -> None:
    before = wait_for_picture(visit.page)
    choose(visit.page, tool="brush", label="flower")
    stroke(visit.page, (0.2, 0.2), (0.8, 0.3))
    wait_for_picture(visit.page, other_than=before)
    flower = service.label_set.labels[service.label_set.id_of("flower")].color
    assert pixel_of_picture(visit.page, 0.5, 0.25) == flower
    known = [*range(len(service.label_set)), DONT_CARE]
    assert set(np.unique(service.doodles[-1])) <= set(known)


def test_without_live_only_the_button_generates(visit: Visit, service: StandIn) -> None:
    before = wait_for_picture(visit.page)
    set_live(visit.page, on=False)
    choose(visit.page, tool="brush", label="sand")
    stroke(visit.page, (0.5, 0.5))
    visit.page.wait_for_timeout(700)
    assert len(service.doodles) == 1
    element(visit.page, "generate").click()
    wait_for_picture(visit.page, other_than=before)
    assert newest(service, 0.5, 0.5) == "sand"


def test_fill_eraser_undo_and_redo(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    choose(page, tool="fill", label="sand")
    stroke(page, (0.5, 0.85))
    shown = wait_for_picture(page, other_than=shown)
    assert (newest(service, 0.5, 0.85), newest(service, 0.7, 0.7)) == ("sand", "sand")
    choose(page, tool="eraser")
    stroke(page, (0.5, 0.85))
    shown = wait_for_picture(page, other_than=shown)
    paper = color_at(page, 0.5, 0.85)
    assert tuple(paper) not in {label.color for label in service.label_set.labels}
    element(page, "undo").click()
    page.keyboard.press("Control+z")
    expect(element(page, "undo")).to_be_disabled()
    shown = wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])
    page.keyboard.press("Control+Shift+Z")
    wait_for_picture(page, other_than=shown)
    assert newest(service, 0.5, 0.85) == "sand"


def test_clear_and_a_scene_can_be_undone(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "clear").click()
    element(page, "generate").click()
    expect(element(page, "problem")).to_have_attribute("data-code", "nothing_painted")
    element(page, "scene-desert").click()
    expect(element(page, "problem")).to_have_count(0)
    shown = wait_for_picture(page, other_than=shown)
    assert newest(service, 0.1, 0.95) == "sand"
    element(page, "undo").click()
    element(page, "undo").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])


def test_reload_keeps_the_doodle_and_the_choices(visit: Visit, service: StandIn) -> None:
    page = visit.page
    wait_for_picture(page)
    set_live(page, on=False)
    choose(page, tool="brush", label="building")
    stroke(page, (0.4, 0.4), (0.6, 0.4))
    page.reload()
    expect(element(page, "live")).not_to_be_checked()
    element(page, "generate").click()
    wait_for_picture(page)
    assert newest(service, 0.5, 0.4) == "building"


def test_everything_by_keyboard(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    set_live(page, on=False)
    page.keyboard.press("6")
    expect(element(page, "label-sand")).to_be_checked()
    page.keyboard.press("Shift+Digit1")
    expect(element(page, "label-flower")).to_be_checked()
    page.keyboard.press("e")
    expect(element(page, "tool-eraser")).to_be_checked()
    page.keyboard.press("b")
    size = element(page, "size").input_value()
    page.keyboard.press("]")
    page.keyboard.press("]")
    page.keyboard.press("[")
    assert int(element(page, "size").input_value()) == int(size) + 1
    element(page, "doodle").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    wait_for_picture(page, other_than=shown)
    assert (newest(service, 0.5, 0.5), newest(service, 0.54, 0.5)) == ("flower", "flower")


def test_a_second_finger_does_not_paint(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    choose(page, tool="brush", label="flower")
    element(page, "doodle").evaluate(
        """canvas => {
            const box = canvas.getBoundingClientRect();
            canvas.setPointerCapture = () => {};
            const send = (type, id, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
                pointerId: id, pointerType: 'touch', button: 0, bubbles: true,
                clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
            send('pointerdown', 1, 0.2, 0.2); send('pointermove', 1, 0.3, 0.2);
            send('pointerdown', 2, 0.8, 0.8); send('pointermove', 2, 0.9, 0.8);
            send('pointerup', 2, 0.9, 0.8); send('pointermove', 1, 0.4, 0.2);
            send('pointerup', 1, 0.4, 0.2);
        }"""
    )
    wait_for_picture(page, other_than=shown)
    assert newest(service, 0.35, 0.2) == "flower"
    assert "flower" not in (newest(service, 0.8, 0.8), newest(service, 0.9, 0.8))


def test_a_finger_paints_on_a_phone(browser: Browser, service: StandIn) -> None:
    phone = {"width": 390, "height": 844}
    visit = open_page(browser, service.address, viewport=phone, has_touch=True, is_mobile=True)
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "label-flower").evaluate("input => input.click()")
    box = element(page, "doodle").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    wait_for_picture(page, other_than=shown)
    assert newest(service, 0.5, 0.25) == "flower"
    expect(element(page, "ring")).to_have_count(0)
    page.context.close()


def test_language_follows_the_browser_and_the_switch(browser: Browser, service: StandIn) -> None:
    visit = open_page(browser, service.address, locale="zh-CN")
    page = visit.page
    wait_for_picture(page)
    expect(page).to_have_title("涂鸦成景")
    expect(element(page, "palette")).to_contain_text("天空")
    element(page, "language").click()
    expect(page).to_have_title("Doodle to Landscape")
    expect(element(page, "palette")).to_contain_text("sky")
    assert page.locator("html").get_attribute("lang") == "en"
    page.reload()
    expect(page).to_have_title("Doodle to Landscape")
    page.context.close()


def test_download_is_the_picture(visit: Visit, service: StandIn, tmp_path: Path) -> None:
    wait_for_picture(visit.page)
    path = download_picture(visit.page, tmp_path)
    assert path.suffix == ".png"
    expected = service.label_set.colorize(service.doodles[-1])
    assert np.array_equal(np.asarray(Image.open(path)), expected)


def test_a_picture_made_on_the_way_is_a_jpeg_and_is_saved_without_its_traces(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    service.jpegs = True
    page = visit.page
    element(page, "scene-desert").click()
    shown = wait_for_picture(page)
    assert service.formats[-1] == "jpeg"
    expected = service.label_set.colorize(service.doodles[-1])
    path = download_picture(page, tmp_path)
    assert path.suffix == ".png" and np.array_equal(np.asarray(Image.open(path)), expected)
    assert np.array_equal(service.doodles[-1], service.doodles[-2])
    service.stop()
    assert download_picture(page, tmp_path).suffix == ".jpg"
    service.start()
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    assert service.formats[-1] == "png"


def test_newest_doodle_wins_over_a_slow_answer(visit: Visit, service: StandIn) -> None:
    page = visit.page
    wait_for_picture(page)
    service.delay_s = 1.2
    element(page, "scene-desert").click()
    element(page, "progress").wait_for()
    service.delay_s = 0.0
    element(page, "scene-meadow").click()
    grass = service.label_set.labels[service.label_set.id_of("grass")].color
    page.wait_for_timeout(2000)
    assert pixel_of_picture(page, 0.5, 0.7) == grass
    expect(element(page, "progress")).to_have_count(0)


@pytest.mark.parametrize(
    "viewport",
    [(360, 640), (375, 667), (390, 844), (844, 390), (768, 1024), (800, 900), (1024, 768)],
)
def test_the_whole_sheet_the_picture_and_generate_are_seen_together(
    browser: Browser, service: StandIn, viewport: tuple[int, int]
) -> None:
    width, height = viewport
    page = open_page(browser, service.address, viewport={"width": width, "height": height}).page
    wait_for_picture(page)
    boxes = {name: element(page, name).bounding_box() for name in ("doodle", "picture", "generate")}
    bottom = {name: box["y"] + box["height"] for name, box in boxes.items()}
    palette = page.locator(".palette").bounding_box()
    lies_below = palette["x"] + palette["width"] > boxes["doodle"]["x"]
    below = palette["y"] if lies_below else height
    assert bottom["doodle"] <= below and max(bottom.values()) <= height
    assert boxes["picture"]["width"] >= 0.59 * boxes["doodle"]["width"] >= 0.59 * 200
    expect(element(page, "service")).to_be_visible()
    assert element(page, "service").evaluate("e => getComputedStyle(e).fontSize") != "0px"
    expect(page.get_by_text("Kids", exact=True)).to_be_visible()
    element(page, "kids").set_checked(True, force=True)
    painted = element(page, "doodle").bounding_box()
    palette = page.locator(".palette").bounding_box()
    below = palette["y"] if lies_below else height
    assert painted["y"] + painted["height"] <= below
    labels = page.locator("label:has([data-testid^='label-'])").all()
    assert len(labels) == 10
    for box in [label.bounding_box() for label in labels]:  # none needs scrolling
        assert box["width"] >= 44 and box["height"] >= 44
        assert palette["x"] <= box["x"] and palette["y"] <= box["y"]
        assert box["x"] + box["width"] <= min(palette["x"] + palette["width"], width)
        assert box["y"] + box["height"] <= min(palette["y"] + palette["height"], height)
    undo = element(page, "undo").bounding_box()
    assert undo["width"] >= 64 and undo["height"] >= 64
    assert undo["y"] >= 0 and undo["y"] + undo["height"] <= below
    choose(page, tool="stamp")
    stamps = element(page, "stamps").bounding_box()
    assert stamps["x"] >= 0 and stamps["x"] + stamps["width"] <= width
    assert stamps["y"] + stamps["height"] <= below
    page.context.close()


@pytest.mark.parametrize(
    "viewport",
    [
        (1440, 900),
        (1280, 720),
        (1181, 800),
        (1024, 768),
        (960, 768),
        (844, 390),
        (390, 844),
        (320, 568),
    ],
)
def test_nothing_spills_over_and_targets_are_large(
    browser: Browser, service: StandIn, viewport: tuple[int, int]
) -> None:
    service.abilities["natural_edges"] = True  # the button is the last that came
    width, height = viewport
    visit = open_page(browser, service.address, viewport={"width": width, "height": height})
    wait_for_picture(visit.page)
    for kids in (False, True):
        element(visit.page, "kids").set_checked(kids, force=True)
        choose(visit.page, tool="stamp")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == width
        small = visit.page.evaluate(
            """() => [...document.querySelectorAll('button, a[href], label, input[type=range]')]
                .map(e => [e.dataset.testid || e.className, e.getBoundingClientRect()])
                .filter(([, r]) => r.width && (r.width < 44 || r.height < 44))
                .map(([name, r]) => `${name} ${r.width}x${r.height}`)"""
        )
        assert small == []
        # what is under the picture lies within its column, whose overflow is hidden
        spilling = visit.page.evaluate(
            """() => [...document.querySelectorAll('.actions *')]
                .map(e => [e.className, e.getBoundingClientRect().right])
                .filter(([, right]) =>
                    right > document.querySelector('.actions').getBoundingClientRect().right + 0.5)
                .map(([name, right]) => `${name} ${right}`)"""
        )
        assert spilling == []
        tools, doodle = (element(visit.page, name).bounding_box() for name in ("tools", "doodle"))
        beside = tools["x"] + tools["width"] <= doodle["x"]
        assert beside or tools["y"] >= doodle["y"] + doodle["height"]
    visit.page.context.close()


def test_no_console_errors_and_no_other_hosts(visit: Visit, service: StandIn) -> None:
    wait_for_picture(visit.page)
    element(visit.page, "shortcuts").click()
    visit.page.keyboard.press("Escape")
    for name in ("scene-coast", "clear", "undo", "language"):
        element(visit.page, name).click()
    visit.page.wait_for_timeout(600)
    assert visit.errors == []
    assert visit.hosts() == {urlsplit(service.address).netloc}
