"""How long the page takes to come: until there is a sheet to paint on, and the first picture.

    python -m tests.page.bench_loading

Starts the service as people do (``python -m spade_paddle.serving``, the model that comes along),
or asks one that runs (``--address``). Opens the page in Chromium, the line as it is and as Chrome's
"Fast 3G" has it; each time in a fresh browser profile, and once more in the same one, which then
has the files. Prints the medians of the seconds since the page was asked for, and how many requests
and KiB came before the first picture. Not a test: it depends on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from tests.page.driver import chromium
from tests.serving.processes import free_port, serving

# bytes a second and milliseconds for each request, as Chrome's developer tools have them
FAST_3G = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1.6e6 / 8 * 0.9,
    "uploadThroughput": 750e3 / 8 * 0.9,
}
LINES: dict[str, dict[str, Any] | None] = {"as it is": None, "Fast 3G": FAST_3G}
# When the doodle can be drawn on with a label, and when a picture has been loaded.
WATCH = """
    window.came = new Promise((resolve) => {
        const came = {};
        const look = () => {
            const label = document.querySelector("[data-testid^='label-']");
            const picture = document.querySelector("[data-testid='picture']");
            if (label && document.querySelector("[data-testid='doodle']"))
                came.sheet ??= performance.now();
            if (!picture?.complete) return requestAnimationFrame(look);
            resolve({ ...came, picture: performance.now() });
        };
        requestAnimationFrame(look);
    });
"""


@contextlib.contextmanager
def service() -> Iterator[str]:
    """The service as a process; gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = ("-m", "spade_paddle.serving", "--port", str(port))
        with serving(Path(folder), *command, port=port):
            yield f"http://127.0.0.1:{port}/"


def visit(context: BrowserContext, address: str, line: dict[str, Any] | None) -> dict[str, float]:
    """Open the page in a new tab: seconds until sheet and picture, requests, and KiB received."""
    page = context.new_page()
    page.add_init_script(WATCH)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    if line:
        network.send("Network.emulateNetworkConditions", line)
    finished: list[float] = []
    network.on("Network.loadingFinished", lambda event: finished.append(event["encodedDataLength"]))
    page.goto(address)
    came = page.evaluate("window.came")
    page.close()
    return {
        "sheet": came["sheet"] / 1000,
        "picture": came["picture"] / 1000,
        "requests": len(finished),
        "kib": sum(finished) / 1024,
    }


def measure(browser: Browser, address: str, line: dict[str, Any] | None) -> list[dict[str, float]]:
    """A first visit and a second one."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    visits = [visit(context, address, line) for _ in range(2)]
    context.close()
    return visits


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", help="of a service that runs; else one is started")
    parser.add_argument("--times", type=int, default=5, help="to measure each")
    arguments = parser.parse_args()
    given = arguments.address
    with contextlib.nullcontext(given) if given else service() as address, chromium() as browser:
        measure(browser, address, None)  # the first picture of a process takes longer
        for name, line in LINES.items():
            runs = [measure(browser, address, line) for _ in range(arguments.times)]
            for which, visits in zip(("first visit", "second visit"), zip(*runs)):
                told = {key: statistics.median(run[key] for run in visits) for key in visits[0]}
                print(
                    f"{name}, {which}: sheet {told['sheet']:.2f} s, picture {told['picture']:.2f} s"
                    f" ({told['requests']:.0f} requests, {told['kib']:.0f} KiB)"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
