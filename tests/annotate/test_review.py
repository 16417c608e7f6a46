"""The page to look through annotated photos, opened from the disk in a real Chromium."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spade_paddle.annotate.records import RECORD
from spade_paddle.annotate.review import overlay, write_review
from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.leave_out import read_leave_out

RECORDS = [
    {"name": "lake", "photo": "lake.jpg", "shares": {"sky": 0.6, "water": 0.4}, "confidence": 0.9},
    {"name": "a&b</script>", "photo": "x/a&b</script>.jpg", "shares": {"sky": 0.995, "tree": 0.005}}
    | {"confidence": 0.5},
    {"name": "hill 10%", "photo": "hill 10%.jpg", "shares": {"tree": 1.0}, "confidence": 0.7},
    {"name": "cut", "photo": "cut.jpg", "skipped": "cut.jpg: cannot be read as a photo"},
]


@pytest.fixture(scope="module")
def page(tmp_path_factory, landscape, browser):
    out = tmp_path_factory.mktemp("review page")
    records = []
    for number, record in enumerate(RECORDS):
        name = record["name"].replace("/", "_")
        records.append({"low_confidence": 0.0, **record, "name": name})
        if "skipped" not in record:
            (out / "images").mkdir(exist_ok=True)
            Image.new("RGB", (60, 40), (number, 90, 90)).save(out / "images" / f"{name}.jpg")
            write_label_map(out / "labels" / f"{name}.png", np.ones((40, 60), np.uint8), landscape)
    opened = browser.new_page()
    troubles = []
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("requestfailed", lambda request: troubles.append(request.url))
    opened.goto(write_review(out, records, landscape).as_uri())
    yield opened
    assert troubles == []
    opened.close()


def names(page):
    return page.locator(".name").all_inner_texts()


def test_least_confident_photos_come_first_and_skipped_ones_before(page):
    assert names(page) == ["cut.jpg", "x/a&b</script>.jpg", "hill 10%.jpg", "lake.jpg"]


def test_sorting_by_name_and_by_confidence(page):
    page.select_option("#sort", "sure")
    assert names(page)[0] == "lake.jpg"
    page.select_option("#sort", "name")
    assert names(page) == ["x/a&b</script>.jpg", "cut.jpg", "hill 10%.jpg", "lake.jpg"]
    page.select_option("#sort", "unsure")


def test_filter_shows_photos_with_enough_of_a_label(page):
    page.select_option("#filter", "tree")
    assert names(page) == ["hill 10%.jpg"]
    page.fill("#share", "0")
    assert len(names(page)) == 2
    assert page.locator("#count").inner_text() == "2 / 4"
    page.select_option("#filter", "")
    page.fill("#share", "1")


def test_every_picture_is_there_whatever_its_photo_is_called(page):
    page.wait_for_function("[...document.images].every(image => image.complete)")
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 6
    assert min(widths) > 0


def test_filter_offers_only_labels_that_occur_in_both_languages(page):
    options = page.locator("#filter option").all_inner_texts()
    assert options == ["any label 任意标签", "sky 天空", "tree 树", "water 水"]


def test_overlay_mixes_colors_draws_borders_and_leaves_dont_care(landscape):
    photo = np.full((3, 4, 3), 100, np.uint8)
    label_map = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [255, 255, 255, 255]], np.uint8)
    shown = overlay(photo, label_map, landscape)
    sky = np.array(landscape.labels[1].color)
    assert np.array_equal(shown[0, 0], np.rint(0.6 * sky + 40))
    assert (shown[2] == 0).all()  # the border to the row above
    label_map[2, 0] = 1
    assert np.array_equal(overlay(photo[2:], label_map[2:], landscape)[0, 2], [100, 100, 100])


def test_records_travel_inside_label_maps(tmp_path, landscape):
    path = tmp_path / "a.png"
    write_label_map(path, np.zeros((2, 2), np.uint8), landscape, texts={RECORD: '{"x": "天空"}'})
    with Image.open(path) as image:
        assert image.info[RECORD] == '{"x": "天空"}'


def test_photos_that_are_left_out_make_a_file_that_the_data_set_honors(page, tmp_path):
    boxes = page.locator("article input")
    assert boxes.count() == 3  # one that was skipped has no files
    assert page.locator("#out_count").inner_text() == "0 left out 不用"
    for name in ("hill 10%", "a&b<"):
        page.locator("article").filter(has_text=name).get_by_role("checkbox").check()
    page.reload()  # what was chosen stays
    assert page.locator("#out_count").inner_text() == "2 left out 不用"
    page.locator("article").filter(has_text="hill 10%").get_by_role("checkbox").uncheck()
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "leave_out.txt"
    download.value.save_as(tmp_path / "leave_out.txt")
    assert read_leave_out(tmp_path) == {"a&b<_script>"}
    assert page.locator("#list").input_value() == "a&b<_script>\n"
    page.evaluate("localStorage.clear()")


def test_the_page_begins_with_what_the_data_set_leaves_out(tmp_path, landscape, browser):
    (tmp_path / "leave_out.txt").write_text("lake\n")
    (tmp_path / "images").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "images" / "lake.jpg")
    write_label_map(tmp_path / "labels" / "lake.png", np.ones((40, 60), np.uint8), landscape)
    record = {**RECORDS[0], "low_confidence": 0.0}
    opened = browser.new_page()
    opened.goto(write_review(tmp_path, [record], landscape).as_uri())
    assert opened.locator("article input").is_checked()
    assert opened.locator("#out_count").inner_text() == "1 left out 不用"
    opened.close()
