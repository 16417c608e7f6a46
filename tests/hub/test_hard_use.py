"""Bad input, many clients, idle clients and foreign pages: clear answers, and it lives on."""

from __future__ import annotations

import base64
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import requests

from spade_paddle.serving.error_codes import ERROR_CODES
from tests.hub.conftest import GOOD_ORIGIN
from tests.pictures import file_bytes, open64, png64, scene

FOREIGN_ORIGIN = "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


def body(content) -> bytes:
    return json.dumps(content).encode()


def with_picture(data: bytes) -> bytes:
    return body({"images": [base64.b64encode(data).decode()]})


def ids_of(value: int, *, side: int = 64) -> np.ndarray:
    return np.full((side, side), value, np.uint8)


BAD_BODIES = {
    "not JSON": (b"{hello", "not_json"),
    "a JSON list": (b"[1]", "json_not_object"),
    "null": (b"null", "json_not_object"),
    "deep nesting": (b"[" * 200_000, "not_json"),
    "a missing key": (b"{}", "missing_key"),
    "an unknown key": (body({"images": [png64(scene())], "output_dir": "out"}), "unknown_key"),
    "a file name": (body({"paths": ["/etc/passwd"]}), "unknown_key"),
    "not base64": (body({"images": ["***"]}), "not_base64"),
    "not an image": (with_picture(b"hello world"), "not_an_image"),
    "a cut image": (with_picture(file_bytes(scene())[:60]), "not_an_image"),
    "a JPEG of ids": (with_picture(file_bytes(scene(), image_format="JPEG")), "lossy_labels"),
    "an id of 200": (with_picture(file_bytes(ids_of(200))), "label_unknown"),
    "a 1x1 map": (with_picture(file_bytes(ids_of(1, side=1))), "label_map_too_small"),
    "a 5000x5000 map": (with_picture(file_bytes(ids_of(1, side=5000))), "label_map_too_large"),
    "a broken style": (body({"images": [png64(scene())], "style": "aGVsbG8="}), "not_an_image"),
    "a foreign style": (body({"images": [png64(scene())], "style_name": "x"}), "style_unknown"),
    "a 30 MB body": (body({"images": ["A" * 30_000_000]}), "body_too_large"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_input_gets_a_clear_json_error_writes_nothing_and_the_service_lives_on(
    hub, server, name
):
    data, code = BAD_BODIES[name]
    before = hub.files()
    answer = server.post_raw(data)
    content = answer.json()
    assert (content["code"], answer.status_code) == (code, ERROR_CODES[code].status)
    assert content["status"] == "101" and content["results"] == "" and len(content["msg"]) > 20
    assert server.get("/healthz").status_code == 200
    assert server.paint({"images": [png64(scene())]}).status_code == 200
    assert hub.files() == before


def test_wrong_addresses_methods_and_types_get_json_as_well(server):
    answers = {
        404: server.get("/nope"),
        405: server.get("/predict/gaugan_doodle"),
        415: server.post_raw(b"{}", mimetype="text/plain"),
    }
    for status, answer in answers.items():
        assert (answer.status_code, answer.json()["status"]) == (status, "101")


def test_fifty_requests_at_once_all_get_a_picture_or_a_clean_busy(server):
    start = Barrier(50)

    def ask(index: int) -> requests.Response:
        content = {"images": [png64(scene(top=index % 13))], "seed": index}
        url = f"{server.url}/predict/gaugan_doodle"
        start.wait(60)
        return requests.post(url, json=content, timeout=120, proxies={"http": ""})

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    for index, answer in enumerate(answers):
        if answer.status_code == 200:
            (result,) = answer.json()["results"]
            assert open64(result["image"]).size == (64, 64) and result["seed"] == index
        else:
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert int(answer.headers["Retry-After"]) > 0
    assert sum(answer.status_code == 200 for answer in answers) >= 17  # one painted, 16 waiting
    assert server.paint({"images": [png64(scene())]}).status_code == 200


def test_idle_connections_and_half_sent_requests_do_not_stop_others(server):
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    try:
        for connection in idle[:10]:
            connection.sendall(b"POST /predict/gaugan_doodle HTTP/1.1\r\nContent-Length: 99\r\n")
        assert server.get("/healthz").status_code == 200
        assert server.paint({"images": [png64(scene())]}).status_code == 200
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    ("origin", "allowed"), [(GOOD_ORIGIN, GOOD_ORIGIN), (FOREIGN_ORIGIN, None)]
)
def test_only_the_listed_page_may_read_answers_errors_and_preflights(server, origin, allowed):
    headers = {"Origin": origin}
    url = server.url + "/predict/gaugan_doodle"
    answers = [
        server.paint({"images": [png64(scene())]}, headers=headers),
        server.paint({}, headers=headers),
        server.paint({"images": ["A" * 30_000_000]}, headers=headers),
        server.get("/labels", headers=headers),
        server.get("/nope", headers=headers),
        server.session.options(url, headers={**headers, **PREFLIGHT}, timeout=60),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 413, 200, 404, 200]
    for answer in answers:
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux")
def test_the_service_listens_on_this_computer_only(server):
    listening = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        if state == "0A" and int(address.split(":")[1], 16) == server.port:
            listening.add(address.split(":")[0])
    assert listening == {"0100007F"}  # 127.0.0.1
