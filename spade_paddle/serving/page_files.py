"""The doodle page's routes: ``/`` and ``/ui/``.

The page's script and style sheet are bundled when the service starts (``page_bundle.py``). Their
URLs contain a hash of the content, so that browsers cache them indefinitely and never mix two
versions. The single files are served as well, revalidated on each request; the page uses them if
bundling failed.
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

from spade_paddle.serving.page_bundle import BundleError, bundle_page

# The page contacts only its own service, and only origins that may call it may frame it.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'"
)
# Explicit, because the type registry of some systems maps .js to "text/plain".
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
_IMMUTABLE = "max-age=31536000, immutable"
# The page's first requests, preloaded with its script. "crossorigin" makes them match fetch().
_PRELOADS = "".join(
    f'    <link rel="preload" as="fetch" href="{name}" crossorigin>\n'
    for name in ("healthz", "labels")
)

logger = logging.getLogger("spade_paddle.serving")


def add_page(app: Flask, *, page: Path, cors_origins: tuple[str, ...]) -> None:
    """Add the page in the folder ``page``, which ``cors_origins`` and its own origin may frame."""
    framing = " ".join(["'self'", *cors_origins])
    policy = f"{PAGE_POLICY}; frame-ancestors {framing}"
    bundled = _bundled_files(page)

    def index() -> Response:
        if request.method == "POST":  # PaddleHub's rule for "/" allows it
            abort(405, valid_methods=["GET"])
        content = bundled.get("index.html") or (page / "index.html").read_bytes()
        response = _file_response("index.html", content)
        response.headers["Content-Security-Policy"] = policy
        return response

    def ui(path: str) -> Response:
        if path in bundled:
            return _file_response(path, bundled[path], cache_control=_IMMUTABLE)
        file = safe_join(str(page / "ui"), path)
        if file is None or not Path(file).is_file():
            abort(404)
        return _file_response(path, Path(file).read_bytes())

    if "index" in app.view_functions:
        app.view_functions["index"] = index
    else:
        app.add_url_rule("/", "index", index)
    app.add_url_rule("/ui/<path:path>", "gaugan_ui", ui)


def _bundled_files(page: Path) -> dict[str, bytes]:
    """``index.html``, and its script and style sheet by their paths below ``/ui/``; empty if the
    page cannot be bundled."""
    try:
        bundle = bundle_page(page)
    except (BundleError, OSError, UnicodeDecodeError) as error:
        logger.warning("the page loads more slowly, because its files cannot be bundled: %s", error)
        return {}
    contents = {"js": bundle.script.encode(), "css": bundle.style.encode()}
    paths = {kind: f"{_digest(content)}.{kind}" for kind, content in contents.items()}
    index = bundle.index_for(script=f"ui/{paths['js']}", style=f"ui/{paths['css']}")
    index = index.replace("  </head>", f"{_PRELOADS}  </head>")
    return {"index.html": index.encode(), **{paths[kind]: contents[kind] for kind in contents}}


def _file_response(name: str, content: bytes, *, cache_control: str = "no-cache") -> Response:
    """Send a file, compressed if the client accepts that, or 304 if it has the file."""
    suffix = Path(name).suffix
    mimetype = _MIME_TYPES.get(suffix) or mimetypes.guess_type(name)[0]
    response = Response(content, mimetype=mimetype or "application/octet-stream")
    response.headers["Cache-Control"] = cache_control
    response.vary.add("Accept-Encoding")
    # weak, because the compressed and the plain content share it
    response.set_etag(_digest(content), weak=True)
    if request.accept_encodings["gzip"] and len(zipped := _gzipped(content)) < len(content):
        response.set_data(zipped)
        response.headers["Content-Encoding"] = "gzip"
    response.make_conditional(request)
    return response


@lru_cache(maxsize=512)
def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@lru_cache(maxsize=512)
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]
