"""What is counted and logged of every request, and ``GET /metrics``, which shows the counts."""

from __future__ import annotations

import logging
import re
import time
import uuid
from urllib.parse import quote

from flask import Flask, Response, g, request

from spade_paddle.serving.prometheus_metrics import CONTENT_TYPE
from spade_paddle.serving.service import PaintService

# Polled every few seconds by the page and by monitoring; logging them would hide other lines.
_POLLS = ("/healthz", "/metrics")

# Others are counted as "other": clients can invent any, and every label value takes memory.
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")

REQUEST_ID = "X-Request-Id"
# Accepted from clients for tracing; the restriction keeps arbitrary text out of our log.
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

access_logger = logging.getLogger("spade_paddle.serving.access")


def observe(app: Flask, *, service: PaintService) -> None:
    """Count and log every request of an app, and add ``/metrics``.

    Each request has an id, the client's or a new one, which its response and log lines carry.

    Call this before registering any other ``before_request`` function: those may send a response
    themselves, and Flask then calls no further ones.
    """

    def begin() -> None:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex[:12]
        g.begun = time.perf_counter()
        service.metrics.in_progress.inc()

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("begun", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "none"
        metrics = service.metrics
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(method, route, response.status_code).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        if "request_id" in g:
            response.headers[REQUEST_ID] = g.request_id
        if "error_code" in g:
            metrics.errors.labels(g.error_code).inc()
        if service.settings.access_log and request.path not in _POLLS:
            access_logger.info(
                "%s %s %s %d ms %s bytes %s %s",
                request.method,
                quote(request.path),  # a path may contain line breaks
                response.status_code,
                round(seconds * 1000),
                response.content_length or response.calculate_content_length() or 0,
                request.remote_addr,
                g.get("request_id", "-"),
            )
        return response

    def end(error: BaseException | None) -> None:
        if "begun" in g:
            service.metrics.in_progress.dec()

    def metrics() -> Response:
        return Response(service.metrics.text(), content_type=CONTENT_TYPE)

    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(end)
    app.add_url_rule("/metrics", "gaugan_metrics", metrics)
