"""Drawing in a real browser: every tool by pointer and by keyboard, zoom, pan and two fingers."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import Visit, choose, element, open_page, set_live, stroke, wait_for_picture
from tests.page.stand_in import DONT_CARE, StandIn

# Where a finger of a touch screen is, for Chromium's own input, which knows several of them.
Finger = tuple


@pytest.fixture
def paper(visit: Visit) -> Page:
    """The page with blank paper, flower to paint with, and pictures only on request."""
    return blank(visit.page)


def blank(page: Page) -> Page:
    wait_for_picture(page)
    set_live(page, on=False)
    element(page, "clear").click()
    choose(page, label="flower")
    return page


def sent(page: Page, service: StandIn) -> np.ndarray:
    """The doodle as the page sends it when a picture is asked for."""
    shown = element(page, "picture").get_attribute("src")
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    return service.doodles[-1]


def doodle_of(page: Page, service: StandIn) -> np.ndarray:
    """The doodle as it is sent: True where there is flower."""
    doodle, flower = sent(page, service), service.label_set.id_of("flower")
    assert set(np.unique(doodle)) <= {flower, DONT_CARE}
    return doodle == flower


def box_of(cells: np.ndarray) -> tuple[int, int, int, int]:
    """Left, upper, right and lower cell of what is painted."""
    rows, columns = np.nonzero(cells)
    return columns.min(), rows.min(), columns.max(), rows.max()


def near(values: tuple[int, ...], expected: tuple[int, ...], by: int = 1) -> bool:
    return all(abs(int(value) - other) <= by for value, other in zip(values, expected))


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place on the board, given in fractions of it, on the screen (while nothing is zoomed)."""
    box = element(page, "doodle").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def color_at(page: Page, x: float, y: float) -> list[int]:
    """What the canvas shows of a cell, after the next frame."""
    return element(page, "doodle").evaluate(
        """(canvas, [x, y]) => new Promise((resolve) => requestAnimationFrame(() => {
            const at = [x * canvas.width, y * canvas.height];
            resolve([...canvas.getContext('2d').getImageData(...at, 1, 1).data]);
        }))""",
        [x, y],
    )[:3]


@pytest.mark.parametrize(("tool", "share"), [("rectangle", 1.0), ("ellipse", np.pi / 4)])
def test_shapes_fill_what_is_dragged_and_shift_makes_them_even(
    paper: Page, service: StandIn, tool: str, share: float
) -> None:
    choose(paper, tool=tool)
    stroke(paper, (0.25, 0.25), (0.75, 0.5))
    cells = doodle_of(paper, service)
    assert near(box_of(cells), (64, 64, 192, 128))
    assert cells.sum() == pytest.approx(share * 129 * 65, rel=0.03)
    element(paper, "undo").click()
    paper.keyboard.down("Shift")
    stroke(paper, (0.25, 0.25), (0.75, 0.5))
    paper.keyboard.up("Shift")
    assert near(box_of(doodle_of(paper, service)), (64, 64, 192, 192))


def test_a_line_is_straight_and_escape_gives_it_up(paper: Page, service: StandIn) -> None:
    paper.keyboard.press("l")
    paper.mouse.move(*place(paper, 0.2, 0.2))
    paper.mouse.down()
    paper.mouse.move(*place(paper, 0.8, 0.8), steps=4)
    flower = service.label_set.labels[service.label_set.id_of("flower")].color
    assert color_at(paper, 0.5, 0.5) == list(flower)
    paper.keyboard.press("Escape")
    assert color_at(paper, 0.5, 0.5) != list(flower)
    paper.mouse.up()
    stroke(paper, (0.2, 0.5), (0.5, 0.1), (0.8, 0.5))
    cells = doodle_of(paper, service)
    assert cells[128, 51:205].all()
    assert near(box_of(cells), (41, 118, 215, 137), by=2)


def test_a_polygon_is_clicked_corner_by_corner(paper: Page, service: StandIn) -> None:
    choose(paper, tool="polygon")
    corners = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
    for corner in corners:
        stroke(paper, corner)
    expect(element(paper, "said")).to_have_text("Polygon: 4 corners.")
    expect(element(paper, "outline").locator(".outline-light circle")).to_have_count(4)
    paper.keyboard.press("Backspace")
    stroke(paper, (0.252, 0.252))
    expect(element(paper, "outline")).to_have_count(0)
    cells = doodle_of(paper, service)
    assert cells.sum() == pytest.approx(129 * 129 / 2, rel=0.03)
    assert cells[80, 180] and not cells[180, 80]
    element(paper, "undo").click()
    for corner in corners[:3]:
        stroke(paper, corner)
    paper.mouse.dblclick(*place(paper, *corners[3]))
    assert doodle_of(paper, service).sum() == pytest.approx(129 * 129, rel=0.03)


