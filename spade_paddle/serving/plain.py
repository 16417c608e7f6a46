"""The service without PaddleHub: an app for any WSGI server, and gunicorn with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from flask import Flask

from spade_paddle.assets import WEIGHTS
from spade_paddle.engine.cpu import usable_cores
from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings


def create_app(settings: ServiceSettings | None = None) -> Flask:
    """Create the service as a WSGI app, and load its model.

    A server that forks must call this in its workers, as ``gunicorn --worker-class gthread
    --threads 64 "spade_paddle.serving:create_app()"`` does without ``--preload``. With several
    workers, ``/metrics`` is the sum over all if PROMETHEUS_MULTIPROC_DIR names an empty folder;
    else it covers one worker.

    Args:
        settings: None reads the environment variables.

    Raises:
        ConfigError: a setting is invalid.
        ModelError: the model folder is missing or damaged.
    """
    app, service = _open(settings or ServiceSettings.read())
    service.warm_up()
    return app


def run(settings: ServiceSettings) -> None:
    """Serve with gunicorn until SIGTERM or Ctrl-C, then raise SystemExit."""
    from spade_paddle.serving.gunicorn_server import PlainApplication  # not on Windows

    if settings.threads is None and settings.workers > 1:  # divide the cores among them
        threads = max(usable_cores() // settings.workers, 1)
        settings = dataclasses.replace(settings, threads=threads)
    app, service = _open(settings)
    PlainApplication(app, service=service).run()


def _open(settings: ServiceSettings) -> tuple[Flask, PaintService]:
    service = PaintService.of_folder(Path(settings.model or WEIGHTS), settings=settings)
    app = Flask("spade_paddle.serving", static_folder=None)
    extend(app, service=service)
    return app, service
