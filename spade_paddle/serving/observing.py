"""What is counted and logged of every request, and ``GET /metrics``, which shows the counts."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

from flask import Flask, Response, g, request

from spade_paddle.serving.metrics import CONTENT_TYPE
from spade_paddle.serving.service import PaintService

# Asked for every few seconds by the page and by machines; they would bury everything else.
_POLLS = ("/healthz", "/metrics")

# Clients can invent others, and every label of a count costs memory.
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")

access_logger = logging.getLogger("spade_paddle.serving.access")


def observe(app: Flask, *, service: PaintService) -> None:
    """Count every request of an app, log it when the settings say so, and add ``/metrics``.

    To be called before anything else that may answer a request before its route does.
    """

    def begin() -> None:
        g.begun = time.perf_counter()
        service.metrics.in_progress.inc()

    def answered(response: Response) -> Response:
        """Count and log a request when its answer is known."""
        seconds = time.perf_counter() - g.get("begun", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "none"
        metrics = service.metrics
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(method, route, response.status_code).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        if "error_code" in g:
            metrics.errors.labels(g.error_code).inc()
        if service.settings.access_log and request.path not in _POLLS:
            access_logger.info(
                "%s %s %s %d ms %s bytes %s",
                request.method,
                quote(request.path),  # a path may hold line breaks
                response.status_code,
                round(seconds * 1000),
                response.content_length or response.calculate_content_length() or 0,
                request.remote_addr,
            )
        return response

    def end(error: BaseException | None) -> None:
        if "begun" in g:
            service.metrics.in_progress.dec()

    def metrics() -> Response:
        return Response(service.metrics.text(), content_type=CONTENT_TYPE)

    app.before_request(begin)
    app.after_request(answered)
    app.teardown_request(end)
    app.add_url_rule("/metrics", "gaugan_metrics", metrics)
