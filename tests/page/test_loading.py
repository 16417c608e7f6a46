"""What the page asks of a service until the first picture: few requests, none waits for a chain."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.page.driver import open_page, wait_for_picture
from tests.serving.processes import stand_in


@pytest.fixture(scope="module")
def address(processes, tmp_path_factory):
    with stand_in(tmp_path_factory.mktemp("server")) as server:
        yield f"http://127.0.0.1:{server.port}/"


def test_the_first_picture_takes_three_round_trips_and_few_bytes(browser, address):
    visit = open_page(browser, "about:blank")
    network = visit.page.context.new_cdp_session(visit.page)
    network.send("Network.enable")
    sent: dict[str, dict] = {}
    received: list[float] = []
    network.on("Network.requestWillBeSent", lambda event: sent.update({event["requestId"]: event}))
    network.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
    visit.page.goto(address)
    wait_for_picture(visit.page)
    asked = [event for event in sent.values() if event["request"]["url"].startswith(address)]
    by_path = {urlsplit(event["request"]["url"]).path: event for event in asked}
    files = [path for path in by_path if path.startswith("/ui/")]
    assert len(asked) == len(by_path) == 6, list(by_path)
    assert set(by_path) - set(files) == {"/", "/healthz", "/labels", "/predict/gaugan_doodle"}
    for path in (*files, "/healthz", "/labels"):  # known from index.html, not from a script
        assert by_path[path]["initiator"]["type"] == "parser", path
    assert sum(received) < 120 * 1024
    assert visit.errors == []


def test_a_second_visit_loads_no_file_again(browser, address):
    page = open_page(browser, address).page
    wait_for_picture(page)
    page.goto("about:blank")
    page.goto(address)
    wait_for_picture(page)
    sizes = page.evaluate(
        "() => performance.getEntriesByType('resource').filter((e) => e.name.includes('/ui/'))"
        ".map((e) => e.transferSize)"
    )
    assert sizes == [0, 0]
