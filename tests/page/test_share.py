"""The page in a real browser: links, cards, and the browser's share sheet."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import (
    Visit,
    choose,
    download,
    draw_something,
    element,
    open_page,
    stroke,
    wait_for_picture,
)
from tests.page.stand_in import LOOK, StandIn

KEEPS_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: {writeText: %s}})"
CARRIES = KEEPS_CLIPBOARD % "async text => { window.copied = text; }"
REFUSES = KEEPS_CLIPBOARD % "() => Promise.reject(new DOMException('no', 'NotAllowedError'))"


def expect_notice(page: Page, key: str) -> None:
    """Wait until the page says that."""
    expect(element(page, "notice")).to_have_attribute("data-key", key)


def press(page: Page, item: str) -> None:
    """An item of the menu for sharing."""
    element(page, "share-menu").click()
    element(page, item).click()


def copy_link(page: Page, *, key: str = "link_copied") -> str:
    """Copy the link as a person does; returns what came into the clipboard."""
    page.evaluate(CARRIES)
    press(page, "copy-link")
    expect_notice(page, key)
    return page.evaluate("window.copied")


@pytest.mark.parametrize("look", ["auto", "dice", "sunset"])
def test_a_link_shows_the_same_doodle_in_the_same_look_elsewhere(
    browser: Browser, visit: Visit, service: StandIn, look: str
) -> None:
    page = visit.page
    shown = draw_something(visit)
    if look != "auto":
        name = "dice" if look == "dice" else f"style-{look}"
        element(page, name).click(force=True)
        shown = wait_for_picture(page, other_than=shown)
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    doodle, wanted = service.doodles[-1], service.looks[-1]
    assert wanted != dict.fromkeys(LOOK)  # else a lost look would go unseen
    link = copy_link(page)
    assert len(link) < 4000
    asked = len(service.doodles)
    other = open_page(browser, link)
    wait_for_picture(other.page)
    expect_notice(other.page, "link_opened")
    (seen,) = service.doodles[asked:]
    assert np.array_equal(seen, doodle)
    assert service.looks[asked:] == [wanted]
    assert other.hosts() == {urlsplit(service.address).netloc} and not other.errors
    other.page.context.close()


def test_an_opened_link_is_one_step_and_a_reload_keeps_what_was_drawn_since(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = draw_something(visit)
    link = copy_link(page)
    linked, linked_look = service.doodles[-1], service.looks[-1]
    element(page, "scene-desert").click()
    shown = wait_for_picture(page, other_than=shown)
    element(page, "dice").click()
    shown = wait_for_picture(page, other_than=shown)
    own, own_look = service.doodles[-1], service.looks[-1]
    page.evaluate("link => { location.href = link; }", link)  # pasted into the page's own address
    shown = wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], linked)
    assert service.looks[-1]["seed"] == linked_look["seed"] != own_look["seed"]
    assert page.url == service.address
    element(page, "undo").click()
    shown = wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], own)
    assert service.looks[-1]["seed"] == own_look["seed"]
    element(page, "redo").click()
    shown = wait_for_picture(page, other_than=shown)
    choose(page, tool="brush", label="sand")
    stroke(page, (0.2, 0.7), (0.8, 0.7))
    wait_for_picture(page, other_than=shown)
    page.reload()
    wait_for_picture(page)
    assert np.array_equal(service.doodles[-1], service.doodles[-2])
    expect(element(page, "notice")).to_have_count(0)


def test_a_link_opened_by_someone_with_a_doodle_can_be_undone(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = draw_something(visit)
    link = copy_link(page)
    element(page, "scene-desert").click()
    wait_for_picture(page, other_than=shown)
    own = service.doodles[-1]
    page.goto("about:blank")
    page.goto(link)
    shown = wait_for_picture(page)
    expect_notice(page, "link_opened")
    assert not np.array_equal(service.doodles[-1], own)
    element(page, "undo").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], own)


def test_a_style_photo_is_too_large_for_a_link_and_the_page_says_so(
    visit: Visit, tmp_path: Path
) -> None:
    shown = wait_for_picture(visit.page)
    Image.new("RGB", (300, 200), (200, 30, 30)).save(tmp_path / "photo.jpg")
    element(visit.page, "style-photo-input").set_input_files(tmp_path / "photo.jpg")
    wait_for_picture(visit.page, other_than=shown)
    link = copy_link(visit.page, key="link_without_photo")
    assert set(parse_qs(urlsplit(link).fragment)) == {"doodle"}


def test_a_link_brings_no_token_and_no_other_service(visit: Visit, service: StandIn) -> None:
    page = visit.page
    wait_for_picture(page)
    service.token = "secret"
    element(page, "generate").click()
    element(page, "token").fill("secret")
    element(page, "token-send").click()
    expect(element(page, "problem")).to_have_count(0)
    page.goto(service.address + "?api=http://127.0.0.1:1/evil&x=1")
    element(page, "stay").click()
    wait_for_picture(page)
    link = copy_link(page)
    assert link.startswith(service.address + "#doodle=")
    assert "secret" not in link and "api" not in urlsplit(link).query


def test_a_link_names_the_service_only_where_the_page_alone_would_not_find_it(
    browser: Browser, service: StandIn
) -> None:
    painter = StandIn().start()
    painter.allow_origin = "*"
    here = f"{service.address}?api={painter.address}"
    pages = [open_page(browser, here)]
    element(pages[0].page, "allow").click()
    wait_for_picture(pages[0].page)
    link = copy_link(pages[0].page)
    assert parse_qs(urlsplit(link).query) == {"api": [painter.address.rstrip("/")]}
    asked = len(painter.doodles)
    pages.append(open_page(browser, link))
    element(pages[1].page, "unknown-service").wait_for()  # whoever opens it is asked first
    assert len(painter.doodles) == asked
    element(pages[1].page, "allow").click()
    wait_for_picture(pages[1].page)
    expect_notice(pages[1].page, "link_opened")
    for opened in pages:
        opened.page.context.close()
    painter.stop()


@pytest.mark.parametrize("fragment", ["doodle=iVBORw0KGgo", "doodle=%00", "chapter-2"])
def test_a_fragment_that_is_no_doodle_is_told_and_nothing_is_lost(
    visit: Visit, service: StandIn, fragment: str
) -> None:
    page = visit.page
    draw_something(visit)
    own = service.doodles[-1]
    page.goto("about:blank")
    page.goto(f"{service.address}?x=1#{fragment}")
    wait_for_picture(page)
    expect_notice(page, "error_link_broken")
    assert np.array_equal(service.doodles[-1], own)
    expect(element(page, "undo")).to_be_disabled()
    assert page.url == f"{service.address}?x=1"
    element(page, "notice-close").click()
    expect(element(page, "notice")).to_have_count(0)
    assert not visit.errors


def test_where_the_clipboard_is_refused_the_link_can_be_copied_by_hand(
    browser: Browser, visit: Visit, service: StandIn
) -> None:
    page = visit.page
    draw_something(visit)
    page.evaluate(REFUSES)
    press(page, "copy-link")
    expect_notice(page, "link_to_copy")
    field = element(page, "link")
    expect(field).to_be_focused()
    link = field.input_value()
    assert page.evaluate("getSelection().toString()") == link
    other = open_page(browser, link).page
    wait_for_picture(other)
    assert np.array_equal(service.doodles[-1], service.doodles[-2])
    other.context.close()


def test_blank_paper_has_no_link(visit: Visit) -> None:
    wait_for_picture(visit.page)
    element(visit.page, "clear").click()
    press(visit.page, "copy-link")
    expect_notice(visit.page, "error_nothing_painted")


def invert_pictures(page: Page) -> None:
    """From now on pictures are not in the doodle's colors, so that the two can be told apart."""
    page.evaluate(
        """async () => {
            const {Service} = await import('./ui/api.js');
            const paint = Service.prototype.paint;
            Service.prototype.paint = async function (...all) {
                const painted = await paint.apply(this, all);
                const image = await createImageBitmap(painted.blob);
                const canvas = new OffscreenCanvas(image.width, image.height);
                const context = canvas.getContext('2d');
                context.filter = 'invert(1)';
                context.drawImage(image, 0, 0);
                return {...painted, blob: await canvas.convertToBlob({type: 'image/png'})};
            };
        }"""
    )


