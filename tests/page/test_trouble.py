"""The page when something is wrong: readable sentences, nothing lost, back by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.page.driver import Visit, choose, element, open_page, set_live, stroke, wait_for_picture
from tests.page.stand_in import StandIn


def error(code: str, message: str = "English sentence of the server.") -> dict[str, object]:
    """An error body as the service sends it."""
    return {"status": "101", "msg": message, "results": "", "code": code, "details": {}}


def expect_problem(visit: Visit, code: str) -> str:
    """Wait for a problem with this code; returns its sentence."""
    note = element(visit.page, "problem")
    expect(note).to_have_attribute("data-code", code)
    sentence = note.locator("p").inner_text()
    expect(element(visit.page, "status")).to_have_text(sentence)
    return sentence


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (500, error("internal"), "internal"),
        (400, error("label_unknown"), "label_unknown"),
        (413, "<html>too large</html>", "body_too_large"),
        (502, "<html>bad gateway</html>", "internal"),
        (200, "<html>a captive portal</html>", "bad_answer"),
        (200, {"status": "000", "msg": "", "results": []}, "bad_answer"),
        (200, {"status": "000", "msg": "", "results": [{"image": "?"}]}, "bad_answer"),
        (200, {"status": "000", "msg": "", "results": [{"image": "AAAA"}]}, "bad_answer"),
    ],
)
def test_a_failed_answer_is_said_in_words_and_can_be_retried(
    visit: Visit, service: StandIn, status: int, body: object, code: str
) -> None:
    shown = wait_for_picture(visit.page)
    service.failures.append((status, body, {}))
    element(visit.page, "scene-coast").click()
    english = expect_problem(visit, code)
    element(visit.page, "language").click()
    assert expect_problem(visit, code) != english
    element(visit.page, "retry").click()
    wait_for_picture(visit.page, other_than=shown)
    expect(element(visit.page, "problem")).to_have_count(0)


def test_unknown_code_shows_the_servers_sentence(visit: Visit, service: StandIn) -> None:
    wait_for_picture(visit.page)
    service.failures.append((400, error("brand_new", "Too much moon; paint less."), {}))
    element(visit.page, "scene-coast").click()
    assert expect_problem(visit, "brand_new") == "Too much moon; paint less."


def test_busy_is_retried_by_itself(visit: Visit, service: StandIn) -> None:
    shown = wait_for_picture(visit.page)
    service.failures.append((503, error("busy"), {"Retry-After": "1"}))
    element(visit.page, "scene-coast").click()
    assert "1 s" in expect_problem(visit, "busy")
    wait_for_picture(visit.page, other_than=shown)
    expect(element(visit.page, "problem")).to_have_count(0)


def test_service_away_then_back_loses_nothing(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    service.stop()
    choose(page, tool="brush", label="flower")
    stroke(page, (0.3, 0.3), (0.6, 0.3))
    expect_problem(visit, "away")
    expect(element(page, "service")).to_have_attribute("data-state", "away")
    stroke(page, (0.3, 0.6), (0.6, 0.6))
    service.start()
    wait_for_picture(page, other_than=shown)
    expect(element(page, "service")).to_have_attribute("data-state", "ready")
    expect(element(page, "problem")).to_have_count(0)
    flower = service.label_set.id_of("flower")
    assert service.doodles[-1][int(0.3 * 256), 128] == flower
    assert service.doodles[-1][int(0.6 * 256), 128] == flower


def test_a_picture_asked_for_during_an_outage_comes_after_it(
    visit: Visit, service: StandIn
) -> None:
    shown = wait_for_picture(visit.page)
    set_live(visit.page, on=False)
    service.stop()
    element(visit.page, "generate").click()
    expect_problem(visit, "away")
    service.start()
    wait_for_picture(visit.page, other_than=shown)
    expect(element(visit.page, "problem")).to_have_count(0)
    assert len(service.doodles) == 2


def test_doodle_survives_a_reload_while_the_service_is_away(visit: Visit, service: StandIn) -> None:
    page = visit.page
    wait_for_picture(page)
    choose(page, tool="brush", label="flower")
    stroke(page, (0.3, 0.3), (0.6, 0.3))
    page.wait_for_timeout(600)
    page.route("**/labels", lambda route: route.abort())
    page.route("**/healthz", lambda route: route.abort())
    page.reload()
    expect_problem(visit, "away")
    stroke(page, (0.3, 0.6), (0.6, 0.6))
    page.unroute_all()
    wait_for_picture(page)
    flower = service.label_set.id_of("flower")
    assert service.doodles[-1][int(0.3 * 256), 128] == flower
    assert service.doodles[-1][int(0.6 * 256), 128] == service.label_set.id_of("cloud")


def test_a_service_that_warms_up_is_waited_for(browser: Browser, service: StandIn) -> None:
    service.healthy = False
    visit = open_page(browser, service.address)
    expect_problem(visit, "starting")
    expect(element(visit.page, "service")).to_have_attribute("data-state", "starting")
    service.healthy = True
    wait_for_picture(visit.page)
    expect(element(visit.page, "problem")).to_have_count(0)
    visit.page.context.close()


def test_page_from_elsewhere_with_and_without_permission(
    browser: Browser, service: StandIn
) -> None:
    elsewhere = StandIn().start()
    api = service.address.rstrip("/")
    visit = open_page(browser, f"{elsewhere.address}?api={api}")
    element(visit.page, "allow").click()
    sentence = expect_problem(visit, "cors")
    assert api in sentence and elsewhere.address.rstrip("/") in sentence
    service.allow_origin = elsewhere.address.rstrip("/")
    wait_for_picture(visit.page)
    assert service.doodles and not elsewhere.doodles
    service.stop()
    element(visit.page, "scene-coast").click()
    assert api in expect_problem(visit, "away_elsewhere")
    visit.page.context.close()
    elsewhere.stop()


def test_a_service_with_a_token_asks_for_it_once(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    service.token = "open sesame"
    element(page, "scene-coast").click()
    expect_problem(visit, "unauthorized")
    element(page, "token").fill("wrong")
    element(page, "token-send").click()
    expect_problem(visit, "unauthorized")
    element(page, "token").fill("open sesame")
    element(page, "token-send").click()
    wait_for_picture(page, other_than=shown)
    page.reload()
    wait_for_picture(page)
    expect(element(page, "problem")).to_have_count(0)


def test_a_link_to_another_service_gets_neither_doodle_nor_token_without_a_word(
    browser: Browser, service: StandIn
) -> None:
    service.token = "open sesame"
    thief = StandIn().start()
    thief.allow_origin = service.address.rstrip("/")
    visit = open_page(browser, service.address)
    page = visit.page
    expect_problem(visit, "unauthorized")
    element(page, "token").fill("open sesame")
    element(page, "token-send").click()
    shown = wait_for_picture(page)
    link = f"{service.address}?api={thief.address}"
    page.goto(link)
    expect(element(page, "unknown-service")).to_contain_text(thief.address.rstrip("/"))
    element(page, "stay").click()
    element(page, "scene-coast").click()
    wait_for_picture(page, other_than=shown)
    assert thief.requests == [] and "api=" not in page.url
    page.goto(link)  # and whoever allows it gives it no token of another
    element(page, "allow").click()
    wait_for_picture(page)
    assert thief.doodles and thief.authorizations == {None}
    page.goto(link)
    wait_for_picture(page)  # asked once
    expect(element(page, "unknown-service")).to_have_count(0)
    page.goto(service.address)
    wait_for_picture(page)
    expect(element(page, "problem")).to_have_count(0)
    page.context.close()
    thief.stop()


def test_a_service_that_hangs_is_not_called_ready(visit: Visit, service: StandIn) -> None:
    page = visit.page
    shown = wait_for_picture(page)
    service.hangs.set()
    element(page, "scene-coast").click()
    expect(element(page, "service")).to_have_attribute("data-state", "away", timeout=30_000)
    expect_problem(visit, "away")
    service.hangs.clear()
    wait_for_picture(page, other_than=shown, timeout_s=30)
    expect(element(page, "service")).to_have_attribute("data-state", "ready", timeout=30_000)
    expect(element(page, "problem")).to_have_count(0)
