"""A label map sent as a PNG file, answered by the picture's file."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from spade_paddle.serving.app import PICTURE_HEADER, PREDICT_ROUTE
from tests.pictures import file_bytes, open64, png64, scene
from tests.serving.test_app import GOOD, assert_error


def send(client, data=None, query="", content_type="image/png", **options):
    data = file_bytes(scene()) if data is None else data
    address = PREDICT_ROUTE + query
    return client.post(address, data=data, content_type=content_type, **options)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_picture_is_that_of_a_request_in_json_and_so_is_what_is_told(client):
    sent = send(client, query="?seed=3")
    content = {"images": [png64(scene())], "seed": 3}
    answer = client.post(PREDICT_ROUTE, json=content).get_json()["results"][0]
    assert (sent.status_code, sent.mimetype) == (200, "image/png")
    assert np.array_equal(pixels(sent.data), np.asarray(open64(answer.pop("image"))))
    told = json.loads(sent.headers[PICTURE_HEADER])
    assert (told.pop("cached"), answer.pop("cached")) == (False, True)
    assert told == answer and told["seed"] == 3
    assert sent.headers["Cache-Control"] == "no-store"


def test_format_and_style_are_asked_for_in_the_address(client, painter):
    sent = send(client, query="?format=jpeg&style_name=bright")
    assert sent.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(sent.data)).format == "JPEG"
    assert painter.asked_styles[-1] == "bright"


def test_what_had_to_be_done_to_the_map_is_told(client):
    colors = np.zeros((64, 64, 4), np.uint8)  # all transparent
    told = json.loads(send(client, file_bytes(colors)).headers[PICTURE_HEADER])
    assert [note["code"] for note in told["notes"]] == ["transparent_pixels"]
    assert told["notes"][0]["count"] == 64 * 64


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?seeds=3", "unknown_key"),
        ("?images=x", "unknown_key"),
        ("?seed=-1", "bad_value"),
        ("?seed=1.5", "bad_value"),
        ("?seed=", "bad_value"),
        ("?seed=4294967296", "bad_value"),
        (f"?seed={'9' * 5000}", "bad_value"),
        ("?format=gif", "bad_value"),
        ("?style_name=none", "style_unknown"),
    ],
    ids=lambda value: value[:20],
)
def test_a_wrong_address_is_told(client, query, code):
    assert_error(send(client, query=query), status=400, code=code)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_an_image"),
        (b"{}", "not_an_image"),
        (file_bytes(scene())[:60], "not_an_image"),
        (file_bytes(scene(), image_format="JPEG"), "lossy_labels"),
        (file_bytes(scene(8, 8)), "label_map_too_small"),
        (file_bytes(scene(top=77)), "label_unknown"),
    ],
    ids=["empty", "json", "cut", "jpeg", "small", "unknown"],
)
def test_a_body_that_is_no_label_map_is_told(client, data, code):
    assert_error(send(client, data), status=400, code=code)


def test_another_type_is_refused_and_both_that_are_taken_are_named(client):
    body = assert_error(
        send(client, content_type="image/webp"), status=415, code="unsupported_media_type"
    )
    assert "application/json or image/png, got image/webp" in body["msg"]


def test_the_body_limit_and_the_token_hold(make_client):
    small = make_client(max_body_bytes=1024)
    assert_error(send(small, b"x" * 2000), status=413, code="body_too_large")
    guarded = make_client(api_token="a-secret")
    assert_error(send(guarded), status=401, code="unauthorized")
    assert send(guarded, headers={"Authorization": "Bearer a-secret"}).status_code == 200


def test_pages_elsewhere_may_read_what_is_told(make_client):
    client = make_client(cors_origins=[GOOD])
    exposed = send(client, headers={"Origin": GOOD}).headers["Access-Control-Expose-Headers"]
    assert PICTURE_HEADER in exposed
