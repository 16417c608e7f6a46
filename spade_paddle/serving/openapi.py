"""``GET /openapi.json``: the API in OpenAPI 3.1.

Keys, limits and error codes come from the code; a test compares the rest with the service.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

import spade_paddle
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.inference.natural_edges import EDGES
from spade_paddle.serving import annotating, schema
from spade_paddle.serving.error_codes import ERROR_CODES
from spade_paddle.serving.settings import ServiceSettings

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer", "minimum": 0}
_SIDE = {"type": "integer", "minimum": 1}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_ID = {"type": "integer", "minimum": 0, "maximum": DONT_CARE - 1}
_SEED = {"type": ["integer", "null"], "minimum": 0, "maximum": schema.MAX_SEED}
_VECTOR = {
    "type": "array",
    "items": {
        "type": "number",
        "minimum": -schema.MAX_STYLE_VALUE,
        "maximum": schema.MAX_STYLE_VALUE,
    },
}
# Statuses of errors that any endpoint can return.
_COMMON_ERRORS = (405, 421, 500)


def describe_api(
    settings: ServiceSettings, *, predict: str, annotate: str, metadata_header: str
) -> dict[str, Any]:
    """Build the OpenAPI document.

    Args:
        settings: have the limits, and whether a token is required.
        predict: the route that paints.
        annotate: the route that annotates photos.
        metadata_header: the header with the metadata of a picture that is sent as a file.
    """
    needs_token = settings.api_token is not None
    token: dict[str, Any] = {"security": [{"token": []}]} if needs_token else {}
    posted = (400, *([401] if needs_token else []), 413, 415, 503)
    paths = {
        "/": {"get": _operation("The doodle page", {"text/html": _TEXT})},
        "/ui/{path}": {
            "get": {
                **_operation("A file of the page", {"*/*": {}}, errors=(404,)),
                "parameters": [{"name": "path", "in": "path", "required": True, "schema": _TEXT}],
            }
        },
        "/healthz": {
            "get": _operation(
                "Whether the service is ready", _json("Health"), starting=_json("Starting")
            )
        },
        "/labels": {"get": _operation("The labels, the model and the limits", _json("Labels"))},
        "/metrics": {"get": _operation("Metrics for Prometheus", {"text/plain": _TEXT})},
        "/openapi.json": {
            "get": _operation("This document", {"application/json": {"type": "object"}})
        },
        predict: {"post": {**_paint(metadata_header, errors=posted), **token}},
        annotate: {
            "post": {
                **_operation("Annotate a photo", _json("LabelMaps"), errors=(*posted, 501)),
                "requestBody": {"required": True, "content": _content(_json("Photo"))},
                **token,
            }
        },
    }
    security = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "gaugan_doodle", "version": spade_paddle.__version__},
        "paths": paths,
        "components": {"schemas": _schemas(settings), **(security if needs_token else {})},
    }


def _paint(metadata_header: str, *, errors: tuple[int, ...]) -> dict[str, Any]:
    formats: dict[str, Any] = {f"image/{name}": {} for name in schema.FORMATS}
    operation = _operation("Paint label maps", {**_json("Pictures"), **formats}, errors=errors)
    operation["responses"]["200"]["headers"] = {
        metadata_header: {
            "description": "Metadata of a picture that is sent as a file.",
            "content": _content(_json("PictureInfo")),
        }
    }
    look = _look()
    return {
        **operation,
        "parameters": [
            {
                "name": key,
                "in": "query",
                "description": "Only for a body that is a PNG file; JSON has a key of this name.",
                "schema": look[key],
            }
            for key in schema.QUERY_KEYS
        ],
        "requestBody": {
            "required": True,
            "content": _content({**_json("PaintRequest"), "image/png": {}}),
        },
    }


def _operation(
    summary: str,
    contents: dict[str, Any],
    *,
    errors: tuple[int, ...] = (),
    starting: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An operation. ``contents`` and, for status 503, ``starting`` map content types to schemas."""
    responses = {"200": {"description": summary, "content": _content(contents)}}
    by_status = sorted(ERROR_CODES.values(), key=lambda row: row.status)
    for status, rows in groupby(by_status, key=lambda row: row.status):
        if status in errors or status in _COMMON_ERRORS:
            causes = " ".join(f"{row.code}: {row.when}" for row in rows)
            responses[str(status)] = {"description": causes, "content": _content(_json("Error"))}
    if starting:
        described = {"description": "The model is being loaded", "content": _content(starting)}
        responses["503"] = described
    return {"summary": summary, "responses": responses}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"$ref": f"#/components/schemas/{name}"}}


