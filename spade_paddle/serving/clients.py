"""Whether the client of a request is still there."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Mapping
from typing import Any


def is_there(environ: Mapping[str, Any]) -> bool:
    """Whether a client holds its connection open, as far as the web server lets one see.

    Browsers close it when the page gives up a request, as the doodle page does at every stroke.
    To be asked after the body was read.

    Args:
        environ: of WSGI.
    """
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if connection is None:
        return True
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            if not selector.select(timeout=0):
                return True  # silent, but open
        return connection.recv(1, socket.MSG_PEEK) != b""
    except (OSError, ValueError):  # reset, or closed on our side
        return False
