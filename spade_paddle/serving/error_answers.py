"""Error handlers: every error becomes a JSON response with a code of error_codes.py."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from spade_paddle.errors import LabelMapError, ModelError, RequestError, UserError
from spade_paddle.serving.error_codes import ERROR_CODES
from spade_paddle.serving.work_queue import ClientGone

# Default; the queue gives a better estimate when it is full.
RETRY_AFTER_SECONDS = 2
# The body of a rejected request is read and discarded up to this size: a browser that cannot finish
# sending shows "network error" instead of the response.
MAX_DRAINED_BYTES = 64 * 1024 * 1024

logger = logging.getLogger("spade_paddle.serving")


def add_error_handlers(app: Flask, *, addresses: str) -> None:
    """Make an app send every error as JSON; a 404 lists the valid ``addresses``."""

    @app.errorhandler(RequestError)
    @app.errorhandler(LabelMapError)
    def client_error(error: UserError) -> Response:
        status = ERROR_CODES[error.code].status if error.code in ERROR_CODES else 400
        response = _error_response(status, error.code, str(error), error.details)
        if status == 503:
            seconds = error.details.get("retry_after_seconds", RETRY_AFTER_SECONDS)
            response.headers["Retry-After"] = str(seconds)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
            _drain_body()
        return response

    @app.errorhandler(ClientGone)
    def client_gone(error: ClientGone) -> Response:
        return Response(status=499)  # as in nginx; the client has disconnected

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> BaseResponse:
        """Convert the errors of Flask itself (404, 405, 413, 415)."""
        original = error.get_response()
        if original.status_code < 400:  # redirects are HTTPExceptions, too
            return original
        if error.code == 413:
            _drain_body()
        response = _error_response(
            original.status_code, *_describe(error, app=app, addresses=addresses)
        )
        if "Allow" in original.headers:
            response.headers["Allow"] = original.headers["Allow"]
        return response

    @app.errorhandler(Exception)
    def server_error(error: Exception) -> Response:
        """Log the exception; the response only has a reference to it."""
        reference = g.request_id
        logger.error("fault %s in %s %s", reference, request.method, request.path, exc_info=error)
        message = (
            f"the service failed (reference {reference}); try again, and if the error persists, "
            "look for the reference in the service's log"
        )
        code = "internal"
        if isinstance(error, ModelError):
            code = "model_missing"
        # Paddle reports it only in the message, on CPU and GPU
        elif isinstance(error, MemoryError) or "ResourceExhausted" in str(error):
            code = "out_of_memory"
        return _error_response(500, code, message, {"reference": reference})


def _error_response(status: int, code: str, message: str, details: dict[str, Any]) -> Response:
    g.error_code = code
    # status, msg and results are PaddleHub's format
    response = jsonify(status="101", msg=message, results="", code=code, details=details)
    response.status_code = status
    return response


def _describe(
    error: HTTPException, *, app: Flask, addresses: str
) -> tuple[str, str, dict[str, Any]]:
    """Code, message and details of an error that Flask raised."""
    path = {"path": request.path}
    if error.code == 404:
        message = f"{request.path} does not exist; available are {addresses}"
        return "not_found", message, path
    if error.code == 405:
        message = f"{request.path} does not accept the method {request.method}"
        return "method_not_allowed", message, path
    if error.code == 413:
        most = app.config["MAX_CONTENT_LENGTH"]
        message = (
            f"body: at most {most} bytes are allowed, got {request.content_length or 'more'}; "
            "send fewer or smaller label maps"
        )
        return "body_too_large", message, {"max_body_bytes": most}
    if error.code == 415:
        came = request.mimetype or "none"
        message = (
            f"Content-Type: expected {error.description}, got {came}; send the header "
            "'Content-Type: application/json'"
        )
        return "unsupported_media_type", message, {"came": came}
    code = "bad_request" if (error.code or 500) < 500 else "internal"
    return code, error.description or error.name, {}


def _drain_body() -> None:
    stream, left = request.environ["wsgi.input"], request.content_length or 0
    left = min(left, MAX_DRAINED_BYTES)
    while left > 0:
        try:
            read = len(stream.read(min(left, 64 * 1024)))
        except OSError:  # the client disconnected or stopped sending
            return
        if not read:
            return
        left -= read
