"""Puts the doodle service into ``hub serving start``, in its plain and its multi-process mode.

PaddleHub offers no extension point; both modes look up ``app_compat.create_app`` when they start,
so that function is wrapped, once per process. Its ``--use_gpu`` mode never loads the module in the
process that speaks HTTP; ``paddlehub_gpu.py`` refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from paddlehub.serving import app_compat
from paddlehub.serving.http_server import StandaloneApplication

from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import Settings
from spade_paddle.serving.threaded_server import serve


class _CreateApp:
    """Stands in for ``app_compat.create_app``; serves what was installed last."""

    def __init__(self, original: Callable[..., Flask]) -> None:
        self._original = original
        self.service: PaintService | None = None
        self.settings: Settings | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Flask:
        app = self._original(*args, **kwargs)
        service, settings = self.service, self.settings
        assert service is not None and settings is not None
        extend(app, service=service, settings=settings)

        def run(host: str | None = None, port: int | None = None, **options: Any) -> None:
            del host, options  # PaddleHub's own: every address, one thread
            serve(app, port=int(port), service=service, settings=settings)

        app.run = run
        return app


def install(*, service: PaintService, settings: Settings) -> None:
    """Make the next ``hub serving start`` of this process serve the doodle service."""
    if not isinstance(app_compat.create_app, _CreateApp):
        app_compat.create_app = _CreateApp(app_compat.create_app)
        _configure_gunicorn(app_compat.create_app)
    app_compat.create_app.service = service
    app_compat.create_app.settings = settings


def _configure_gunicorn(create_app: _CreateApp) -> None:
    """The same for ``--use_multiprocess``, whose gunicorn reads no configuration of its own."""
    original = StandaloneApplication.load_config

    def load_config(self: StandaloneApplication) -> None:
        """gunicorn's own, then ours over it."""
        from spade_paddle.serving.gunicorn_server import configure  # not on Windows

        original(self)
        service, settings = create_app.service, create_app.settings
        assert service is not None and settings is not None
        port = self.options["bind"].rpartition(":")[2]
        configure(self.cfg, port=port, service=service, settings=settings)

    StandaloneApplication.load_config = load_config
