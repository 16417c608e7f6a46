"""What a long stroke costs in Chromium: milliseconds of the page's main thread for each frame.

    python -m tests.page.bench_stroke

A stand-in service asks for doodles of 512 x 512 cells. A mouse draws a stroke of 200 points as fast
as the browser takes them; then the same 200 points come within one frame, as after a stall. Prints
the fewest, the median, the 95th percentile and the most milliseconds of a frame, out of Chromium's
own trace: how long the main thread computed (the page's scripts, and all with layout and painting),
and how long that took by the clock, which other programs may stretch. Not a test: it depends on the
machine.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from typing import Any

from playwright.sync_api import Browser, Page

from tests.page.driver import choose, chromium, element, open_page, set_live, wait_for_picture
from tests.page.stand_in import StandIn

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
# All points of a stroke in one event, as a browser that was held up hands them over.
BURST = """(canvas, points) => {
    const box = canvas.getBoundingClientRect();
    const at = ([x, y]) => ({ pointerId: 1, pointerType: 'mouse', button: 0, buttons: 1,
        bubbles: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height });
    canvas.setPointerCapture = () => {};
    const send = (type, more = {}) =>
        canvas.dispatchEvent(new PointerEvent(type, { ...at(points[0]), ...more }));
    const coalescedEvents = points.map((point) => new PointerEvent('pointermove', at(point)));
    const nextFrame = () =>
        new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return nextFrame().then(nextFrame).then(() => {
        send('pointerdown');
        send('pointermove', { ...at(points.at(-1)), coalescedEvents });
        send('pointerup', at(points.at(-1)));
    });
}"""

# What Chromium calls the work of scripts; one of them may hold others.
SCRIPTS = ("EventDispatch", "FunctionCall", "FireAnimationFrame", "TimerFire", "RunMicrotasks")
KINDS = ("scripts", "all computed", "by the clock")
Cost = tuple  # milliseconds, one for each of KINDS


def path(count: int) -> list[tuple[float, float]]:
    """A stroke to and fro over the whole doodle, in fractions of it."""
    steps = [i / (count - 1) for i in range(count)]
    return [(0.5 + 0.45 * math.sin(25 * s), 0.05 + 0.9 * s) for s in steps]


def frame_costs(trace: bytes) -> list[Cost]:
    """What the page's main thread did for each frame in which it got input."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    frames: dict[tuple[int, int], list[dict[str, Any]]] = {main: [] for main in mains}
    for event in sorted(events, key=lambda event: event.get("ts", 0)):
        main = (event.get("pid"), event.get("tid"))
        if main in frames and event.get("name") in ("RunTask", "Commit", *SCRIPTS):
            frames[main].append(event)
    return max((costs_of(thread) for thread in frames.values()), key=len)


def costs_of(thread: list[dict[str, Any]]) -> list[Cost]:
    """The same for one thread: the tasks up to each commit of a frame belong to that frame."""
    ends = [event["ts"] for event in thread if event["name"] == "Commit"]
    inputs = [
        event["ts"]
        for event in thread
        if event["name"] == "EventDispatch" and event["args"]["data"]["type"] == "pointermove"
    ]
    tasks = [event for event in thread if event["name"] == "RunTask" and "tdur" in event]
    scripts = outermost([event for event in thread if event["name"] in SCRIPTS and "tdur" in event])
    costs = []
    for start, end in zip([0, *ends], ends):
        if any(start < at <= end for at in inputs):
            mine = [within(events, start, end) for events in (scripts, tasks)]
            sums = [
                sum(e["tdur"] for e in mine[0]),
                *(sum(e[k] for e in mine[1]) for k in ("tdur", "dur")),
            ]
            costs.append(tuple(value / 1000 for value in sums))
    return costs


def within(events: list[dict[str, Any]], start: float, end: float) -> list[dict[str, Any]]:
    """The events with their middle in a stretch of time."""
    return [event for event in events if start < event["ts"] + event["dur"] / 2 <= end]


def outermost(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events that lie in no other one."""
    kept: list[dict[str, Any]] = []
    for event in events:
        if not kept or event["ts"] >= kept[-1]["ts"] + kept[-1]["dur"]:
            kept.append(event)
    return kept


def traced(browser: Browser, page: Page, action: Any) -> list[Cost]:
    """Run ``action`` and give what its frames cost."""
    browser.start_tracing(page=page, categories=CATEGORIES)
    action()
    page.wait_for_timeout(200)
    return frame_costs(browser.stop_tracing())


def draw(page: Page, points: list[tuple[float, float]]) -> None:
    """A stroke with the mouse, one point after the other."""
    box = element(page, "doodle").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places:
        page.mouse.move(*place)
    page.mouse.up()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=512, help="cells of the doodle's side")
    parser.add_argument("--points", type=int, default=200, help="points of the stroke")
    arguments = parser.parse_args()
    points = path(arguments.points)
    service = StandIn(side=arguments.side).start()
    with chromium() as browser:
        visit = open_page(browser, service.address, viewport={"width": 1440, "height": 900})
        page = visit.page
        wait_for_picture(page)
        set_live(page, on=False)
        for size, place in (("20 cells", 9), ("80 cells", 15)):
            element(page, "size").fill(str(place))
            for name, action in (
                ("one by one", lambda: draw(page, points)),
                ("in one frame", lambda: element(page, "doodle").evaluate(BURST, points)),
            ):
                costs: list[Cost] = []
                for label in ("flower", "sand", "sky"):
                    choose(page, tool="brush", label=label)
                    costs += traced(browser, page, action)
                print(f"brush of {size}, {arguments.points} points {name}, {len(costs)} frames:")
                for kind, values in zip(KINDS, zip(*costs)):
                    *_, nearly_all = statistics.quantiles(values, n=20, method="inclusive")
                    told = (min(values), statistics.median(values), nearly_all, max(values))
                    numbers = " / ".join(f"{number:.1f}" for number in told)
                    print(f"  {kind:13} {numbers} ms (min / median / 95 % / max)")
    service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
