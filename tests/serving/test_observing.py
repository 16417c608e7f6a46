from __future__ import annotations

import logging

import pytest
from prometheus_client.parser import text_string_to_metric_families

from spade_paddle.serving.app import PREDICT_ROUTE
from tests.pictures import png64, scene
from tests.serving.test_app import paint


@pytest.fixture
def lines(caplog):
    """Reads the lines of the access log so far."""
    caplog.set_level(logging.INFO, logger="spade_paddle.serving.access")
    name = "spade_paddle.serving.access"
    return lambda: [record.getMessage() for record in caplog.records if record.name == name]


def counts(client) -> dict[tuple, float]:
    """Every sample of ``GET /metrics``: (name, label values in the order of names) -> value."""
    text = client.get("/metrics").get_data(as_text=True)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_are_prometheus_text(client):
    response = client.get("/metrics")
    assert response.content_type.startswith("text/plain; version=0.0.4")
    assert "# TYPE gaugan_request_seconds histogram" in response.text


def test_requests_are_counted_by_route_and_status_and_errors_by_code(client, painter):
    paint(client)
    paint(client)
    paint(client, {})
    paint(client, {"images": ["***"]})
    client.get("/labels")
    client.get("/ui/main.js")
    painter.failure = RuntimeError()
    paint(client, {"images": [png64(scene(top=2))]})
    found = counts(client)
    assert found["gaugan_requests_total", "POST", PREDICT_ROUTE, "200"] == 2
    assert found["gaugan_requests_total", "POST", PREDICT_ROUTE, "400"] == 2
    assert found["gaugan_requests_total", "POST", PREDICT_ROUTE, "500"] == 1
    assert found["gaugan_requests_total", "GET", "/labels", "200"] == 1
    assert found["gaugan_requests_total", "GET", "/ui/<path:path>", "200"] == 1
    assert found["gaugan_errors_total", "missing_key"] == 1
    assert found["gaugan_errors_total", "not_base64"] == 1
    assert found["gaugan_errors_total", "internal"] == 1


def test_addresses_and_methods_that_clients_make_up_share_one_count(client):
    for number in range(20):
        client.get(f"/nope/{number}")
        client.open("/labels", method=f"METHOD{number}")
    found = counts(client)
    assert found["gaugan_requests_total", "GET", "none", "404"] == 20
    assert found["gaugan_requests_total", "other", "none", "405"] == 20


def test_pictures_hits_and_times_are_counted(client):
    for seed in (1, 2, 2):
        paint(client, {"images": [png64(scene())], "seed": seed})
    found = counts(client)
    assert found["gaugan_pictures_total",] == 2
    assert found["gaugan_cache_hits_total",] == 1
    assert found["gaugan_painting_seconds_count",] == 2
    assert found["gaugan_request_seconds_count", PREDICT_ROUTE] == 3
    assert found["gaugan_request_seconds_sum", PREDICT_ROUTE] > 0
    assert found["gaugan_build_info", "fake", "0.0.1", "0.1.0"] == 1


def test_what_is_in_progress_is_told_and_all_of_it_ends_also_after_errors(client, painter):
    seen = []
    real = painter.paint

    def look_meanwhile(label_map, **options):
        seen.append(counts(client.application.test_client()))
        return real(label_map, **options)

    painter.paint = look_meanwhile
    paint(client)
    assert seen[0]["gaugan_requests_in_progress",] == 2  # the painting one and /metrics itself
    painter.failure = RuntimeError()
    paint(client, {"images": [png64(scene(top=2))]})
    client.get("/nope")
    assert counts(client)["gaugan_requests_in_progress",] == 1


def test_metrics_can_be_read_while_the_model_is_still_loading(make_client):
    assert make_client(warm=False).get("/metrics").status_code == 200


def test_every_request_is_one_line_with_method_path_status_time_size_and_client(client, lines):
    size = len(paint(client).data)
    paint(client, {})
    first, second = lines()
    words = first.split()
    assert words[:3] == ["POST", PREDICT_ROUTE, "200"] and words[4] == "ms"
    assert words[5:8] == [str(size), "bytes", "127.0.0.1"]
    assert second.startswith(f"POST {PREDICT_ROUTE} 400 ")


def test_polls_are_not_logged_and_nothing_is_when_it_is_switched_off(client, make_client, lines):
    for path in ("/healthz", "/metrics", "/healthz"):
        client.get(path)
    assert lines() == []
    client.get("/labels")
    assert len(lines()) == 1
    make_client(access_log=False).get("/labels")
    assert len(lines()) == 1


def test_a_line_break_in_an_address_does_not_make_a_line(client, lines):
    client.get("/nope%0a[2026-01-01] POST /forged 200")
    (line,) = lines()
    assert "\n" not in line and "%0A" in line


def test_a_token_and_a_query_are_not_logged(make_client, lines):
    client = make_client(api_token="0123456789abcdef")
    paint(client, headers={"Authorization": "Bearer 0123456789abcdef"})
    client.get("/?token=0123456789abcdef")
    assert len(lines()) == 2 and "0123456789" not in "".join(lines())


def test_bytes_of_files_are_logged(client, lines):
    size = len(client.get("/ui/main.js").data)
    assert f" {size} bytes " in lines()[-1]


@pytest.mark.parametrize(
    ("proxies", "address"), [(0, "127.0.0.1"), (1, "10.0.0.7"), (2, "9.9.9.9")]
)
def test_behind_proxies_the_log_has_the_persons_address(make_client, lines, proxies, address):
    client = make_client(proxies=proxies)
    client.get("/labels", headers={"X-Forwarded-For": "6.6.6.6, 9.9.9.9, 10.0.0.7"})
    assert lines()[-1].split()[-2] == address


def test_answers_and_log_lines_have_the_id_of_their_request(client, lines, painter, caplog):
    answer = paint(client, headers={"X-Request-Id": "mine-1.a_B"})
    assert answer.headers["X-Request-Id"] == "mine-1.a_B"
    assert lines()[-1].split()[-1] == "mine-1.a_B"
    painter.failure = RuntimeError()
    failed = paint(client, {"images": [png64(scene(top=2))]}, headers={"X-Request-Id": "mine-2"})
    assert failed.get_json()["details"]["reference"] == failed.headers["X-Request-Id"] == "mine-2"
    assert "fault mine-2 in POST" in caplog.text


@pytest.mark.parametrize("given", [None, "", "a" * 65, "two words", 'a"b', "é", "ok\u2028"])
def test_ids_that_would_not_do_in_a_log_are_replaced_by_new_ones(client, given):
    headers = {} if given is None else {"X-Request-Id": given.encode()}
    ids = {client.get("/nope", headers=headers).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2 and all(len(one) == 12 and one.isalnum() for one in ids)
