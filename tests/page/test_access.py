"""The page for everybody: what axe finds, what a keyboard reaches, what a reader is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import element, open_page, wait_for_picture
from tests.page.stand_in import StandIn
from tests.page.test_share import REFUSES
from tests.page.test_time_lapse import hold_frames


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical, each with the elements it means."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{found['id']}: {found['help']} {[node['html'][:120] for node in found['nodes'][:4]]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]


def show_nothing_more(page: Page, service: StandIn) -> None:
    """The page as it comes."""


def show_menu(page: Page, service: StandIn) -> None:
    element(page, "save-picture").click()
    element(page, "download").wait_for()


def show_shortcuts(page: Page, service: StandIn) -> None:
    element(page, "shortcuts").click()


def show_problem_and_comparison(page: Page, service: StandIn) -> None:
    element(page, "compare-toggle").click()
    body = {"status": "101", "msg": "no", "code": "unauthorized"}
    service.failures.append((401, body, {}))
    element(page, "generate").click()
    element(page, "token").wait_for()


def show_share_menu(page: Page, service: StandIn) -> None:
    element(page, "share-menu").click()
    element(page, "copy-link").wait_for()


def show_link(page: Page, service: StandIn) -> None:
    page.evaluate(REFUSES)
    element(page, "share-menu").click()
    element(page, "copy-link").click()
    element(page, "link").wait_for()


def show_time_lapse(page: Page, service: StandIn) -> None:
    element(page, "scene-desert").click()
    hold_frames(page)
    element(page, "share-menu").click()
    element(page, "save-time-lapse").click()
    element(page, "time-lapse").wait_for()


def show_kids_and_album(page: Page, service: StandIn) -> None:
    element(page, "dice").click()
    element(page, "album-entry").first.wait_for()
    element(page, "kids").set_checked(True, force=True)


def show_stamps(page: Page, service: StandIn) -> None:
    element(page, "tool-stamp").check(force=True)
    element(page, "stamps").wait_for()


def show_stamps_and_an_idea_for_kids(page: Page, service: StandIn) -> None:
    element(page, "kids").set_checked(True, force=True)
    element(page, "idea-light").click()
    show_stamps(page, service)


def show_large_picture(page: Page, service: StandIn) -> None:
    element(page, "enlarge").click()
    element(page, "enlarged-picture").wait_for()


def show_gallery(page: Page, service: StandIn) -> None:
    element(page, "dice").click()
    element(page, "show-gallery").click()
    element(page, "gallery-star").first.click()


def show_gallery_large(page: Page, service: StandIn) -> None:
    show_gallery(page, service)
    element(page, "gallery-open").first.click()
    element(page, "large-picture").wait_for()


def show_gallery_empty(page: Page, service: StandIn) -> None:
    show_gallery(page, service)
    element(page, "gallery-delete").first.click()
    element(page, "gallery-empty").wait_for()


STATES = (
    show_nothing_more,
    show_menu,
    show_shortcuts,
    show_problem_and_comparison,
    show_share_menu,
    show_link,
    show_time_lapse,
    show_kids_and_album,
    show_stamps,
    show_stamps_and_an_idea_for_kids,
    show_large_picture,
    show_gallery,
    show_gallery_large,
    show_gallery_empty,
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("show", STATES, ids=lambda show: show.__name__)
def test_axe_finds_nothing_serious(
    browser: Browser, service: StandIn, scheme: str, show: Callable[[Page, StandIn], None]
) -> None:
    size = {"width": 1280, "height": 860}
    options = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": size}
    page = open_page(browser, service.address, **options).page
    wait_for_picture(page)
    show(page, service)
    assert findings(page) == []
    page.context.close()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_axe_finds_nothing_serious_on_a_phone(
    browser: Browser, service: StandIn, locale: str
) -> None:
    size = {"width": 390, "height": 844}
    options = {"locale": locale, "viewport": size, "is_mobile": True, "has_touch": True}
    page = open_page(browser, service.address, reduced_motion="reduce", **options).page
    wait_for_picture(page)
    assert findings(page) == []
    page.context.close()


def test_axe_would_find_a_button_without_a_name(browser: Browser, service: StandIn) -> None:
    page = open_page(browser, service.address).page
    wait_for_picture(page)
    element(page, "shortcuts").evaluate("b => { b.removeAttribute('aria-label'); b.title = ''; }")
    assert any(finding.startswith("button-name") for finding in findings(page))
    page.context.close()


def test_tab_reaches_every_control_and_leaves_the_menu(browser: Browser, service: StandIn) -> None:
    page = open_page(browser, service.address, viewport={"width": 1280, "height": 860}).page
    wait_for_picture(page)
    wanted = ["kids", "shortcuts", "language", "doodle", "open", "save", "clear", "compare-toggle",
              "enlarge", "save-picture", "share-menu", "generate", "dice", "keep-look", "live",
              "style-photo", "photo-to-doodle", "scene-lake"]  # fmt: skip
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.testid"))
    assert [name for name in wanted if name not in reached] == []
    page.context.close()


def test_a_menu_works_by_keyboard(browser: Browser, service: StandIn) -> None:
    page = open_page(browser, service.address).page
    wait_for_picture(page)
    element(page, "save").focus()
    page.keyboard.press("Enter")
    expect(element(page, "save-png")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(element(page, "save-json")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(element(page, "save-png")).to_be_focused()
    page.keyboard.press("Escape")
    expect(element(page, "save-png")).to_have_count(0)
    expect(element(page, "save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(element(page, "save-png")).to_be_focused()
    with page.expect_download():
        page.keyboard.press("Enter")
    page.context.close()
