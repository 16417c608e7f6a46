"""The web service: settings, the checked request, the painting queue and the Flask routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from spade_paddle.serving.settings import ServiceSettings


def create_app(settings: ServiceSettings | None = None) -> Flask:
    """Create the service as an app for any WSGI server; see ``serving.plain.create_app``."""
    from spade_paddle.serving.plain import create_app  # here, because it loads Flask

    return create_app(settings)
