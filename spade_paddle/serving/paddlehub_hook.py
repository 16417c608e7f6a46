"""Puts the doodle service into ``hub serving start``, in its plain and its multi-process mode.

PaddleHub offers no extension point; both modes look up ``app_compat.create_app`` when they start,
so that function is wrapped, once per process. Its ``--use_gpu`` mode never loads the module in the
process that speaks HTTP, so there is no page and no CORS there; the README says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask
from paddlehub.serving import app_compat
from paddlehub.serving.http_server import StandaloneApplication
from werkzeug.serving import WSGIRequestHandler, make_server

from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import Settings

# gunicorn kills a worker that is silent for 30 s by default; a large picture may take longer.
WORKER_TIMEOUT_SECONDS = 120
# An idle connection (a browser's preconnect) holds a thread; have more than browsers open.
THREADS_PER_WORKER = 64

logger = logging.getLogger("spade_paddle.serving")


class _CreateApp:
    """Stands in for ``app_compat.create_app``; serves what was installed last."""

    def __init__(self, original: Callable[..., Flask]) -> None:
        self._original = original
        self.service: PaintService | None = None
        self.settings: Settings | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Flask:
        app = self._original(*args, **kwargs)
        assert self.service is not None and self.settings is not None
        extend(app, service=self.service, settings=self.settings)
        _serve_threaded(app, service=self.service, settings=self.settings)
        return app


def install(*, service: PaintService, settings: Settings) -> None:
    """Make the next ``hub serving start`` of this process serve the doodle service."""
    if not isinstance(app_compat.create_app, _CreateApp):
        app_compat.create_app = _CreateApp(app_compat.create_app)
        _configure_gunicorn(app_compat.create_app)
    app_compat.create_app.service = service
    app_compat.create_app.settings = settings


def _serve_threaded(app: Flask, *, service: PaintService, settings: Settings) -> None:
    """Give ``app.run`` a thread per connection: with one thread, one idle browser stops all."""

    class RequestHandler(WSGIRequestHandler):
        timeout = settings.idle_seconds

    def run(host: str | None = None, port: int | None = None, **options: Any) -> None:
        del host, options  # PaddleHub's own: every address, one thread
        service.warm_up()  # before the port opens: nobody meets a cold painter
        server = make_server(
            settings.host, port, app, threaded=True, request_handler=RequestHandler
        )
        logger.info("the doodle page is at http://%s:%s/ (Ctrl-C ends it)", settings.host, port)
        server.serve_forever()  # until Ctrl-C

    app.run = run


def _configure_gunicorn(create_app: _CreateApp) -> None:
    """The same for ``--use_multiprocess``, whose gunicorn reads no configuration of its own."""
    original = StandaloneApplication.load_config

    def load_config(self: StandaloneApplication) -> None:
        original(self)
        assert create_app.settings is not None
        port = self.options["bind"].rpartition(":")[2]
        self.cfg.set("bind", f"{create_app.settings.host}:{port}")
        self.cfg.set("worker_class", "gthread")
        self.cfg.set("threads", THREADS_PER_WORKER)
        self.cfg.set("timeout", WORKER_TIMEOUT_SECONDS)
        self.cfg.set("accesslog", "-")
        # In each worker, after the fork: the parent process never loads a painter.
        self.cfg.set("post_worker_init", lambda worker: create_app.service.warm_up())
        if "control_socket_disable" in self.cfg.settings:  # newer versions leave a file at home
            self.cfg.set("control_socket_disable", True)

    StandaloneApplication.load_config = load_config
