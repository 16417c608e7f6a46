"""The page in a real browser: the look of the picture, the album, comparing, children's mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.page.driver import (
    Visit,
    choose,
    download,
    element,
    open_page,
    pixel_of_picture,
    set_live,
    stroke,
    wait_for_picture,
)
from tests.page.stand_in import LOOK, StandIn
from tests.page.test_page import newest


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo file, wider than high, red."""
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (2400, 1200), (200, 30, 30)).save(path)
    return path


def test_dice_asks_for_another_seed_each_time_and_a_reload_keeps_it(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    assert service.looks == [dict.fromkeys(LOOK)]
    for _ in range(4):
        element(page, "dice").click()
        shown = wait_for_picture(page, other_than=shown)
    seeds = [look["seed"] for look in service.looks[1:]]
    assert all(isinstance(seed, int) for seed in seeds)
    assert all(a != b for a, b in zip(seeds, seeds[1:]))
    page.reload()
    wait_for_picture(page)
    assert service.looks[-1]["seed"] == seeds[-1]


def test_generate_keeps_the_look_unless_the_lock_is_open(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "generate").click()
    shown = wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["seed"] is None
    expect(element(page, "keep-look")).to_have_attribute("aria-pressed", "true")
    element(page, "keep-look").click()
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["seed"] is not None


def test_edges_are_natural_unless_they_are_wanted_as_drawn(
    browser: Browser, service: StandIn, tmp_path: Path
) -> None:
    service.abilities["natural_edges"] = True
    page = open_page(browser, service.address).page
    shown = wait_for_picture(page)
    expect(element(page, "natural-edges")).to_have_attribute("aria-pressed", "true")
    element(page, "natural-edges").click()
    wait_for_picture(page, other_than=shown)
    page.reload()
    shown = wait_for_picture(page)
    element(page, "natural-edges").click()
    wait_for_picture(page, other_than=shown)
    assert [look["edges"] for look in service.looks] == ["natural", None, None, "natural"]
    # each picture keeps its edges, also in the album
    expect(element(page, "album-entry")).to_have_count(2)
    for index, edges in enumerate(("natural", None)):
        element(page, "album-entry").nth(index).click()
        download(page, tmp_path, menu="save-picture", item="download-2x")
        assert service.looks[-1]["edges"] == edges
    page.context.close()


def test_d_on_the_keyboard_throws_the_dice(visit: Visit, service: StandIn) -> None:
    shown = wait_for_picture(visit.page)
    visit.page.keyboard.press("d")
    wait_for_picture(visit.page, other_than=shown)
    assert service.looks[-1]["seed"] is not None


def test_a_style_is_sent_by_name_and_auto_sends_none(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "style-sunset").check(force=True)
    shown = wait_for_picture(page, other_than=shown)
    assert service.looks[-1] == {**dict.fromkeys(LOOK), "style_name": "sunset"}
    element(page, "style-auto").check(force=True)
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["style_name"] is None


def test_a_photo_can_give_the_style(visit: Visit, service: StandIn, photo: Path) -> None:
    shown = wait_for_picture(visit.page)
    element(visit.page, "style-photo-input").set_input_files(photo)
    wait_for_picture(visit.page, other_than=shown)
    assert service.looks[-1]["style_name"] is None
    assert len(service.looks[-1]["style"]) > 1000
    assert len(service.looks[-1]["style"]) < photo.stat().st_size  # made smaller to send


def test_a_model_without_looks_shows_no_controls_for_them(
    browser: Browser, service: StandIn
) -> None:
    service.abilities = {"seed": False, "style_photo": False, "styles": []}
    service.annotates = False
    page = open_page(browser, service.address).page
    wait_for_picture(page)
    for name in ("dice", "keep-look", "natural-edges", "styles", "photo-to-doodle"):
        expect(element(page, name)).to_have_count(0)
    page.context.close()


def test_a_style_that_the_model_lost_is_not_asked_for(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "style-sunset").check(force=True)
    wait_for_picture(page, other_than=shown)
    service.abilities = {**service.abilities, "styles": ["noon"]}
    page.reload()
    wait_for_picture(page)
    assert service.looks[-1]["style_name"] is None
    expect(element(page, "style-noon")).to_have_count(1)


def test_strokes_keep_the_style_that_the_model_chose_and_a_reload_does(
    visit: Visit, service: StandIn
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    choose(page, tool="brush", label="flower")
    for x in (0.2, 0.6):
        stroke(page, (x, 0.2))
        shown = wait_for_picture(page, other_than=shown)
        assert service.looks[-1]["style_vector"] == [1, 0.5]
    page.reload()
    wait_for_picture(page)
    assert service.looks[-1]["style_vector"] == [1, 0.5]


@pytest.mark.parametrize("name", ["scene-coast", "dice", "style-auto", "keep-look"])
def test_the_model_chooses_the_style_anew(visit: Visit, service: StandIn, name: str) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, name).dispatch_event("click")
    if name == "keep-look":  # the lock is open now
        element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    assert service.looks[-1]["style_vector"] is None


def test_a_style_chosen_for_a_few_strokes_is_not_kept(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "clear").click()
    choose(page, tool="brush", label="flower")
    for x in (0.2, 0.6):
        stroke(page, (x, 0.2))
        shown = wait_for_picture(page, other_than=shown)
        assert service.looks[-1]["style_vector"] is None


def test_album_brings_back_doodle_look_and_picture(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "dice").click()
    shown = wait_for_picture(page, other_than=shown)
    first = service.looks[-1]["seed"]
    set_live(page, on=False)
    element(page, "scene-desert").click()
    element(page, "dice").click()
    shown = wait_for_picture(page, other_than=shown)
    asked = len(service.doodles)
    element(page, "album-entry").nth(1).click()
    shown = wait_for_picture(page, other_than=shown)
    assert len(service.doodles) == asked  # the picture itself was kept
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])
    assert service.looks[-1]["seed"] == first


