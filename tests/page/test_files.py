"""The page in a real browser: saving and opening doodles, photos that become doodles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.page.driver import (
    Visit,
    download,
    draw_something,
    element,
    open_page,
    wait_for_picture,
)
from tests.page.stand_in import StandIn
from tests.page.test_page import newest


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo as a camera leaves it: lying on its side, with a mark to turn it upright."""
    path = tmp_path / "photo.jpg"
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:, 200:] = 255  # upright: white above, black below
    exif = Image.Exif()
    exif[0x0112] = 8  # turn left
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def open_file(page: Page, path: Path) -> None:
    element(page, "open-input").set_input_files(path)


@pytest.mark.parametrize("item", ["save-png", "save-json"])
def test_a_saved_doodle_opens_again_id_by_id(
    visit: Visit, service: StandIn, tmp_path: Path, item: str
) -> None:
    page = visit.page
    shown = draw_something(visit)
    saved = download(page, tmp_path, menu="save", item=item)
    drawn = service.doodles[-1]
    element(page, "scene-desert").click()
    shown = wait_for_picture(page, other_than=shown)
    assert not np.array_equal(service.doodles[-1], drawn)
    open_file(page, saved)
    shown = wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], drawn)
    element(page, "undo").click()
    wait_for_picture(page, other_than=shown)
    assert not np.array_equal(service.doodles[-1], drawn)


def test_a_saved_png_is_a_label_map_for_every_tool(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    draw_something(visit)
    saved = download(visit.page, tmp_path, menu="save", item="save-png")
    picture = Image.open(saved)
    assert picture.mode == "P"
    assert np.array_equal(np.asarray(picture), service.doodles[-1])
    colors = np.asarray(picture.convert("RGB"))
    assert np.array_equal(colors, service.label_set.colorize(service.doodles[-1]))


def test_saved_json_tells_the_names_of_its_labels(visit: Visit, tmp_path: Path) -> None:
    draw_something(visit)
    saved = download(visit.page, tmp_path, menu="save", item="save-json")
    content = json.loads(saved.read_text())
    assert (content["width"], content["height"]) == (256, 256)
    assert content["labels"]["12"] == "flower"


def test_a_photo_becomes_a_doodle(visit: Visit, service: StandIn, photo: Path) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "photo-to-doodle-input").set_input_files(photo)
    shown = wait_for_picture(page, other_than=shown)
    assert (newest(service, 0.5, 0.2), newest(service, 0.5, 0.8)) == ("sky", "water")
    (sent,) = service.photos
    assert sent.size == (300, 400)  # upright
    assert sent.getpixel((150, 50)) > (200, 200, 200) > (60, 60, 60) > sent.getpixel((150, 350))
    element(page, "undo").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])


def test_while_a_photo_is_looked_at_the_page_says_so(
    visit: Visit, service: StandIn, photo: Path
) -> None:
    wait_for_picture(visit.page)
    service.delay_s = 1.0
    open_file(visit.page, photo)
    element(visit.page, "annotating").wait_for()
    expect(element(visit.page, "status")).to_contain_text("photo")
    expect(element(visit.page, "annotating")).to_have_count(0)


def test_a_dropped_file_is_opened(visit: Visit, service: StandIn, tmp_path: Path) -> None:
    page = visit.page
    draw_something(visit)
    drawn = service.doodles[-1]
    saved = download(page, tmp_path, menu="save", item="save-json")
    shown = page.locator("[data-testid=picture]").get_attribute("src")
    element(page, "clear").click()
    transfer = page.evaluate_handle(
        """text => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], 'doodle.json', { type: 'application/json' }));
            return transfer;
        }""",
        saved.read_text(),
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    element(page, "drop").wait_for()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(element(page, "drop")).to_have_count(0)
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], drawn)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("broken.json", b'{"format": "something else"}', "doodle_broken"),
        ("broken.png", b"\x89PNG\r\n\x1a\nnothing more", "doodle_broken"),
        ("text.txt", b"a poem", "photo_unreadable"),
        ("photo.heic", b"\x00\x00\x00\x18ftypheic", "photo_unreadable"),
    ],
)
def test_files_that_cannot_be_opened_are_told_and_nothing_changes(
    visit: Visit, service: StandIn, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    page = visit.page
    wait_for_picture(page)
    (tmp_path / name).write_bytes(content)
    open_file(page, tmp_path / name)
    expect(element(page, "problem")).to_have_attribute("data-code", code)
    expect(element(page, "undo")).to_be_disabled()
    assert len(service.doodles) == 1 and not service.photos


def test_a_photo_gives_doodle_and_light_and_undo_takes_both_back(
    visit: Visit, service: StandIn, photo: Path
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "photo-to-doodle-input").set_input_files(photo)
    shown = wait_for_picture(page, other_than=shown)
    assert newest(service, 0.5, 0.8) == "water"
    assert len(service.looks[-1]["style"]) > 1000 and service.looks[-1]["style_vector"] is None
    chip = element(page, "style-photo")
    expect(chip.locator("img")).to_be_visible()
    expect(chip).to_contain_text("Your photo's light")
    expect(element(page, "said")).to_contain_text("light come from your photo")
    element(page, "undo").click()  # once
    shown = wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])
    assert service.looks[-1]["style"] is None
    expect(element(page, "style-auto")).to_be_checked()
    element(page, "redo").click()
    shown = wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["style"] is not None
    element(page, "style-auto").check(force=True)
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["style"] is None and newest(service, 0.5, 0.8) == "water"
    expect(chip.locator("img")).to_have_count(0)


def test_a_model_that_takes_no_photo_gets_the_doodle_alone(
    browser: Browser, service: StandIn, photo: Path
) -> None:
    service.abilities = {**service.abilities, "style_photo": False}
    page = open_page(browser, service.address).page
    shown = wait_for_picture(page)
    open_file(page, photo)
    wait_for_picture(page, other_than=shown)
    assert newest(service, 0.5, 0.8) == "water" and service.looks[-1]["style"] is None
    page.context.close()


def test_without_an_annotator_a_photo_offers_its_light(
    browser: Browser, service: StandIn, photo: Path
) -> None:
    service.annotates = False
    page = open_page(browser, service.address).page
    shown = wait_for_picture(page)
    open_file(page, photo)
    expect(element(page, "problem")).to_have_attribute("data-code", "photo_light_only")
    expect(element(page, "style-auto")).to_be_checked()  # not before it was asked for
    element(page, "take-light").click()
    wait_for_picture(page, other_than=shown)
    expect(element(page, "problem")).to_have_count(0)
    assert len(service.looks[-1]["style"]) > 1000
    assert np.array_equal(service.doodles[-1], service.doodles[0])
    page.context.close()


def test_without_an_annotator_a_photo_is_refused_with_a_reason(
    browser: Browser, service: StandIn, photo: Path
) -> None:
    service.annotates = False
    service.abilities = {**service.abilities, "style_photo": False}
    page = open_page(browser, service.address).page
    wait_for_picture(page)
    open_file(page, photo)
    expect(element(page, "problem")).to_have_attribute("data-code", "not_a_doodle")
    page.context.close()
