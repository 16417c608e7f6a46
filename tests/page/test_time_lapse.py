"""The page in a real browser: how a doodle came about, as a GIF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.page.driver import (
    Visit,
    choose,
    download,
    draw_something,
    element,
    set_live,
    stroke,
    wait_for_picture,
)
from tests.page.stand_in import StandIn
from tests.page.test_share import expect_notice, invert_pictures, press

GAP = 8  # between the doodle and the picture


def frames_of(gif: Path) -> tuple[list[np.ndarray], list[int]]:
    """The frames [H, W, 3] of a GIF and how long each is shown, in ms."""
    with Image.open(gif) as image:
        frames, durations = [], []
        for place in range(image.n_frames):
            image.seek(place)
            frames.append(np.asarray(image.convert("RGB")).astype(int))
            durations.append(image.info["duration"])
    return frames, durations


def test_a_time_lapse_has_a_frame_for_each_step_beside_its_picture(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    invert_pictures(page)
    steps = [service.doodles[-1]]
    for y, label in ((0.2, "flower"), (0.5, "sand"), (0.8, "snow")):
        choose(page, tool="brush", label=label)
        stroke(page, (0.3, y), (0.7, y))
        shown = wait_for_picture(page, other_than=shown)
        steps.append(service.doodles[-1])
    saved = download(page, tmp_path, menu="share-menu", item="save-time-lapse")
    assert saved.suffix == ".gif" and saved.stat().st_size < 200_000
    frames, durations = frames_of(saved)
    assert durations == [250, 250, 250, 2000]
    assert {frame.shape for frame in frames} == {(256, 2 * 256 + GAP, 3)}
    for place, (frame, step) in enumerate(zip(frames, steps, strict=True)):
        colors = service.label_set.colorize(step).astype(int)
        assert np.array_equal(frame[:, :256], colors), f"doodle {place}"
        expected = 255 - colors if place else colors  # the first was painted before
        assert np.abs(frame[:, 256 + GAP :] - expected).max() <= 8, f"picture {place}"
    expect(element(page, "time-lapse")).to_have_count(0)
    assert not visit.errors


def test_a_step_without_a_picture_keeps_the_one_before(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    page = visit.page
    wait_for_picture(page)
    set_live(page, on=False)
    choose(page, tool="brush", label="flower")
    stroke(page, (0.3, 0.3), (0.7, 0.4))
    frames, _ = frames_of(download(page, tmp_path, menu="share-menu", item="save-time-lapse"))
    first, last = frames
    assert not np.array_equal(first[:, :256], last[:, :256])
    assert np.array_equal(first[:, 256:], last[:, 256:])


def hold_frames(page: Page) -> None:
    """A time-lapse stands still before its second frame until ``letGo()``."""
    page.evaluate(
        """() => {
            const make = window.createImageBitmap;
            const held = new Promise(resolve => { window.letGo = resolve; });
            window.createImageBitmap = (...all) => held.then(() => make(...all));
        }"""
    )


def test_a_time_lapse_can_be_cancelled_and_the_page_works_meanwhile(
    visit: Visit, service: StandIn, tmp_path: Path
) -> None:
    page = visit.page
    shown = draw_something(visit)
    saved: list[object] = []
    page.on("download", lambda file: saved.append(file))
    hold_frames(page)
    press(page, "save-time-lapse")
    progress = element(page, "time-lapse").locator("progress")
    assert progress.evaluate("p => [p.value, p.max]") == [0, 2]
    stroke(page, (0.2, 0.8), (0.8, 0.8))
    wait_for_picture(page, other_than=shown)
    element(page, "time-lapse-cancel").click()
    expect(element(page, "time-lapse")).to_have_count(0)
    page.evaluate("window.letGo()")
    frames, _ = frames_of(download(page, tmp_path, menu="share-menu", item="save-time-lapse"))
    assert len(frames) == 3
    assert len(saved) == 1  # nothing of the first


def test_after_a_reload_there_are_no_steps_and_the_page_says_so(visit: Visit) -> None:
    draw_something(visit)
    visit.page.reload()
    wait_for_picture(visit.page)
    press(visit.page, "save-time-lapse")
    expect_notice(visit.page, "time_lapse_no_steps")
