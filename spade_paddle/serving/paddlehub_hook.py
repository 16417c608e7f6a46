"""Puts the doodle service into ``hub serving start``, in its plain and its multi-process mode.

PaddleHub offers no extension point; both modes look up ``app_compat.create_app`` when they start,
so that function is replaced. Its ``--use_gpu`` mode never loads the module in the process that
speaks HTTP; ``paddlehub_gpu.py`` refuses it.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from paddlehub.serving import app_compat
from paddlehub.serving.http_server import StandaloneApplication

from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.web_server import serve

_hubs_create_app = app_compat.create_app
_hubs_load_config = StandaloneApplication.load_config
_service: PaintService  # installed last


def install(service: PaintService) -> None:
    """Make the next ``hub serving start`` of this process serve the doodle service."""
    global _service
    _service = service
    app_compat.create_app = _create_app
    StandaloneApplication.load_config = _load_config


def _create_app(*args: Any, **kwargs: Any) -> Flask:
    """Create PaddleHub's app, extended by our routes and run by our server."""
    app = _hubs_create_app(*args, **kwargs)
    extend(app, service=_service)

    def run(host: str | None = None, port: Any = None, **options: Any) -> None:
        del host, options  # PaddleHub passes 0.0.0.0 and a single thread
        serve(app, port=int(port), service=_service)

    app.run = run
    return app


def _load_config(application: StandaloneApplication) -> None:
    """Configure gunicorn for ``--use_multiprocess``, after PaddleHub has."""
    from spade_paddle.serving.gunicorn_server import configure  # not on Windows

    _hubs_load_config(application)
    port = application.options["bind"].rpartition(":")[2]
    configure(application.cfg, port=port, service=_service)
