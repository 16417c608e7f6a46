"""What the doodle service adds to a Flask app: the page, the routes, CORS, and JSON errors.

``extend`` works on PaddleHub's app and on a bare ``Flask(__name__)`` alike. On PaddleHub's app our
route for this module stands before its general ``/predict/<module_name>``, which would answer
every error with HTTP 200.
"""

from __future__ import annotations

import logging
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request, send_from_directory
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from spade_paddle.errors import UserError
from spade_paddle.serving.annotating import EXAMPLE as ANNOTATE_EXAMPLE
from spade_paddle.serving.annotating import AnnotatingService
from spade_paddle.serving.authorization import require_token
from spade_paddle.serving.clients import is_there
from spade_paddle.serving.error_codes import (
    RETRY_AFTER_SECONDS,
    code_of_fault,
    code_of_status,
    error_body,
    is_callers_fault,
    status_of,
)
from spade_paddle.serving.json_values import parse_json
from spade_paddle.serving.observing import observe
from spade_paddle.serving.painting_queue import ClientGone
from spade_paddle.serving.schema import EXAMPLE as PAINT_EXAMPLE
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import Settings

ANNOTATE_ROUTE = "/annotate"
PREDICT_ROUTE = "/predict/gaugan_doodle"
STATIC_FOLDER = Path(__file__).parent / "static"
# Given explicitly: the table of types of some systems calls JavaScript "text/plain".
_MIME_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# A refused body is read and thrown away up to here: a browser that cannot finish sending shows
# "network error" instead of our answer.
_MAX_DRAINED_BYTES = 64 * 1024 * 1024

logger = logging.getLogger("spade_paddle.serving")


def extend(
    app: Flask,
    *,
    service: PaintService,
    settings: Settings,
    annotating: AnnotatingService | None = None,
    static_folder: Path = STATIC_FOLDER,
) -> None:
    """Add the doodle service to a Flask app that has not served a request yet.

    Args:
        app: PaddleHub's app, or an empty one.
        service: paints; asked for its label set and limits.
        settings: origins, body limit, token, access log.
        annotating: makes label maps of photos; None: by PaddleSeg, where it is installed.
        static_folder: holds the page's ``index.html`` and the folder ``ui``.
    """
    _use_standard_logger(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.ensure_ascii = False
    app.json.sort_keys = False
    observe(app, service=service, settings=settings)
    if settings.api_token is not None:
        require_token(app, token=settings.api_token)
    _add_page(app, static_folder=static_folder)
    if annotating is None:
        annotating = AnnotatingService(rules=lambda: service.rules, settings=settings)
    _add_information(app, service=service, annotating=annotating)
    _add_predict(app, service=service)
    _add_annotate(app, annotating=annotating)
    _add_error_answers(app, settings=settings)
    _add_headers(app, settings=settings)


def _use_standard_logger(app: Flask) -> None:
    """Flask logs with ``exc_info``, which PaddleHub's own logger class does not take."""
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    app.logger = logger


def _add_page(app: Flask, *, static_folder: Path) -> None:
    def index() -> Response:
        if request.method == "POST":  # PaddleHub's rule for "/" allows it
            abort(405, valid_methods=["GET"])
        return _send_static(static_folder, "index.html")

    def ui(path: str) -> Response:
        return _send_static(static_folder / "ui", path)

    if "index" in app.view_functions:
        app.view_functions["index"] = index
    else:
        app.add_url_rule("/", "index", index)
    app.add_url_rule("/ui/<path:path>", "gaugan_ui", ui)


def _send_static(folder: Path, path: str) -> Response:
    return send_from_directory(folder, path, mimetype=_MIME_TYPES.get(Path(path).suffix))


def _add_information(app: Flask, *, service: PaintService, annotating: AnnotatingService) -> None:
    def healthz() -> tuple[Response, int]:
        if not service.is_ready:
            return jsonify({"status": "starting"}), 503
        model = {"model": service.painter.name, "version": service.painter.version}
        return jsonify({"status": "ok", **model}), 200

    def labels() -> Response:
        return jsonify({**service.describe(), "annotate": annotating.is_available})

    app.add_url_rule("/healthz", "gaugan_healthz", healthz)
    app.add_url_rule("/labels", "gaugan_labels", labels)


def _add_predict(app: Flask, *, service: PaintService) -> None:
    def predict() -> Response:
        content = _sent_json(example=PAINT_EXAMPLE)
        return _results(service.paint_json(content, is_there=partial(is_there, request.environ)))

    app.add_url_rule(PREDICT_ROUTE, "gaugan_predict", predict, methods=["POST"])


def _add_annotate(app: Flask, *, annotating: AnnotatingService) -> None:
    def annotate() -> Response:
        return _results(annotating.annotate_json(_sent_json(example=ANNOTATE_EXAMPLE)))

    app.add_url_rule(ANNOTATE_ROUTE, "gaugan_annotate", annotate, methods=["POST"])


def _sent_json(*, example: str) -> dict[str, Any]:
    if not request.is_json:
        abort(415)
    return parse_json(request.get_data(cache=False), example=example)


def _results(results: list[dict[str, Any]]) -> Response:
    return jsonify({"status": "000", "msg": "", "results": results})


def _add_error_answers(app: Flask, *, settings: Settings) -> None:
    def user_error(error: UserError) -> Response:
        """What the person who asked can put right, in the error's own words."""
        if not is_callers_fault(error):
            return unexpected(error)
        status = status_of(error)
        body = error_body(str(error), code=error.code, details=error.details)
        response = _answer(body, status)
        if status == 503:
            seconds = error.details.get("retry_after_seconds", RETRY_AFTER_SECONDS)
            response.headers["Retry-After"] = str(seconds)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
            _drain_body()
        return response

    def client_gone(error: ClientGone) -> Response:
        return Response(status=499)  # as nginx logs it; nobody reads it

    def http_error(error: HTTPException) -> Response:
        """What Flask refuses by itself (404, 405, 413, 415), in our form."""
        if error.code is None or error.code < 400:  # a redirect is an exception, too
            return error.get_response()
        if error.code == 413:
            _drain_body()
        message, details = _sentence(error, settings=settings)
        response = _answer(
            error_body(message, code=code_of_status(error.code), details=details), error.code
        )
        if "Allow" in error.get_response().headers:
            response.headers["Allow"] = error.get_response().headers["Allow"]
        return response

    def unexpected(error: Exception) -> Response:
        """A fault of the service: the log has it, the answer its reference."""
        reference = uuid.uuid4().hex[:8]
        logger.error("fault %s in %s %s", reference, request.method, request.path, exc_info=error)
        message = (
            f"the service failed (reference {reference}); try again, and if it stays, look for "
            "the reference in the service's log"
        )
        code = code_of_fault(error)
        return _answer(error_body(message, code=code, details={"reference": reference}), 500)

    app.register_error_handler(UserError, user_error)
    app.register_error_handler(ClientGone, client_gone)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)


