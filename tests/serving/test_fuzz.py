"""Thousands of odd requests: every answer is a picture or a clear error, and no file is written.

Few cases are tried by default, the same every time. ``FUZZ_CASES=2000`` tries so many, other ones
each time:

    FUZZ_CASES=2000 .venv/bin/python -m pytest tests/serving/test_fuzz.py
"""

from __future__ import annotations

import os
import sys
import threading

import numpy as np
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spade_paddle.serving.annotating import AnnotatingService
from spade_paddle.serving.app import PREDICT_ROUTE, extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings
from tests.serving.conftest import FakeAnnotator, FakePainter
from tests.serving.odd_requests import (
    FAKE_STYLE_DIM,
    annotate_bodies,
    check_answer,
    paint_bodies,
)

CASES = int(os.environ.get("FUZZ_CASES", "150"))
FUZZ = settings(
    max_examples=CASES,
    derandomize="FUZZ_CASES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
written: list[str] = []
watched = threading.local()


def _note_writing(event: str, arguments: tuple) -> None:
    """Python tells of every file that is opened, whoever opens it."""
    if not getattr(watched, "on", False):
        return
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    if event == "open" and (arguments[2] or 0) & writing:
        written.append(str(arguments[0]))
    elif event in ("os.mkdir", "os.rename", "os.remove", "subprocess.Popen", "os.system"):
        written.append(f"{event} {arguments}")


sys.addaudithook(_note_writing)


@pytest.fixture(scope="module")
def client(label_set):
    painter, annotator = FakePainter(label_set), FakeAnnotator(label_set)
    painter.has_styles = True
    painter.style_dim = FAKE_STYLE_DIM
    painter.chosen_style = lambda label_map, seed: np.zeros(FAKE_STYLE_DIM, np.float32)
    painter.styles = {"bright": None, "sunset": None}
    given_settings = ServiceSettings.read({"max_body_bytes": 2_000_000}, environ={})
    service = PaintService(load_painter=lambda: painter, settings=given_settings)
    annotating = AnnotatingService(service, load_annotator=lambda: annotator)
    app = Flask("fuzz")
    extend(app, service=service, annotating=annotating)
    return app.test_client()


def send(client, path: str, body: bytes, *, mimetype: str = "application/json") -> None:
    written.clear()
    watched.on = True
    try:
        answer = client.post(path, data=body, content_type=mimetype)
    finally:
        watched.on = False
    check_answer(answer.status_code, answer.data)
    assert written == []


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what it says of broken files


@FUZZ
@given(body=paint_bodies())
def test_odd_requests_to_paint_get_a_picture_or_a_clear_error_and_write_nothing(client, body):
    send(client, PREDICT_ROUTE, body)


@FUZZ
@given(body=annotate_bodies())
def test_odd_photos_get_a_label_map_or_a_clear_error_and_write_nothing(client, body):
    send(client, "/annotate", body)


@FUZZ
@given(
    path=st.sampled_from([PREDICT_ROUTE, "/annotate"]),
    body=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8")),
    mimetype=st.sampled_from(["application/json", "application/json; charset=utf-16", "x/y", ""]),
)
def test_bodies_that_are_no_json_get_a_clear_error(client, path, body, mimetype):
    send(client, path, body, mimetype=mimetype)


def test_the_watch_on_files_sees_what_is_written(tmp_path):
    written.clear()
    watched.on = True
    try:
        (tmp_path / "x").write_text("x", encoding="utf-8")
    finally:
        watched.on = False
    assert written == [str(tmp_path / "x")]
