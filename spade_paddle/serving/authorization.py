"""Who may ask: by the optional password of the service, and by the name that it is called."""

from __future__ import annotations

import hmac

from flask import Flask, request
from werkzeug.sansio.utils import host_is_trusted

from spade_paddle.errors import RequestError

# What a page may do without the token: look at it, and ask what is allowed (CORS).
_FREE_METHODS = ("GET", "HEAD", "OPTIONS")


def require_token(app: Flask, *, token: str) -> None:
    """Refuse every request but those of ``_FREE_METHODS`` that does not carry the token."""
    expected = f"Bearer {token}".encode()

    def check() -> None:
        """Raises RequestError (unauthorized); equal times for all wrong tokens."""
        if request.method in _FREE_METHODS:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        canonical = f"{scheme.capitalize()} {given.strip()}"  # a scheme has no case
        if not hmac.compare_digest(canonical.encode(), expected):
            said = "another token" if given else "none"
            raise RequestError(
                f"Authorization: expected the header 'Authorization: Bearer TOKEN' with the "
                f"service's token, got {said}; ask who runs the service for it",
                code="unauthorized",
            )

    app.before_request(check)


def require_host(app: Flask, *, hosts: tuple[str, ...]) -> None:
    """Refuse requests under other names: of a page whose name was pointed at this service later
    ("DNS rebinding"), which a browser takes for the page of that name.

    Args:
        app: to be guarded.
        hosts: names without ports; ``.example.org`` stands for all names below it, too.
    """

    def check() -> None:
        """Raises RequestError (unknown_host)."""
        if not host_is_trusted(request.host, hosts):
            raise RequestError(
                f"Host: expected {' or '.join(hosts)}, got {request.host[:80]!r}; add it to the "
                "service's setting 'hosts'",
                code="unknown_host",
            )

    app.before_request(check)