def _content(schemas: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"schema": schema} for kind, schema in schemas.items()}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The schema of an object with exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


def _results(result: dict[str, Any]) -> dict[str, Any]:
    """The schema of a response in PaddleHub's format."""
    results = {"type": "array", "items": result}
    return _object({"status": {"const": "000"}, "msg": {"const": ""}, "results": results})


def _look() -> dict[str, Any]:
    """The schemas of seed, style, format and edges."""
    return {
        "seed": {**_SEED, "description": "Another seed gives a different picture."},
        "style": {**_or_null(_BASE64), "description": "A photo whose style the picture takes."},
        "style_name": {**_or_null(_TEXT), "description": "One of model.styles of /labels."},
        "style_vector": {
            **_or_null(_VECTOR),
            "description": "The style_vector of an earlier response.",
        },
        "format": {"enum": [*schema.FORMATS, None], "default": schema.FORMATS[0]},
        "edges": {
            **{"enum": [*EDGES, None], "default": EDGES[0]},
            "description": "natural: as irregular as in photos, where model.natural_edges is true.",
        },
    }


def _or_null(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "type": [one["type"], "null"]}


def _schemas(settings: ServiceSettings) -> dict[str, Any]:
    raw = _object({"width": _SIDE, "height": _SIDE, "data": _BASE64})
    doodles = {"type": "array", "minItems": 1, "maxItems": settings.max_images}
    images = {**doodles, "items": {**_BASE64, "description": "PNG files of label ids."}}
    both = {
        "images": _or_null(images),
        "labels": {**_or_null({**doodles, "items": raw}), "description": "One byte per pixel."},
    }
    one_of = [{"required": [key], "properties": {key: {"type": "array"}}} for key in both]
    metadata = {
        "format": {"enum": list(schema.FORMATS)},
        "width": _SIDE,
        "height": _SIDE,
        "seed": _SEED,
        "milliseconds": _WHOLE,
        "cached": {"type": "boolean"},
        "notes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": _TEXT, "message": _TEXT},
            },
        },
        "style_vector": _VECTOR,
    }
    ids = {"width": _SIDE, "height": _SIDE, "data": _BASE64, "milliseconds": _WHOLE}
    photo = {"photo": _BASE64, "width": _SIDE, "height": _SIDE}
    details = {"type": "object"}
    return {
        "PaintRequest": {
            **_object({**both, **_look()}, optional=schema.KEYS),
            "oneOf": one_of,
            "example": json.loads(schema.EXAMPLE),
        },
        "Pictures": _results(_object({"image": _BASE64, **metadata}, optional=("style_vector",))),
        "PictureInfo": _object(metadata, optional=("style_vector",)),
        "Photo": _object({key: photo[key] for key in annotating.KEYS}),
        "LabelMaps": _results(_object(ids)),
        "Labels": _labels(),
        "Health": _object({"status": {"const": "ok"}, "model": _TEXT, "version": _TEXT}),
        "Starting": _object({"status": {"const": "starting"}}),
        "Error": _object(
            {
                "status": {"const": "101"},
                "msg": {**_TEXT, "description": "What was expected, what was found, what to do."},
                "results": {"const": ""},
                "code": {"enum": list(ERROR_CODES)},
                "details": details,
            }
        ),
    }


def _labels() -> dict[str, Any]:
    color = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
    label = {"id": _ID, "name_en": _TEXT, "name_zh": _TEXT, "color": color, "group": _TEXT}
    yes_or_no = {"type": "boolean"}
    model = {
        **{"name": _TEXT, "version": _TEXT, "height": _SIDE, "width": _SIDE, "multiple": _SIDE},
        **{"seed": yes_or_no, "style_photo": yes_or_no, "natural_edges": yes_or_no},
        "styles": {"type": "array", "items": _TEXT},
        "large": {
            "anyOf": [
                _object({"version": _TEXT, "height": _SIDE, "width": _SIDE}),
                {"type": "null"},
            ],
            "description": "The model for large label maps, if there is one.",
        },
    }
    limits = ("min_side", "max_pixels", "max_images", "max_body_bytes")
    return _object(
        {
            "name": _TEXT,
            "labels": {"type": "array", "items": _object(label, optional=("group",))},
            "dont_care": {"const": DONT_CARE},
            "model": _object(model),
            "token": yes_or_no,
            "limits": _object({key: _WHOLE for key in limits}),
            "annotate": yes_or_no,
        }
    )