def _sentence(error: HTTPException, *, settings: Settings) -> tuple[str, dict[str, Any]]:
    """What to tell about an error that the web framework raised."""
    if error.code == 404:
        message = (
            f"there is nothing at {request.path}; there are /, /healthz, /labels, /metrics, "
            f"POST {PREDICT_ROUTE} and POST {ANNOTATE_ROUTE}"
        )
        return message, {"path": request.path}
    if error.code == 405:
        return f"{request.method} is not possible at {request.path}", {"path": request.path}
    if error.code == 413:
        message = (
            f"body: at most {settings.max_body_bytes} bytes are allowed, got "
            f"{request.content_length or 'more'}; send fewer or smaller label maps"
        )
        return message, {"max_body_bytes": settings.max_body_bytes}
    if error.code == 415:
        came = request.mimetype or "none"
        message = (
            f"Content-Type: expected application/json, got {came}; send the header "
            "'Content-Type: application/json'"
        )
        return message, {"came": came}
    return error.description or error.name, {}


def _drain_body() -> None:
    stream, left = request.environ["wsgi.input"], request.content_length or 0
    left = min(left, _MAX_DRAINED_BYTES)
    while left > 0:
        try:
            read = len(stream.read(min(left, 64 * 1024)))
        except OSError:  # the client went away or fell silent
            return
        if not read:
            return
        left -= read


def _answer(body: dict[str, Any], status: int) -> Response:
    g.error_code = body["code"]
    response = jsonify(body)
    response.status_code = status
    return response


def _add_headers(app: Flask, *, settings: Settings) -> None:
    def headers(response: Response) -> Response:
        """What every answer carries, whoever made it."""
        response.headers["X-Content-Type-Options"] = "nosniff"
        if response.mimetype == "application/json" and not request.path.startswith("/ui/"):
            response.headers["Cache-Control"] = "no-store"
        if settings.cors_origins:
            response.headers.add("Vary", "Origin")
        return response

    app.after_request(headers)
    if settings.cors_origins:
        CORS(
            app,
            origins=list(settings.cors_origins),
            always_send=False,
            vary_header=False,
            methods=["GET", "POST"],
            allow_headers=["Content-Type", "Authorization"],
            expose_headers=["Retry-After"],
            max_age=600,
        )
