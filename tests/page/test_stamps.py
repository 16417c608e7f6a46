"""Stamps in a real browser: placed, scaled, undone, by pointer and by keyboard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import Visit, choose, element, open_page, stroke
from tests.page.stand_in import DONT_CARE, ROOT, StandIn
from tests.page.test_drawing import blank, box_of, color_at, near, place, sent

STAMPS = {
    "tree": {"tree"},
    "house": {"building", "tree", "flower"},
    "cloud": {"cloud"},
    "mountain": {"mountain", "snow"},
    "island": {"water", "sand", "grass", "rock", "tree"},
}


@pytest.fixture
def paper(visit: Visit) -> Page:
    """The page with blank paper, the stamp tool in hand, and pictures only on request."""
    page = blank(visit.page)
    choose(page, tool="stamp")
    return page


def names_in(doodle: np.ndarray, service: StandIn) -> set[str]:
    ids = set(np.unique(doodle).tolist()) - {DONT_CARE}
    return {service.label_set.labels[label].name_en for label in ids}


@pytest.mark.parametrize("name", STAMPS)
def test_a_tap_places_exactly_the_labels_of_a_stamp_in_one_step(
    paper: Page, service: StandIn, name: str
) -> None:
    element(paper, f"stamp-{name}").check(force=True)
    stroke(paper, (0.5, 0.5))
    doodle = sent(paper, service)
    assert names_in(doodle, service) == STAMPS[name]
    left, top, right, bottom = box_of(doodle != DONT_CARE)
    assert near((left + right, top + bottom), (255, 255), by=5)
    assert max(right - left, bottom - top) == pytest.approx(80, abs=3)  # four brushes of 20 cells
    expect(element(paper, "said")).to_contain_text(f"Placed: {name.capitalize()}, ")
    element(paper, "undo").click()
    element(paper, "generate").click()
    expect(element(paper, "problem")).to_have_attribute("data-code", "nothing_painted")
    element(paper, "redo").click()
    assert np.array_equal(sent(paper, service), doodle)


def test_a_drag_sets_the_size_and_shows_it_and_escape_gives_it_up(
    paper: Page, service: StandIn
) -> None:
    element(paper, "stamp-mountain").check(force=True)
    mountain = list(service.label_set.labels[service.label_set.id_of("mountain")].color)
    paper.mouse.move(*place(paper, 0.1, 0.1))
    paper.mouse.down()
    paper.mouse.move(*place(paper, 0.9, 0.2), steps=4)
    assert color_at(paper, 0.5, 0.5) == mountain
    paper.keyboard.press("Escape")
    assert color_at(paper, 0.5, 0.5) != mountain
    paper.mouse.up()
    stroke(paper, (0.1, 0.1), (0.9, 0.2))
    large = sent(paper, service)
    assert near(box_of(large != DONT_CARE), (26, 26, 230, 146), by=2)
    element(paper, "undo").click()
    stroke(paper, (0.9, 0.1), (0.5, 0.2))
    small = sent(paper, service)
    assert near(box_of(small != DONT_CARE), (128, 26, 230, 86), by=2)
    summit = {name: np.nonzero(cells != DONT_CARE)[1][0] for name, cells in
              (("large", large), ("small", small))}  # fmt: skip
    assert summit["large"] < 128 < 179 < summit["small"]  # dragged to the left: mirrored


def test_the_brush_size_scales_a_tap(paper: Page, service: StandIn) -> None:
    element(paper, "stamp-cloud").check(force=True)
    element(paper, "size").fill("6")  # 10 cells
    stroke(paper, (0.5, 0.5))
    left, _, right, _ = box_of(sent(paper, service) != DONT_CARE)
    assert right - left == pytest.approx(40, abs=2)


def test_stamps_by_keyboard_and_a_label_goes_back_to_the_brush(
    paper: Page, service: StandIn
) -> None:
    choose(paper, tool="brush")
    paper.keyboard.press("s")
    expect(element(paper, "tool-stamp")).to_be_checked()
    element(paper, "stamp-tree").focus()
    paper.keyboard.press("ArrowRight")
    expect(element(paper, "stamp-house")).to_be_checked()
    element(paper, "doodle").focus()
    for key in ("Space", *["ArrowRight"] * 6, "Space"):  # steps of half a brush
        paper.keyboard.press(key)
    expect(element(paper, "said")).to_have_text("Placed: House, 60 by 50 cells.")
    doodle = sent(paper, service)
    assert near(box_of(doodle != DONT_CARE), (128, 128, 187, 177), by=2)
    paper.keyboard.press("6")
    expect(element(paper, "tool-brush")).to_be_checked()
    expect(element(paper, "label-sand")).to_be_checked()
    expect(element(paper, "stamps")).to_have_count(0)


def test_a_model_without_the_labels_offers_fewer_stamps_or_no_tool(
    browser: Browser, tmp_path: Path
) -> None:
    lines = (ROOT / "configs/labels/landscape.yaml").read_text(encoding="utf-8").splitlines()
    lost = ("cloud", "mountain", "tree", "sand", "rock", "earth", "building")
    sets = {"some": ("building", "cloud", "snow"), "none": lost}
    offered = {}
    for name, renamed in sets.items():
        path = tmp_path / f"{name}.yaml"
        text = "\n".join(lines)
        for label in renamed:
            text = text.replace(f"name_en: {label},", f"name_en: my {label},")
        path.write_text(text, encoding="utf-8")
        service = StandIn(label_file=path).start()
        page = open_page(browser, service.address).page
        element(page, "label-sky").wait_for(state="attached")
        page.keyboard.press("s")
        stamps = page.locator("[data-testid='stamps'] input").all()
        offered[name] = [stamp.get_attribute("value") for stamp in stamps]
        expect(element(page, "tool-stamp")).to_have_count(len(stamps) and 1)
        page.context.close()
        service.stop()
    assert offered == {"some": ["tree", "mountain", "island"], "none": []}
