"""Access control: the optional API token, and the host names by which the service is called."""

from __future__ import annotations

import hmac

from flask import Flask, request
from werkzeug.sansio.utils import host_is_trusted

from spade_paddle.errors import RequestError

# Allowed without the token: loading the page, and CORS preflight requests.
_FREE_METHODS = ("GET", "HEAD", "OPTIONS")


def require_token(app: Flask, *, token: str) -> None:
    """Require the token in every request whose method is not in ``_FREE_METHODS``."""
    expected = f"Bearer {token}".encode()

    def check() -> None:
        """Raise RequestError (unauthorized) for a wrong token, in constant time."""
        if request.method in _FREE_METHODS:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        canonical = f"{scheme.capitalize()} {given.strip()}"  # schemes are case-insensitive
        if not hmac.compare_digest(canonical.encode(), expected):
            got = "another token" if given else "none"
            raise RequestError(
                f"Authorization: expected the header 'Authorization: Bearer TOKEN' with the "
                f"service's token, got {got}; ask the operator of the service for it",
                code="unauthorized",
            )

    app.before_request(check)


def require_host(app: Flask, *, hosts: tuple[str, ...]) -> None:
    """Reject requests whose header "Host" has another name, against DNS rebinding: a malicious
    page's host name that is pointed at this service, so that the browser lets the page call it.

    Args:
        app: the app to protect.
        hosts: names without ports; ``.example.org`` includes all its subdomains.
    """

    def check() -> None:
        """Raise RequestError (unknown_host)."""
        if not host_is_trusted(request.host, hosts):
            raise RequestError(
                f"Host: expected {' or '.join(hosts)}, got {request.host[:80]!r}; add it to the "
                "service's setting 'hosts'",
                code="unknown_host",
            )

    app.before_request(check)
