from __future__ import annotations

import pytest

from spade_paddle.serving.app import PREDICT_ROUTE
from tests.serving.test_app import GOOD, assert_error, paint

TOKEN = "0123456789abcdef"


@pytest.fixture
def guarded(make_client):
    return make_client(api_token=TOKEN, cors_origins=GOOD)


def test_the_right_token_paints_whatever_the_case_of_its_scheme(guarded):
    for header in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "):
        assert paint(guarded, headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}0",
        f"Bearer {TOKEN.upper()}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ÿ",
    ],
)
def test_another_or_no_token_is_a_401_that_does_not_tell_it(guarded, painter, header):
    painted = painter.painted
    headers = {} if header is None else {"Authorization": header}
    response = paint(guarded, headers={**headers, "Origin": GOOD})
    assert_error(response, status=401, code="unauthorized")
    assert TOKEN not in response.text and response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Access-Control-Allow-Origin"] == GOOD
    assert painter.painted == painted


@pytest.mark.parametrize("path", ["/", "/predict/other", "/nope"])
def test_no_address_takes_a_post_without_the_token(guarded, path):
    assert_error(guarded.post(path, json={}), status=401, code="unauthorized")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.post(path, json={}, headers=headers).status_code in (404, 405)


def test_looking_and_preflights_need_no_token(guarded):
    for path in ("/", "/ui/main.js", "/labels", "/healthz", "/metrics"):
        assert guarded.get(path).status_code == 200
    ask = {
        "Origin": GOOD,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = guarded.options(PREDICT_ROUTE, headers=ask)
    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()


def test_labels_tell_the_page_that_a_token_is_needed_but_not_which(guarded):
    response = guarded.get("/labels")
    assert response.get_json()["token"] is True and TOKEN not in response.text


def test_the_body_of_a_refused_request_is_taken_so_that_the_client_reads_the_answer(guarded):
    body = b'{"images": ["' + b"A" * 200_000 + b'"]}'
    with guarded.post(PREDICT_ROUTE, data=body, content_type="application/json") as response:
        assert response.status_code == 401
        assert response.request.environ["wsgi.input"].read() == b""