def test_the_eyedropper_takes_a_label_and_paints_on(visit: Visit) -> None:
    page = visit.page
    wait_for_picture(page)
    choose(page, tool="line", label="flower")
    page.keyboard.press("i")
    stroke(page, (0.5, 0.02))
    expect(element(page, "label-sky")).to_be_checked()
    expect(element(page, "tool-line")).to_be_checked()
    expect(element(page, "said")).to_have_text("Taken: sky.")


def test_a_region_is_moved_scaled_and_put_back(paper: Page, service: StandIn) -> None:
    choose(paper, tool="rectangle")
    stroke(paper, (0.3, 0.3), (0.4, 0.4))
    before = doodle_of(paper, service)
    choose(paper, tool="move")
    stroke(paper, (0.25, 0.25), (0.45, 0.45))
    stroke(paper, (0.35, 0.35), (0.6, 0.35))
    expect(element(paper, "outline").locator(".handle")).to_have_count(4)
    paper.keyboard.press("Escape")
    expect(element(paper, "outline")).to_have_count(0)
    assert np.array_equal(doodle_of(paper, service), before)
    stroke(paper, (0.25, 0.25), (0.45, 0.45))
    stroke(paper, (0.35, 0.35), (0.6, 0.35))
    paper.keyboard.press("Enter")
    moved = doodle_of(paper, service)
    assert np.array_equal(moved, np.roll(before, 64, axis=1))
    stroke(paper, (0.5, 0.25), (0.7, 0.45))
    stroke(paper, (0.703, 0.453), (0.9, 0.65))
    stroke(paper, (0.1, 0.9))
    scaled = doodle_of(paper, service)
    assert scaled.sum() == pytest.approx(4 * before.sum(), rel=0.08)
    element(paper, "undo").click()
    element(paper, "undo").click()
    assert np.array_equal(doodle_of(paper, service), before)


def test_a_pen_paints_wider_where_it_presses_harder(paper: Page, service: StandIn) -> None:
    element(paper, "doodle").evaluate(
        """canvas => {
            const box = canvas.getBoundingClientRect();
            canvas.setPointerCapture = () => {};
            const send = (type, x, pressure, pointerType) =>
                canvas.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType, pressure,
                    button: 0, bubbles: true, clientX: box.left + x * box.width,
                    clientY: box.top + (pointerType === 'pen' ? 0.3 : 0.7) * box.height }));
            for (const type of ['pen', 'mouse']) {
                send('pointerdown', 0.2, 0, type);
                send('pointermove', 0.8, 1, type);
                send('pointerup', 0.8, 0, type);
            }
        }"""
    )
    cells = doodle_of(paper, service)
    pen = [int(cells[:128, int(x * 256)].sum()) for x in (0.2, 0.5, 0.8)]
    mouse = [int(cells[128:, int(x * 256)].sum()) for x in (0.2, 0.5, 0.8)]
    assert near(tuple(pen), (6, 13, 20), by=2)
    assert near(tuple(mouse), (20, 20, 20))


def test_every_tool_works_by_keyboard(paper: Page, service: StandIn) -> None:
    def keys(*names: str) -> None:
        for name in names:
            paper.keyboard.press(name)

    element(paper, "doodle").focus()
    keys("r", "Space", *["ArrowRight"] * 4, *["ArrowDown"] * 2, "Space")
    cells = doodle_of(paper, service)
    assert box_of(cells) == (128, 128, 144, 136)
    assert cells.sum() == 17 * 9
    expect(element(paper, "said")).to_have_text("flower, 56 % from the left, 53 % from the top.")
    element(paper, "undo").click()
    element(paper, "doodle").focus()
    keys("p", "Space", *["ArrowRight"] * 8, "Space", *["ArrowDown"] * 8, "Space", "Enter")
    cells = doodle_of(paper, service)
    assert box_of(cells) == (128, 128, 160, 160)
    assert cells.sum() == 33 * 34 / 2
    element(paper, "doodle").focus()
    keys("m", "Space", *["ArrowRight"] * 9, *["ArrowDown"] * 9, "Space")
    keys("ArrowLeft", "ArrowUp", "Enter")
    assert np.array_equal(doodle_of(paper, service), np.roll(cells, (-4, -4), axis=(0, 1)))
    element(paper, "undo").click()
    element(paper, "doodle").focus()
    keys("f", "ArrowLeft", "Space")
    assert doodle_of(paper, service).all()
    element(paper, "doodle").focus()
    keys("l", "Space", "ArrowUp", "Escape")
    expect(element(paper, "said")).to_have_text("Canceled.")


