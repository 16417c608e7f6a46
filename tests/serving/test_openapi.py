"""/openapi.json is right by its standard, and says of the service what the service does."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from openapi_spec_validator import validate

from spade_paddle.serving import annotating, schema
from spade_paddle.serving.app import ANNOTATE_ROUTE, PICTURE_HEADER, PREDICT_ROUTE
from spade_paddle.serving.error_codes import ERROR_CODES
from tests.pictures import b64, file_bytes, png64, raw_labels, scene
from tests.serving.test_annotating import ask, photo_of
from tests.serving.test_app import paint


@pytest.fixture
def document(client):
    return client.get("/openapi.json").get_json()


@pytest.fixture
def fits(document):
    """Whether a value is as a named schema says; the first thing that is not, or None."""

    def run(name: str, value) -> str | None:
        wanted = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        errors = list(jsonschema.Draft202012Validator(wanted).iter_errors(value))
        return f"{errors[0].json_path}: {errors[0].message}" if errors else None

    return run


def test_it_is_a_valid_openapi_document_with_and_without_a_token(client, make_client):
    validate(client.get("/openapi.json").get_json())
    guarded = make_client(api_token="0123456789abcdef").get("/openapi.json").get_json()
    validate(guarded)
    assert {
        path
        for path, methods in guarded["paths"].items()
        for told in methods.values()
        if told.get("security") == [{"token": []}] and "401" in told["responses"]
    } == {PREDICT_ROUTE, ANNOTATE_ROUTE}


def test_it_has_every_route_of_the_service_with_its_methods_and_no_others(client, document):
    routes = {
        (re.sub("<(?:path:)?(.*?)>", r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert told == routes


def test_every_key_that_a_request_may_have_is_told_and_every_error(make_client):
    document = make_client(api_token="0123456789abcdef").get("/openapi.json").get_json()
    schemas = document["components"]["schemas"]
    assert set(schemas["PaintRequest"]["properties"]) == set(schema.KEYS)
    assert set(schemas["PaintRequest"]["properties"]["labels"]["items"]["required"]) == set(
        schema.LABEL_KEYS
    )
    assert schemas["Photo"]["required"] == list(annotating.KEYS)
    operation = document["paths"][PREDICT_ROUTE]["post"]
    assert [each["name"] for each in operation["parameters"]] == list(schema.QUERY_KEYS)
    everywhere = json.dumps(document["paths"])
    assert [code for code in ERROR_CODES if f"{code}: " not in everywhere] == []


@pytest.mark.parametrize("image_format", ["png", "jpeg"])
def test_pictures_are_answered_as_told(client, painter, fits, image_format):
    painter.style_dim = 2
    painter.chosen_style = lambda label_map, *, seed: [0.25, -1.0]
    answer = paint(client, {"images": [png64(scene(50, 64))], "seed": 3, "format": image_format})
    body = answer.get_json()
    assert fits("Pictures", body) is None
    assert body["results"][0]["notes"] and "style_vector" in body["results"][0]
    file = client.post(
        f"{PREDICT_ROUTE}?format={image_format}",
        data=file_bytes(scene()),
        content_type="image/png",
    )
    assert fits("PictureInfo", json.loads(file.headers[PICTURE_HEADER])) is None


def test_all_else_is_answered_as_told(client, make_client, fits):
    assert fits("Labels", client.get("/labels").get_json()) is None
    assert fits("Health", client.get("/healthz").get_json()) is None
    assert fits("Starting", make_client(warm=False).get("/healthz").get_json()) is None
    assert fits("LabelMaps", ask(client, photo_of(scene())).get_json()) is None
    assert fits("Error", client.get("/nope").get_json()) is None
    assert fits("Error", paint(client, {}).get_json()) is None


REQUESTS = {
    "a PNG": {"images": [png64(scene())]},
    "raw ids": {"labels": [raw_labels(scene())]},
    "nulls": {"images": [png64(scene())], "labels": None, "seed": None, "style": None},
    "a look": {"images": [png64(scene())], "seed": 2**32 - 1, "format": "jpeg"},
    "natural edges": {"images": [png64(scene())], "edges": "natural"},
    "nothing": {},
    "both": {"images": [png64(scene())], "labels": [raw_labels(scene())]},
    "an empty list": {"images": []},
    "too many": {"images": [png64(scene(32, 32))] * 9},
    "a text": {"images": png64(scene())},
    "no height": {"labels": [{"width": 64, "data": b64(bytes(64 * 64))}]},
    "a misspelled key": {"images": [png64(scene())], "sede": 1},
    "a large seed": {"images": [png64(scene())], "seed": 2**32},
    "a broken seed": {"images": [png64(scene())], "seed": 0.5},
    "other edges": {"images": [png64(scene())], "edges": "round"},
    "another format": {"images": [png64(scene())], "format": "gif"},
    "a name that is a number": {"images": [png64(scene())], "style_name": 1},
    "large numbers": {"images": [png64(scene())], "style_vector": [1e9]},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_right_for_the_document_when_they_are_for_the_service(client, fits, name):
    is_taken = paint(client, REQUESTS[name]).status_code == 200
    assert (fits("PaintRequest", REQUESTS[name]) is None) == is_taken


def test_the_limits_are_those_of_the_settings(make_client):
    document = make_client(max_images=3).get("/openapi.json").get_json()
    properties = document["components"]["schemas"]["PaintRequest"]["properties"]
    assert properties["images"]["maxItems"] == 3
