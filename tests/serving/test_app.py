from __future__ import annotations

import io
import json
import logging
import re

import pytest
from flask import Flask

from spade_paddle.errors import ModelError
from spade_paddle.serving.app import PREDICT_ROUTE
from spade_paddle.serving.error_codes import ERROR_CODES
from tests.pictures import open64, png64, raw_labels, scene
from tests.serving.conftest import ROOT

GOOD = "https://a.example"
FOREIGN = "https://evil.example"


def paint(client, content=None, **options):
    content = {"images": [png64(scene())]} if content is None else content
    return client.post(PREDICT_ROUTE, json=content, **options)


def assert_error(response, *, status: int, code: str) -> dict:
    body = response.get_json()
    assert (response.status_code, body["code"]) == (status, code)
    assert body["status"] == "101" and body["results"] == "" and body["msg"]
    assert isinstance(body["details"], dict)
    assert code in ERROR_CODES and ERROR_CODES[code].status == status
    return body


def test_a_label_map_comes_back_as_a_picture_in_paddlehubs_envelope(client):
    body = paint(client).get_json()
    assert (body["status"], body["msg"]) == ("000", "")
    assert open64(body["results"][0]["image"]).size == (64, 64)


def test_raw_ids_are_painted_as_well(client):
    body = paint(client, {"labels": [raw_labels(scene(32, 64))]}).get_json()
    assert (body["results"][0]["width"], body["results"][0]["height"]) == (64, 32)


def test_healthz_says_starting_until_the_first_picture_is_painted(make_client):
    cold = make_client(warm=False).get("/healthz")
    assert (cold.status_code, cold.get_json()) == (503, {"status": "starting"})
    warm = make_client().get("/healthz")
    assert warm.get_json() == {"status": "ok", "model": "fake", "version": "0.0.1"}


def test_labels_tell_names_colors_model_and_limits(client):
    body = client.get("/labels").get_json()
    names = {"name_en": "sky", "name_zh": "天空"}
    assert body["labels"][1] == {"id": 1, **names, "color": "#7ec0ee", "group": "sky"}
    assert (body["name"], body["dont_care"], len(body["labels"])) == ("landscape", 255, 13)
    assert body["model"] == {
        **{"name": "fake", "version": "0.0.1", "height": 64, "width": 64, "multiple": 32},
        **{"seed": True, "style_photo": False, "styles": ["bright"], "natural_edges": True},
        "large": None,
    }
    assert body["token"] is False
    assert set(body["limits"]) == {"min_side", "max_pixels", "max_images", "max_body_bytes"}


def test_the_page_and_its_files_are_served_with_usable_types(client):
    assert b"<title>doodle" in client.get("/").data
    script = client.get("/ui/main.js")
    assert script.mimetype == "text/javascript"
    assert script.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/ui/../index.html", "/ui/%2e%2e/x", "/ui//etc/passwd", "/ui/"])
def test_nothing_outside_the_page_folder_can_be_read(client, path):
    response = client.get(path, follow_redirects=True)
    assert_error(response, status=404, code="not_found")


def test_another_address_is_a_json_404_that_lists_the_real_ones(client):
    assert "/labels" in assert_error(client.get("/nope"), status=404, code="not_found")["msg"]


def test_another_method_is_a_json_405_with_the_allowed_ones(client):
    response = client.get(PREDICT_ROUTE)
    assert_error(response, status=405, code="method_not_allowed")
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("mimetype", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_without_the_json_type_is_a_415(client, mimetype):
    response = client.post(PREDICT_ROUTE, data="{}", content_type=mimetype)
    assert_error(response, status=415, code="unsupported_media_type")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "not_json"),
        (b"[]", "json_not_object"),
        (b"null", "json_not_object"),
        (b"{}", "missing_key"),
    ],
)
def test_a_malformed_body_is_a_json_400(client, data, code):
    response = client.post(PREDICT_ROUTE, data=data, content_type="application/json")
    assert_error(response, status=400, code=code)


def test_a_body_over_the_limit_is_a_413_that_tells_the_limit(make_client):
    client = make_client(max_body_bytes=2048)
    body = assert_error(paint(client, {"images": ["A" * 4096]}), status=413, code="body_too_large")
    assert body["details"] == {"max_body_bytes": 2048}


def test_a_body_without_a_length_is_refused_as_well_and_not_cut(make_client):
    client = make_client(max_body_bytes=2048)
    for size, status in ((1000, 400), (2047, 400), (2048, 413), (9000, 413)):
        answer = client.post(
            PREDICT_ROUTE,
            input_stream=io.BytesIO(b"{" * size),
            content_type="application/json",
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},  # as servers say it of chunks
        )
        assert_error(answer, status=status, code={400: "not_json", 413: "body_too_large"}[status])


