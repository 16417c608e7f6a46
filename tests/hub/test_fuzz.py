"""Odd requests, decompression bombs and idle clients against the real process.

``FUZZ_CASES=2000`` tries so many requests instead of a few (see tests/serving/test_fuzz.py).
"""

from __future__ import annotations

import contextlib
import os
import socket

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.hub.conftest import Server
from tests.hub.test_annotate import body_of, lake_photo
from tests.pictures import b64, png64, scene
from tests.serving.odd_requests import annotate_bodies, check_answer, paint_bodies
from tests.serving.test_label_images import hand_made_png

PATHS = {"/predict/gaugan_doodle": paint_bodies, "/annotate": annotate_bodies}
FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_CASES", "40")),
    derandomize="FUZZ_CASES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def post(server: Server, path: str, body: bytes):
    headers = {"Content-Type": "application/json"}
    return server.session.post(server.url + path, data=body, headers=headers, timeout=120)


@pytest.mark.parametrize("path", PATHS)
def test_odd_requests_get_clear_answers_write_no_file_and_the_process_lives_on(hub, server, path):
    before, process = hub.files(), server.process.pid

    @FUZZ
    @given(body=PATHS[path]())
    def ask(body: bytes) -> None:
        answer = post(server, path, body)
        check_answer(answer.status_code, answer.content)

    ask()
    assert (server.process.poll(), server.process.pid) == (None, process)
    assert server.get("/healthz").status_code == 200
    assert hub.files() == before


@pytest.mark.parametrize("side", [7100, 30_000])
def test_a_decompression_bomb_costs_neither_time_nor_memory(server, side):
    pixels = np.zeros(1_000_000, np.uint8).tobytes()
    bomb = b64(hand_made_png(side, side, bits=8, kind=2, rows=pixels))
    before = peak_kilobytes(server)
    requests_and_codes = (
        ("/annotate", {"photo": bomb, "width": 256, "height": 256}, "photo_too_large"),
        ("/predict/gaugan_doodle", {"images": [bomb]}, "label_map_too_large"),
    )
    for path, content, code in requests_and_codes:
        answer = server.session.post(server.url + path, json=content, timeout=120)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert peak_kilobytes(server) - before < 50_000  # unpacked, the smaller one has 151 MB


def peak_kilobytes(server: Server) -> int:
    """The most memory the process has ever held."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:  # noqa: PTH123
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def test_a_hundred_idle_connections_and_half_sent_requests_stop_nobody(server):
    with contextlib.ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for _ in range(100)
        ]
        for connection in idle[:50]:
            connection.sendall(b"POST /annotate HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
        assert server.get("/healthz").status_code == 200
        assert server.paint({"images": [png64(scene())]}).status_code == 200
        answer = server.session.post(
            server.url + "/annotate", json=body_of(lake_photo()), timeout=120
        )
        assert answer.status_code == 200
