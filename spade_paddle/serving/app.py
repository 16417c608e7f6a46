"""Adds the doodle service to a Flask app: the page, the routes, CORS, and JSON errors.

``extend`` works on PaddleHub's app and on an empty ``Flask(__name__)``. On PaddleHub's app, our
route takes precedence over its general ``/predict/<module_name>``, which sends every error with
HTTP 200.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from spade_paddle.assets import PAGE
from spade_paddle.serving.annotating import EXAMPLE as ANNOTATE_EXAMPLE
from spade_paddle.serving.annotating import AnnotatingService
from spade_paddle.serving.authorization import require_host, require_token
from spade_paddle.serving.error_answers import add_error_handlers
from spade_paddle.serving.json_values import parse_json
from spade_paddle.serving.observing import REQUEST_ID, observe
from spade_paddle.serving.openapi import describe_api
from spade_paddle.serving.page_files import add_page
from spade_paddle.serving.schema import EXAMPLE as PAINT_EXAMPLE
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.web_server import ERROR
from spade_paddle.serving.work_queue import Client

ANNOTATE_ROUTE = "/annotate"
PREDICT_ROUTE = "/predict/gaugan_doodle"
ADDRESSES = (
    f"/, /healthz, /labels, /metrics, /openapi.json, POST {PREDICT_ROUTE} and POST {ANNOTATE_ROUTE}"
)
PICTURE_HEADER = "X-Gaugan-Picture"  # JSON metadata of a picture that is sent as a file

logger = logging.getLogger("spade_paddle.serving")


def extend(
    app: Flask,
    *,
    service: PaintService,
    annotating: AnnotatingService | None = None,
    page: Path = PAGE,
) -> None:
    """Add the doodle service to a Flask app that has not served a request yet.

    Args:
        app: PaddleHub's app, or an empty one.
        service: paints; its settings have the allowed origins, the body limit, the token and so on.
        annotating: annotates photos; None uses PaddleSeg if it is installed.
        page: the folder with ``index.html`` and ``ui``.
    """
    settings = service.settings
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's docs do it
            app.wsgi_app, x_for=count, x_proto=count
        )
    _use_standard_logger(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    json: Any = app.json  # Flask's default provider, which has these attributes
    json.ensure_ascii = json.sort_keys = False
    app.url_map.merge_slashes = False  # it would redirect to the client-supplied "Host"
    observe(app, service=service)
    app.before_request(_abort_rejected)
    if settings.hosts:
        require_host(app, hosts=settings.hosts)
    if settings.api_token is not None:
        require_token(app, token=settings.api_token)
    add_page(app, page=page, cors_origins=settings.cors_origins)
    _add_service(app, service=service, annotating=annotating or AnnotatingService(service))
    add_error_handlers(app, addresses=ADDRESSES)
    _add_headers(app, cors_origins=settings.cors_origins)


def _use_standard_logger(app: Flask) -> None:
    """Flask logs with ``exc_info``, which PaddleHub's logger class does not accept."""
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    app.logger = logger


def _add_service(app: Flask, *, service: PaintService, annotating: AnnotatingService) -> None:
    def healthz() -> tuple[dict[str, str], int]:
        if not service.is_ready:
            return {"status": "starting"}, 503
        painter = service.painter
        return {"status": "ok", "model": painter.name, "version": painter.version}, 200

    def labels() -> dict[str, Any]:
        return {**service.describe(), "annotate": annotating.is_available}

    def predict() -> dict[str, Any] | Response:
        client = _client()
        if request.mimetype == "image/png":
            body, query = _sent_body(), request.args.to_dict()
            return _file_response(*service.paint_file(body, query, client=client))
        content = _sent_json(example=PAINT_EXAMPLE, alternative=" or image/png")
        return _results(service.paint_json(content, client=client))

    def annotate() -> dict[str, Any]:
        content = _sent_json(example=ANNOTATE_EXAMPLE)
        return _results(annotating.annotate_json(content, client=_client()))

    def openapi() -> dict[str, Any]:
        return describe_api(
            service.settings,
            predict=PREDICT_ROUTE,
            annotate=ANNOTATE_ROUTE,
            metadata_header=PICTURE_HEADER,
        )

    app.add_url_rule("/openapi.json", "gaugan_openapi", openapi)
    app.add_url_rule("/healthz", "gaugan_healthz", healthz)
    app.add_url_rule("/labels", "gaugan_labels", labels)
    app.add_url_rule(PREDICT_ROUTE, "gaugan_predict", predict, methods=["POST"])
    app.add_url_rule(ANNOTATE_ROUTE, "gaugan_annotate", annotate, methods=["POST"])


def _client() -> Client:
    # looked up now, because the painting thread has no request context
    disconnected = request.environ.get("waitress.client_disconnected", lambda: False)
    return Client(lambda: not disconnected(), address=request.remote_addr)


def _sent_json(*, example: str, alternative: str = "") -> dict[str, Any]:
    if not request.is_json:
        abort(415, f"application/json{alternative}")  # the expected types
    return parse_json(_sent_body(), example=example)


def _sent_body() -> bytes:
    """Read the whole body; werkzeug silently truncates one without Content-Length at the limit."""
    body = request.get_data(cache=False)
    most = request.max_content_length
    if request.content_length is None and most is not None and len(body) >= most:
        abort(413)
    return body


def _results(results: list[dict[str, Any]]) -> dict[str, Any]:
    """A response in PaddleHub's format."""
    return {"status": "000", "msg": "", "results": results}


def _file_response(file: bytes, metadata: dict[str, Any]) -> Response:
    response = Response(file, mimetype=f"image/{metadata['format']}")
    response.headers[PICTURE_HEADER] = json.dumps(metadata)
    response.headers["Cache-Control"] = "no-store"
    return response


def _abort_rejected() -> None:
    """Send the error of a request that the web server has rejected."""
    if ERROR in request.environ:
        abort(request.environ[ERROR])


def _add_headers(app: Flask, *, cors_origins: tuple[str, ...]) -> None:
    def headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if response.mimetype == "application/json" and not request.path.startswith("/ui/"):
            response.headers["Cache-Control"] = "no-store"
        if cors_origins:
            response.headers.add("Vary", "Origin")
        return response

    app.after_request(headers)
    if cors_origins:
        CORS(
            app,
            origins=list(cors_origins),
            always_send=False,
            vary_header=False,
            methods=["GET", "POST"],
            allow_headers=["Content-Type", "Authorization", REQUEST_ID],
            expose_headers=["Retry-After", PICTURE_HEADER, REQUEST_ID],
            max_age=600,
        )