def test_a_full_queue_is_a_503_with_retry_after(make_client, painter, monkeypatch):
    client = make_client(queue_length=0, max_wait_seconds=1)
    answers = []
    real = painter.paint

    def ask_meanwhile(label_map, **options):
        painter.paint = real
        other = {"images": [png64(scene(top=2))]}
        answers.append(paint(client.application.test_client(), other))
        return real(label_map, **options)

    painter.paint = ask_meanwhile
    assert paint(client).status_code == 200
    assert_error(answers[0], status=503, code="busy")
    assert int(answers[0].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (RuntimeError("secret"), "internal"),
        (ModelError("secret", code="model_damaged"), "model_missing"),
        (MemoryError("secret"), "out_of_memory"),
        (SystemError("(ResourceExhausted) secret: out of memory on GPU 0"), "out_of_memory"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_of_the_service_is_a_json_500_whose_reference_is_in_the_log(
    client, painter, failure, code, caplog
):
    painter.failure = failure
    with caplog.at_level(logging.ERROR, logger="spade_paddle.serving"):
        body = assert_error(paint(client), status=500, code=code)
    assert "secret" not in json.dumps(body)
    assert body["details"]["reference"] in caplog.text and "secret" in caplog.text
    painter.failure = None
    assert paint(client).status_code == 200


@pytest.mark.parametrize(("origins", "framing"), [((), ""), ((GOOD,), f" {GOOD}")])
def test_the_page_may_ask_its_own_service_alone_and_be_framed_by_those_that_may_call(
    make_client, origins, framing
):
    headers = make_client(cors_origins=origins).get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'" and "connect-src" not in policy
    assert policy["frame-ancestors"] == f"'self'{framing}"
    assert headers["Referrer-Policy"] == "same-origin"


def test_no_redirect_leads_to_a_host_that_the_request_names(client):
    response = client.get("/ui//main.js", headers={"Host": "evil.example"})
    assert_error(response, status=404, code="not_found")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("doodle.example.org", 200),
        ("doodle.example.org:8866", 200),
        ("a.lan", 200),
        ("evil.example", 421),
        ("doodle.example.org.evil.example", 421),
        ("127.0.0.1", 421),
    ],
)
def test_the_service_answers_to_its_names_alone_where_it_has_some(make_client, host, status):
    client = make_client(hosts="doodle.example.org, .lan")
    for path in ("/healthz", "/labels", "/"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == status
        if status != 200:
            assert_error(answer, status=421, code="unknown_host")
    assert make_client().get("/healthz", headers={"Host": host}).status_code == 200


def test_no_page_elsewhere_may_call_by_default(client):
    response = paint(client, headers={"Origin": GOOD})
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(("origin", "allowed"), [(GOOD, GOOD), (FOREIGN, None)])
def test_only_listed_origins_get_cors_headers_on_answers_errors_and_preflights(
    make_client, painter, origin, allowed
):
    client = make_client(cors_origins=[GOOD, "https://b.example"], max_body_bytes=4096)
    headers = {"Origin": origin}
    ask = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answers = [
        paint(client, headers=headers),
        paint(client, {}, headers=headers),
        paint(client, {"images": ["A" * 5000]}, headers=headers),
        client.post(PREDICT_ROUTE, data="x", headers=headers),
        client.get("/nope", headers=headers),
        client.get("/labels", headers=headers),
        client.options(PREDICT_ROUTE, headers={**headers, **ask}),
    ]
    painter.failure = RuntimeError()
    answers.append(paint(client, {"images": [png64(scene(top=2))]}, headers=headers))
    assert [answer.status_code for answer in answers] == [200, 400, 413, 415, 404, 200, 200, 500]
    for answer in answers:
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert "Origin" in answer.headers["Vary"]


def test_a_preflight_allows_json_and_a_foreign_one_allows_nothing(make_client):
    client = make_client(cors_origins=GOOD)
    ask = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    ask["Access-Control-Request-Headers"] = "content-type, authorization"
    good = client.options(PREDICT_ROUTE, headers={"Origin": GOOD, **ask})
    allowed = good.headers["Access-Control-Allow-Headers"].lower()
    assert set(allowed.split(", ")) == {"content-type", "authorization"}
    assert "POST" in good.headers["Access-Control-Allow-Methods"]
    foreign = client.options(PREDICT_ROUTE, headers={"Origin": FOREIGN, **ask})
    assert not [name for name, _ in foreign.headers if name.startswith("Access-Control")]


def test_an_app_with_its_own_index_and_predict_route_is_taken_over(make_client):
    app = Flask("like PaddleHub's")

    @app.route("/", methods=["GET", "POST"])
    def index():
        return "no page here"

    @app.route("/predict/<module_name>", methods=["POST"])
    def predict_serving_v2(module_name: str):
        return {"module": module_name}

    client = make_client(app=app)
    assert b"doodle" in client.get("/").data
    assert_error(client.post("/"), status=405, code="method_not_allowed")
    assert_error(paint(client, {}), status=400, code="missing_key")
    assert client.post("/predict/other", json={}).get_json() == {"module": "other"}


def test_the_module_readme_documents_every_error_as_the_code_does():
    lines = (ROOT / "hub_module/README.md").read_text(encoding="utf-8").splitlines()
    rows = [f"| `{row.code}` | {row.status} | {row.when} |" for row in ERROR_CODES.values()]
    assert [line for line in lines if line in rows] == rows


def test_the_chinese_module_readme_documents_the_same_errors():
    readme = (ROOT / "hub_module/README_zh.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| .+ \|$", readme, re.MULTILINE)
    assert rows == [(row.code, str(row.status)) for row in ERROR_CODES.values()]