def test_a_card_has_the_doodle_left_and_the_picture_right(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    invert_pictures(page)
    draw_something(visit, shown=shown)
    saved = download(page, tmp_path, menu="share-menu", item="save-card")
    assert saved.suffix == ".png"
    card = np.asarray(Image.open(saved).convert("RGB")).astype(int)
    assert card.shape == (24 + 512 + 60, 2 * (24 + 512) + 12, 3)
    colors = service.label_set.colorize(service.doodles[-1]).astype(int)
    doodle, picture = card[24:536, 24:536], card[24:536, 548:1060]
    assert np.array_equal(doodle[::2, ::2], colors) and np.array_equal(doodle[1::2, 1::2], colors)
    inside = np.abs(picture[::2, ::2] - (255 - colors)).max(-1) <= 3  # but for smoothed edges
    assert inside.mean() > 0.9
    title = card[540:, 24:400]
    assert (title.max(-1) < 90).sum() > 100  # letters in ink
    assert (card[4, 4] == (0xF5, 0xF2, 0xEA)).all()


@pytest.mark.parametrize(("item", "name"), [("share", "landscape"), ("share-card", "card")])
def test_the_share_sheet_gets_the_picture_or_the_card(
    visit: Visit, service: StandIn, item: str, name: str
) -> None:
    page = visit.page
    wait_for_picture(page)
    element(page, "share-menu").click()
    expect(element(page, item)).to_have_count(0)  # no share sheet on a desk
    page.keyboard.press("Escape")
    page.evaluate(
        """() => {
            navigator.canShare = ({files}) => files.length === 1;
            window.sent = new Promise(done => {
                navigator.share = async ({files}) => done([files[0].name, files[0].type]);
            });
        }"""
    )
    press(page, item)
    sent, content_type = page.evaluate("window.sent")
    assert sent.startswith(f"{name}-") and content_type in ("image/png", "image/jpeg")
