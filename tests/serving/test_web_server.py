"""The web server in this process; in others: test_slow_clients.py and test_stopping.py."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask

from spade_paddle.serving import web_server
from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings
from spade_paddle.serving.web_server import WebServer, serve
from tests.pictures import png64, scene
from tests.serving.conftest import FakePainter, wait_until
from tests.serving.test_slow_clients import BEGINNINGS, HEAD, drip, is_closed


class Running:
    """A server that answers in a thread of this process."""

    def __init__(
        self, painter: FakePainter, settings: ServiceSettings, pool: ThreadPoolExecutor
    ) -> None:
        self.service = PaintService(load_painter=lambda: painter, settings=settings)
        self.service.warm_up()
        app = Flask("test", static_folder=None)
        extend(app, service=self.service)
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.server = WebServer(app, sockets=[listening], service=self.service)
        self.ended: Future[bool] = pool.submit(self.server.run)
        self._painter, self._pool = painter, pool

    def connect(self, beginning: bytes = b"") -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        one.sendall(beginning)
        return one

    def paint(self, *, seed: int = 1) -> Future[int]:
        """Ask for a picture, in a thread; the status of the answer."""
        return self._pool.submit(self._paint, seed)

    def _paint(self, seed: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = json.dumps({"images": [png64(scene())], "seed": seed})
        kind = {"Content-Type": "application/json"}
        connection.request("POST", "/predict/gaugan_doodle", body, kind)
        return connection.getresponse().status

    def hold(self) -> Future[int]:
        """Ask for a picture that the painter begins, and finishes after ``let_go_on``."""
        self._painter.go_on.clear()
        asked = self.paint()
        wait_until(lambda: self._painter.inside)
        return asked

    def let_go_on(self) -> None:
        self._painter.go_on.set()


@pytest.fixture
def run(painter, monkeypatch):
    monkeypatch.setattr(web_server, "THREADS", 8)

    @contextlib.contextmanager
    def running(**settings: object) -> Iterator[Running]:
        with ThreadPoolExecutor(8) as pool:
            one = Running(painter, ServiceSettings.read(settings, environ={}), pool)
            try:
                yield one
            finally:
                painter.go_on.set()
                one.server.stop()
                one.ended.result(60)

    return running


def answer_of(connection: socket.socket) -> tuple[int, dict]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431, "bad_request"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, "bad_request"),
        (HEAD + b"Content-Length: 99999999\r\n\r\n", 413, "body_too_large"),
    ],
    ids=["header", "nonsense", "length", "body"],
)
def test_what_the_parser_refuses_is_answered_in_the_services_own_form(
    run, monkeypatch, head, status, code
):
    monkeypatch.setattr(web_server, "MAX_DRAINED_BYTES", 1000)
    with run() as running, running.connect(head) as connection:
        if status == 413:  # the answer comes once what is drained has come in
            connection.sendall(bytes(600))
            connection.sendall(bytes(400))
        got, body = answer_of(connection)
        assert (got, body["code"], body["status"]) == (status, code, "101")


def test_clients_that_drip_are_cut_off_and_others_are_answered(run):
    stop = threading.Event()
    with run(idle_seconds=1) as running, running.connect(BEGINNINGS["half a body"]) as half:
        dripping = threading.Thread(target=drip, args=([half], stop))
        dripping.start()
        try:
            assert running.paint().result(60) == 200
            wait_until(lambda: is_closed(half))
        finally:
            stop.set()
            dripping.join()


def test_the_longest_silent_connection_makes_room_and_one_that_works_does_not(run, monkeypatch):
    monkeypatch.setattr(web_server, "CONNECTIONS", 3)
    with run() as running:
        held = running.hold()
        with running.connect() as first, running.connect(HEAD) as second:
            # known by the requests that are counted: a connection is taken in the order of coming
            health = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
            health.request("GET", "/healthz")
            assert health.getresponse().status == 200
            wait_until(lambda: is_closed(first))
            assert not is_closed(second)
            health.close()
        running.let_go_on()
        assert held.result(60) == 200


def test_where_all_are_at_work_a_newcomer_is_answered_as_well(run, monkeypatch):
    monkeypatch.setattr(web_server, "CONNECTIONS", 1)
    with run() as running:
        held = running.hold()
        with running.connect(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
            assert answer_of(connection)[0] == 200
        running.let_go_on()
        assert held.result(60) == 200


def test_what_has_begun_is_finished_before_it_ends(run):
    with run() as running:
        held = running.hold()
        running.server.stop()
        with pytest.raises(OSError):
            wait_until(lambda: running.connect().close())  # nobody listens any more
        assert not running.ended.done()
        running.let_go_on()
        assert held.result(60) == 200
        assert running.ended.result(60) is True


def test_what_takes_longer_than_the_limit_is_cut_off(run):
    with run(stop_seconds=0) as running:
        held, waiting = running.hold(), running.paint(seed=2)
        wait_until(lambda: b"\ngaugan_queue_length 1.0" in running.service.metrics.text())
        running.server.stop()
        assert running.ended.result(60) is False
        assert waiting.result(60) == 503
        assert not held.done()


class FakeServer:
    """Ends by a signal, or because its time is over."""

    finished = True

    def __init__(self, app, *, sockets, service) -> None:
        self.sockets = sockets
        self.stopped = 0

    def stop(self) -> None:
        self.stopped += 1

    def run(self) -> bool:
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        signal.raise_signal(signal.SIGTERM)
        assert self.stopped == 1
        # a second signal ends the process as if we were not there
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        self.sockets[0].close()
        return self.finished


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """A test run in the background of a shell script ignores SIGINT."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("finished", [True, False])
def test_a_signal_stops_it_and_the_process_ends_with_0(painter, monkeypatch, finished):
    monkeypatch.setattr(web_server, "WebServer", FakeServer)
    monkeypatch.setattr(FakeServer, "finished", finished)
    monkeypatch.setattr(web_server.logging, "shutdown", lambda: None)
    monkeypatch.setattr(os, "_exit", lambda code: (_ for _ in ()).throw(SystemExit(f"hard {code}")))
    service = PaintService(load_painter=lambda: painter, settings=ServiceSettings())
    with pytest.raises(SystemExit) as ended:
        serve(Flask("test"), port=0, service=service)
    assert ended.value.code == (0 if finished else "hard 0")
    assert painter.painted == 1  # it was warm before the port was open