def test_a_stroke_drawn_while_zoomed_lands_on_the_right_cells(
    paper: Page, service: StandIn
) -> None:
    board = paper.locator(".panel-doodle .board").bounding_box()

    def on_board(x: float, y: float) -> tuple[float, float]:
        return board["x"] + x * board["width"], board["y"] + y * board["height"]

    def tap(x: float, y: float) -> None:
        paper.mouse.move(*on_board(x, y))
        paper.mouse.down()
        paper.mouse.up()

    element(paper, "size").fill("0")  # One cell.
    paper.mouse.move(*on_board(0.75, 0.25))
    for _ in range(8):
        paper.mouse.wheel(0, -100)
    expect(element(paper, "zoom_whole")).to_have_text("422 %")
    tap(0.75, 0.25)  # What the wheel zooms at stays where it is.
    scale = np.exp(8 * 0.18)
    paper.mouse.move(*on_board(0.5, 0.5))
    paper.mouse.down(button="middle")
    paper.mouse.move(*on_board(0.6, 0.3), steps=3)
    paper.mouse.up(button="middle")
    tap(0.85, 0.05)  # The same cell, panned.
    tap(0.35, 0.55)
    paper.keyboard.down("Space")
    paper.mouse.move(*on_board(0.6, 0.3))
    paper.mouse.down()
    paper.mouse.move(*on_board(0.5, 0.5), steps=3)
    paper.mouse.up()
    paper.keyboard.up("Space")
    tap(0.25, 0.75)  # The same as before, panned back.
    cells = doodle_of(paper, service)
    assert cells.sum() == 2
    assert near(box_of(cells)[2:0:-1], (192, 64))
    left, lower = 0.75 - 0.5 / scale, 0.25 + 0.5 / scale
    assert near((box_of(cells)[0], box_of(cells)[3]), (int(left * 256), int(lower * 256)))
    paper.keyboard.press("w")
    expect(element(paper, "zoom_whole")).to_have_text("100 %")
    assert element(paper, "doodle").bounding_box() == board


def test_zoom_by_keys_and_buttons_stays_within_its_limits(paper: Page) -> None:
    percent = element(paper, "zoom_whole")
    element(paper, "zoom_in").click()
    expect(percent).to_have_text("150 %")
    paper.keyboard.press("-")
    expect(percent).to_have_text("100 %")
    expect(element(paper, "zoom_out")).to_be_disabled()
    for _ in range(9):
        paper.keyboard.press("+")
    expect(percent).to_have_text("1600 %")
    expect(element(paper, "zoom_in")).to_be_disabled()
    percent.click()
    expect(percent).to_have_text("100 %")
    expect(element(paper, "said")).to_have_text("Zoom 100 %.")


def test_the_keyboard_cursor_stays_in_view(paper: Page) -> None:
    for _ in range(4):
        paper.keyboard.press("+")
    element(paper, "doodle").focus()
    paper.keyboard.press("r")
    for _ in range(70):
        paper.keyboard.press("ArrowRight")
    cross = element(paper, "cross").bounding_box()
    board = paper.locator(".panel-doodle .board").bounding_box()
    assert board["x"] < cross["x"] < board["x"] + board["width"] - cross["width"]


def test_two_fingers_zoom_and_take_back_what_the_first_began(
    browser: Browser, service: StandIn
) -> None:
    phone = {"width": 390, "height": 844}
    visit = open_page(browser, service.address, viewport=phone, has_touch=True, is_mobile=True)
    page = blank(visit.page)
    before = service.doodles[-1]
    undone = element(page, "undo")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: Finger) -> None:
        points = [dict(zip("xy", place_), id=i) for i, place_ in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    left, middle, right = (place(page, x, 0.5) for x in (0.4, 0.5, 0.6))
    far_left, far_right = (place(page, x, 0.5) for x in (0.2, 0.8))
    touch("touchStart", left)
    flower = list(service.label_set.labels[service.label_set.id_of("flower")].color)
    assert color_at(page, 0.4, 0.5) == flower
    touch("touchStart", left, right)
    assert color_at(page, 0.4, 0.5) != flower
    for part in (0.5, 1.0):
        fingers = [
            tuple(a + part * (b - a) for a, b in zip(*pair))
            for pair in ((left, far_left), (right, far_right))
        ]
        touch("touchMove", *fingers)
    touch("touchEnd")
    expect(element(page, "zoom_whole")).to_have_text("300 %")
    element(page, "generate").click()
    expect(element(page, "problem")).to_have_attribute("data-code", "nothing_painted")
    assert service.doodles[-1] is before
    touch("touchStart", middle)
    touch("touchEnd")
    expect(undone).to_be_enabled()
    cells = doodle_of(page, service)
    assert near(box_of(cells), (118, 118, 137, 137), by=2)
    visit.page.context.close()
    assert visit.errors == []