def test_album_outlives_a_reload(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "dice").click()
    wait_for_picture(page, other_than=shown)
    seed = service.looks[-1]["seed"]
    expect(element(page, "album-entry").first).to_be_visible()
    set_live(page, on=False)
    element(page, "scene-coast").click()
    page.reload()
    element(page, "album-entry").first.click()
    shown = wait_for_picture(page)
    element(page, "generate").click()
    wait_for_picture(page, other_than=shown)
    assert np.array_equal(service.doodles[-1], service.doodles[0])
    assert service.looks[-1]["seed"] == seed


def test_the_same_picture_is_not_kept_twice(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    for _ in range(3):
        element(page, "generate").click()
        shown = wait_for_picture(page, other_than=shown)
    expect(element(page, "album-entry")).to_have_count(1)


def test_comparing_lays_the_doodle_of_this_picture_over_it(visit: Visit) -> None:
    page = visit.page
    wait_for_picture(page)
    element(page, "compare-toggle").click()
    share = element(page, "compare-share")
    share.focus()
    page.keyboard.press("End")
    expect(element(page, "compare")).to_have_attribute("style", "--share: 100%;")
    set_live(page, on=False)
    before = element(page, "compare").locator("canvas").evaluate("c => c.toDataURL()")
    choose(page, tool="fill", label="flower")
    stroke(page, (0.5, 0.05))
    after = element(page, "compare").locator("canvas").evaluate("c => c.toDataURL()")
    assert after == before  # still that of the picture, not of the doodle drawn on since
    element(page, "compare-toggle").click()
    expect(element(page, "compare")).to_have_count(0)


def test_the_large_download_is_painted_anew_in_the_same_look(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    wait_for_picture(visit.page)
    path = download(visit.page, tmp_path, menu="save-picture", item="download-2x")
    assert Image.open(path).size == (512, 512)
    small, large = service.doodles[-2:]
    assert large.shape == (512, 512)
    assert (large[::2, ::2] == small).mean() > 0.98  # but for corners of slanting edges
    # the style that the model had chosen is given now
    assert service.looks[-1] == {**service.looks[-2], "style_vector": [1, 0.5]}


def test_a_service_that_takes_no_larger_doodle_gives_a_larger_picture_all_the_same(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    wait_for_picture(visit.page)
    small = pixel_of_picture(visit.page, 0.5, 0.05)
    too_large = {"status": "101", "code": "label_map_too_large", "msg": "", "details": {}}
    service.failures.append((400, too_large, {}))
    path = download(visit.page, tmp_path, menu="save-picture", item="download-2x")
    large = Image.open(path)
    assert large.size == (512, 512)
    assert large.convert("RGB").getpixel((256, 26)) == small


def test_childrens_mode_shows_ten_labels_and_four_tools(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    element(page, "kids").set_checked(True, force=True)
    labels = page.locator("[data-testid^='label-']")
    expect(labels).to_have_count(10)
    expect(page.locator("[data-testid^='tool-']")).to_have_count(4)
    for name in ("live", "keep-look", "natural-edges", "save", "open"):
        expect(element(page, name)).to_have_count(0)
    page.keyboard.press("5")  # the keys follow what is shown
    expect(element(page, "label-tree")).to_be_checked()
    stroke(page, (0.5, 0.1))
    wait_for_picture(page, other_than=shown)
    assert newest(service, 0.5, 0.1) == "tree"
    page.reload()
    expect(labels).to_have_count(10)
