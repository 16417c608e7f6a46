"""Real processes and clients that send slowly, or nothing, or what no server takes."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading

import pytest

from spade_paddle.serving import web_server
from tests.pictures import png64, scene
from tests.serving.conftest import MODES, wait_until
from tests.serving.processes import ServerProcess

HEAD = b"POST /predict/gaugan_doodle HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
BEGINNINGS = {
    "nothing": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 999\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n99\r\n{",
}
CONTENT = {"images": [png64(scene())]}


@contextlib.contextmanager
def connections(server: ServerProcess, count: int, beginning: bytes):
    """So many connections that begin a request and do not finish it."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            one.sendall(beginning)
            opened.append(one)
        yield opened


def drip(opened: list[socket.socket], stop: threading.Event) -> None:
    """Send a byte on each, again and again."""
    while not stop.wait(0.1):
        for one in opened:
            with contextlib.suppress(OSError):
                one.send(b"x")


def is_closed(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("mode", MODES)
def test_three_hundred_unfinished_requests_stop_nobody(start, mode, beginning):
    with start(mode) as server, connections(server, 300, BEGINNINGS[beginning]):
        for seed in range(3):
            assert server.get("/healthz").status_code == 200
            assert server.paint({**CONTENT, "seed": seed}).status_code == 200


@pytest.mark.parametrize("mode", MODES)
def test_dripping_clients_stop_nobody_and_are_cut_off(start, mode):
    stop = threading.Event()
    with start(mode, idle_seconds=2) as server:
        halves = [BEGINNINGS["half a head"] + b"X: ", BEGINNINGS["half a body"]]
        with connections(server, 150, halves[0]) as heads, connections(server, 150, halves[1]) as b:
            dripping = threading.Thread(target=drip, args=([*heads, *b], stop))
            dripping.start()
            try:
                assert server.get("/healthz").status_code == 200
                assert server.paint(CONTENT).status_code == 200
                wait_until(lambda: all(map(is_closed, [*heads, *b])))
            finally:
                stop.set()
                dripping.join()
        assert server.paint(CONTENT).status_code == 200


@pytest.mark.parametrize("mode", MODES)
def test_newcomers_take_the_place_of_those_that_send_nothing(start, mode):
    count = web_server.CONNECTIONS
    with start(mode) as server, connections(server, count, b"") as opened:
        # one that works keeps its place
        working = http.client.HTTPConnection("127.0.0.1", server.port)
        for seed in range(3):
            body = json.dumps({**CONTENT, "seed": seed})
            working.request(
                "POST", "/predict/gaugan_doodle", body, {"Content-Type": "application/json"}
            )
            answer = working.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            assert server.get("/healthz").status_code == 200
        wait_until(lambda: any(map(is_closed, opened)))
        assert not all(map(is_closed, opened))


@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431, "bad_request"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431, "bad_request"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, "bad_request"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", 413, "body_too_large"),
    ],
    ids=["header", "address", "nonsense", "length", "body"],
)
@pytest.mark.parametrize("mode", MODES)
def test_what_no_server_takes_is_answered_in_json(
    start,
    mode,
    request_head,
    status,
    code,
):
    with start(mode) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(request_head)
            if status == 413:  # what was announced is read on, and thrown away
                for _ in range(64):
                    connection.sendall(bytes(2**20))
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            body = json.loads(answer.read())
            assert (answer.status, body["code"], body["status"]) == (status, code, "101")
            assert answer.headers["Server"] == "gaugan_doodle"
        assert server.metric("gaugan_requests_in_progress") == 1
