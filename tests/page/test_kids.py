"""The view for children in a real browser: ideas, stamps and the large undo."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import Visit, choose, element, open_page, stroke, wait_for_picture
from tests.page.stand_in import StandIn


def turn_through(page: Page) -> dict[str, str]:
    """All ideas, name to sentence, until the first one comes again."""
    card, seen = element(page, "idea-text"), {}
    while (name := card.get_attribute("data-name")) not in seen:
        seen[name] = card.inner_text()
        element(page, "idea-other").click()
        expect(card).not_to_have_attribute("data-name", name)
    return seen


@pytest.mark.parametrize(
    ("locale", "words"), [("en-GB", r"[A-Z][a-z ]+"), ("zh-CN", r"[\u4e00-\u9fff]+")]
)
def test_ideas_in_both_languages_leave_the_doodle_alone(
    browser: Browser, service: StandIn, locale: str, words: str
) -> None:
    page = open_page(browser, service.address, locale=locale).page
    wait_for_picture(page)
    expect(element(page, "idea")).to_have_count(0)
    element(page, "kids").set_checked(True, force=True)
    seen = turn_through(page)
    assert len(set(seen.values())) == len(seen) >= 12
    assert [text for text in seen.values() if not re.fullmatch(words, text)] == []
    expect(element(page, "undo")).to_be_disabled()
    assert len(service.doodles) == 1
    page.context.close()


def test_an_idea_sets_its_light_and_only_one_that_the_model_has(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "kids").set_checked(True, force=True)
    expect(element(page, "idea-text")).to_have_text("A beach at sunset")
    light = element(page, "idea-light")
    expect(light).to_have_text("Light: Sunset")
    light.click()
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["style_name"] == "sunset"
    assert np.array_equal(service.doodles[-1], service.doodles[0])
    expect(light).to_have_attribute("aria-pressed", "true")
    expect(element(page, "style-sunset")).to_be_checked()
    while element(page, "idea-text").get_attribute("data-name") != "misty_forest":
        element(page, "idea-other").click()
    expect(light).to_have_count(0)  # this model knows no mist


def test_no_idea_needs_a_label_that_the_model_lacks(browser: Browser, service: StandIn) -> None:
    answer = service.labels()
    answer["labels"] = [
        label for label in answer["labels"] if label["name_en"] not in ("snow", "building")
    ]
    service.labels = lambda: answer
    page = open_page(browser, service.address).page
    element(page, "label-sky").wait_for(state="attached")
    element(page, "kids").set_checked(True, force=True)
    seen = " ".join(turn_through(page).values()).lower()
    assert "beach" in seen
    assert not re.search(r"snow|house|village", seen)
    page.context.close()


def test_children_stamp_and_take_back(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "kids").set_checked(True, force=True)
    expect(element(page, "undo")).to_have_count(1)
    choose(page, tool="stamp")
    element(page, "stamp-house").check(force=True)
    stroke(page, (0.5, 0.2))
    shown = wait_for_picture(page, other_than=shown)
    building = service.label_set.id_of("building")
    assert (service.doodles[-1] == building).sum() > 1000
    element(page, "undo").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])
