"""Real processes that are told to stop while somebody waits for a picture."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from gunicorn.config import Config

from spade_paddle.serving import gunicorn_server
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings
from tests.pictures import png64, scene
from tests.serving.conftest import MODES, wait_until
from tests.serving.processes import Pipes, ServerProcess
from tests.serving.stand_in_server import HELD_SEED

HELD = {"images": [png64(scene())], "seed": HELD_SEED}
OTHER = {"images": [png64(scene())], "seed": 1}


@pytest.fixture
def pipes(tmp_path):
    return Pipes(tmp_path)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def has_heard(server: ServerProcess, mode: str) -> bool:
    """Whether the signal has arrived. A worker of gunicorn keeps its port until it ends."""
    return (
        "Handling signal: term" in server.log if mode == "GUNICORN" else not server.is_listening()
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", MODES)
def test_what_has_begun_and_what_waits_is_painted_before_it_stops_and_nothing_is_left(
    start, pipes, pool, mode, number, tmp_path
):
    with start(mode) as server:
        idle = socket.create_connection(("127.0.0.1", server.port))
        begun = pool.submit(server.paint, HELD)
        pipes.wait_until_begun()
        waiting = pool.submit(server.paint, OTHER)
        wait_until(lambda: server.metric("gaugan_queue_length") == 1)
        server.signal(number, group=number == signal.SIGINT)
        wait_until(lambda: has_heard(server, mode))
        pipes.let_go_on()
        assert [begun.result().status_code, waiting.result().status_code] == [200, 200]
        idle.close()
        assert server.process.wait(60) == 0
        wait_until(lambda: not server.group_lives())
    assert "Traceback" not in server.log
    assert {path.name for path in tmp_path.iterdir()} == {"begun", "go_on", "server.log"}


@pytest.mark.parametrize("mode", MODES)
def test_a_picture_that_takes_longer_than_the_limit_does_not_keep_the_service_alive(
    start, pipes, pool, mode
):
    with start(mode, stop_seconds=1) as server:
        begun = pool.submit(server.paint, HELD)
        pipes.wait_until_begun()
        waiting = pool.submit(server.paint, OTHER)
        wait_until(lambda: server.metric("gaugan_queue_length") == 1)
        server.signal(signal.SIGTERM)
        wait_until(lambda: has_heard(server, mode))
        if mode == "THREADED":
            wait_until(lambda: "are aborted" in server.log)
            assert waiting.result().status_code == 503
        assert server.process.wait(60) == 0
        wait_until(lambda: not server.group_lives())
        assert begun.exception()


def test_a_second_signal_ends_it_at_once(start, pipes, pool):
    with start("THREADED") as server:
        begun = pool.submit(server.paint, HELD)
        pipes.wait_until_begun()
        server.signal(signal.SIGTERM)
        wait_until(lambda: not server.is_listening())
        server.signal(signal.SIGTERM)
        assert server.process.wait(60) == -signal.SIGTERM
        assert begun.exception()


@pytest.mark.parametrize("mode", MODES)
def test_a_client_that_hangs_up_while_it_waits_costs_no_picture(start, pipes, pool, mode):
    with start(mode) as server:
        begun = pool.submit(server.paint, HELD)
        pipes.wait_until_begun()
        hurried = http.client.HTTPConnection("127.0.0.1", server.port)
        headers = {"Content-Type": "application/json"}
        hurried.request("POST", "/predict/gaugan_doodle", json.dumps(OTHER), headers)
        wait_until(lambda: server.metric("gaugan_queue_length") == 1)
        hurried.close()
        staying = pool.submit(server.paint, {**OTHER, "seed": 2})
        wait_until(lambda: server.metric("gaugan_queue_length") == 2)
        pipes.let_go_on()
        assert [begun.result().status_code, staying.result().status_code] == [200, 200]
        wait_until(lambda: server.metric("gaugan_queue_length") == 0)
        assert server.metric("gaugan_pictures_total") == 2
        wait_until(lambda: " 499 " in server.log)


def test_all_workers_count_together_and_those_that_died_are_no_longer_at_work(start, pipes, pool):
    with start("GUNICORN", workers=2) as server:
        for seed in (1, 2, 3):
            assert server.paint({**OTHER, "seed": seed}).status_code == 200
        assert server.metric("gaugan_pictures_total") == 3
        begun = pool.submit(server.paint, HELD)
        pipes.wait_until_begun()
        assert server.metric("gaugan_requests_in_progress") == 2  # the held one and this one
        wait_until(lambda: server.log.count("is ready") == 2)  # one may still have been warming up
        for worker in re.findall(r"Booting worker with pid: (\d+)", server.log):
            os.kill(int(worker), signal.SIGKILL)
        assert begun.exception()
        wait_until(lambda: server.log.count("is ready") == 4)
        assert server.metric("gaugan_pictures_total") == 3
        assert server.metric("gaugan_requests_in_progress") == 1


def test_gunicorn_follows_the_settings(monkeypatch, tmp_path):
    monkeypatch.setattr(gunicorn_server, "share_between_processes", lambda: tmp_path)
    cfg, settings = Config(), ServiceSettings(host="0.0.0.0", stop_seconds=7)
    service = PaintService(load_painter=None, settings=settings)
    gunicorn_server.configure(cfg, port=9000, service=service)
    assert cfg.bind == ["0.0.0.0:9000"]
    assert cfg.graceful_timeout == 7 and cfg.accesslog is None
    assert cfg.worker_class.service is service
