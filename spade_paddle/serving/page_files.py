"""The doodle page's routes: ``/`` and ``/ui/``.

What a page needs to start is joined when the service starts (``page_joining.py``) and has an
address that tells its content, so that a browser keeps it for good, and no page ever gets half of
another version. The single files are there as well, each asked for anew; the page works with them
where the service could not join them.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, abort, request
from werkzeug.security import safe_join

from spade_paddle.serving.page_joining import CannotJoin, join_page

# The page asks its own service alone, and nobody but pages that may call it can frame it.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'"
)
# Given explicitly: the table of types of some systems calls JavaScript "text/plain".
_MIME_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_FOR_GOOD = "max-age=31536000, immutable"
# The page's first questions, asked while its script is on the way. "crossorigin": as fetch() asks.
_QUESTIONS = "".join(
    f'    <link rel="preload" as="fetch" href="{name}" crossorigin>\n'
    for name in ("healthz", "labels")
)

logger = logging.getLogger("spade_paddle.serving")


def add_page(app: Flask, *, page: Path, cors_origins: tuple[str, ...]) -> None:
    """Add the page in the folder ``page``; these origins, and its own, may frame it."""
    framing = " ".join(["'self'", *cors_origins])
    policy = f"{PAGE_POLICY}; frame-ancestors {framing}"
    joined = _joined_files(page)

    def index() -> Response:
        if request.method == "POST":  # PaddleHub's rule for "/" allows it
            abort(405, valid_methods=["GET"])
        content = joined.get("index.html") or (page / "index.html").read_bytes()
        response = _answer("index.html", content)
        response.headers["Content-Security-Policy"] = policy
        return response

    def ui(path: str) -> Response:
        if path in joined:
            return _answer(path, joined[path], keep=_FOR_GOOD)
        file = safe_join(str(page / "ui"), path)
        if file is None or not Path(file).is_file():
            abort(404)
        return _answer(path, Path(file).read_bytes())

    if "index" in app.view_functions:
        app.view_functions["index"] = index
    else:
        app.add_url_rule("/", "index", index)
    app.add_url_rule("/ui/<path:path>", "gaugan_ui", ui)


def _joined_files(page: Path) -> dict[str, bytes]:
    """``index.html``, and by their paths below ``/ui/`` the two that it loads; or none."""
    try:
        joined = join_page(page)
    except (CannotJoin, OSError, UnicodeDecodeError) as error:
        logger.warning("the page loads slower, file by file, for they cannot be joined: %s", error)
        return {}
    contents = {"js": joined.script.encode(), "css": joined.style.encode()}
    paths = {kind: f"{_digest(content)}.{kind}" for kind, content in contents.items()}
    index = joined.index_for(script=f"ui/{paths['js']}", style=f"ui/{paths['css']}")
    index = index.replace("  </head>", f"{_QUESTIONS}  </head>")
    return {"index.html": index.encode(), **{paths[kind]: contents[kind] for kind in contents}}


def _answer(name: str, content: bytes, *, keep: str = "no-cache") -> Response:
    """A file, packed for those who take that; or 304 for those who have it."""
    suffix = Path(name).suffix
    mimetype = _MIME_TYPES.get(suffix) or mimetypes.guess_type(name)[0]
    response = Response(content, mimetype=mimetype or "application/octet-stream")
    response.headers["Cache-Control"] = keep
    response.vary.add("Accept-Encoding")
    # weak: the same for the content packed and unpacked
    response.set_etag(_digest(content), weak=True)
    if request.accept_encodings["gzip"] and len(packed := _packed(content)) < len(content):
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    response.make_conditional(request)
    return response


@lru_cache(maxsize=512)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@lru_cache(maxsize=512)
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]
