"""What a person does on the page, as functions; for the stand-in and for a real service alike.

Everything is found by its ``data-testid``, so wording and looks may change.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. Fails, rather than skips, where none is installed."""
    found = [path for path in map(shutil.which, CHROMIUM_NAMES) if path]
    if not found:
        raise RuntimeError(
            f"the page tests need one of {', '.join(CHROMIUM_NAMES)} on the PATH, found none; "
            "on Debian: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=[*CHROMIUM_ARGS])
        yield browser
        browser.close()


@dataclass
class Visit:
    """One open page and what it must not do: console errors, and requests to other hosts."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        """The hosts asked (``data:`` and ``blob:`` addresses have none)."""
        return {urlsplit(url).netloc for url in self.requests} - {""}


def open_page(browser: Browser, address: str, *, locale: str = "en-GB", **context: object) -> Visit:
    """Open the page in a fresh browser profile and wait for the paint box.

    ``context`` goes to Playwright's ``new_context`` (viewport, color_scheme, ...).
    """
    page = browser.new_context(locale=locale, **context).new_page()
    visit = Visit(page)
    page.on("request", lambda request: visit.requests.append(request.url))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on(
        "console",
        lambda message: visit.errors.append(message.text) if message.type == "error" else None,
    )
    page.goto(address)
    return visit


def element(page: Page, name: str):
    """The element with that ``data-testid``."""
    return page.locator(f"[data-testid='{name}']")


def wait_for_picture(page: Page, *, other_than: str | None = None, timeout_s: float = 15) -> str:
    """Wait until a picture (another than the given one) is shown and no newer one is on its way;
    returns its address."""
    picture = element(page, "picture")
    picture.wait_for(timeout=timeout_s * 1000)
    if other_than is not None:
        expect(picture).not_to_have_attribute("src", other_than, timeout=timeout_s * 1000)
    idle = expect(element(page, "frame"))
    idle.to_have_attribute("aria-busy", "false", timeout=timeout_s * 1000)
    return picture.get_attribute("src")


def choose(page: Page, *, tool: str | None = None, label: str | None = None) -> None:
    """Pick a tool (``brush``, ``fill``, ``eraser``) and a label by its English name."""
    if label is not None:
        element(page, f"label-{label}").check(force=True)
    if tool is not None:
        element(page, f"tool-{tool}").check(force=True)


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Draw through points given as fractions of the doodle; one point is a tap."""
    box = element(page, "doodle").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def draw_something(visit: Visit, *, shown: str | None = None) -> str:
    """A stroke of flowers; returns the address of its picture. ``shown``: the picture before."""
    shown = shown or wait_for_picture(visit.page)
    choose(visit.page, tool="brush", label="flower")
    stroke(visit.page, (0.3, 0.3), (0.7, 0.4))
    return wait_for_picture(visit.page, other_than=shown)


def set_live(page: Page, *, on: bool) -> None:
    """Switch generate-while-drawing."""
    element(page, "live").set_checked(on, force=True)


def pixel_of_picture(page: Page, x: float, y: float) -> tuple[int, int, int]:
    """The color of the shown picture at a place given in fractions of it."""
    red, green, blue = element(page, "picture").evaluate(
        """(image, [x, y]) => {
            const canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth;
            canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
            return [...context.getImageData(...at, 1, 1).data].slice(0, 3);
        }""",
        [x, y],
    )
    return red, green, blue


def size_of_picture(page: Page) -> tuple[int, int]:
    """Width and height of the shown picture in its own pixels."""
    width, height = element(page, "picture").evaluate("i => [i.naturalWidth, i.naturalHeight]")
    return width, height


def download_picture(page: Page, folder: Path) -> Path:
    """Save the picture by its menu; returns the file."""
    return download(page, folder, menu="save-picture", item="download")


def download(page: Page, folder: Path, *, menu: str, item: str) -> Path:
    """Save something by an item of a menu; returns the file."""
    element(page, menu).click()
    with page.expect_download() as waiting:
        element(page, item).click()
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target
