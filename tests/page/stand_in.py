"""A stand-in for the painting service: same routes, no model, and made to fail on request.

It "paints" by showing the label map in its palette colors, so a test can tell from the picture
which doodle was sent.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spade_paddle.data.labels import DONT_CARE, LabelSet

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "spade_paddle" / "page"
# As strict as the page allows: no inline script, no other host but the service of ?api=.
POLICY = "default-src 'self'; img-src 'self' blob: data:; connect-src *"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
NATIVE = 256
LOOK = ("seed", "style", "style_name", "style_vector", "edges")


class StandIn:
    """The service on a free local port. ``stop`` and ``start`` keep the port.

    Attributes:
        side: height and width of the doodles that its model paints.
        failures: answers to give instead of pictures, first in first out: (status, body, headers);
            a body that is not a dict goes out as plain text.
        delay_s: how long one picture takes.
        healthy: whether ``/healthz`` says ready.
        doodles: the label maps received, uint8 [H, W].
        formats: asked for with each.
        looks: with each, what the request said of LOOK.
        abilities: what ``/labels`` says of the model.
        jpegs: whether requests for JPEG get one, and not a PNG, whose colors are exact.
        annotates: whether photos become doodles; the upper half is then sky, the lower water.
        photos: those received, as opened pictures.
        token: what POSTs must bring, or None.
        authorizations: what POSTs have brought.
        hangs: while it is set, requests but those for files wait.
        large_may_go: unless it is set, doodles larger than its model's wait to be painted.
        breaks_at_large: hang up on such doodles.
        requests: paths asked for.
    """

    def __init__(
        self,
        *,
        label_file: Path = ROOT / "configs" / "labels" / "landscape.yaml",
        side: int = NATIVE,
    ) -> None:
        self.side = side
        self.label_set = LabelSet.load(label_file)
        self.failures: list[tuple[int, Any, dict[str, str]]] = []
        self.delay_s = 0.0
        self.healthy = True
        self.allow_origin: str | None = None
        self.abilities = {"seed": True, "style_photo": True, "styles": ["bright", "sunset"]}
        self.annotates = True
        self.jpegs = False
        self.formats: list[str] = []
        self.token: str | None = None
        self.authorizations: set[str | None] = set()
        self.hangs = threading.Event()
        self.large_may_go = threading.Event()
        self.large_may_go.set()
        self.breaks_at_large = False
        self.looks: list[dict[str, Any]] = []
        self.photos: list[Image.Image] = []
        self.doodles: list[np.ndarray] = []
        self.requests: list[str] = []
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> StandIn:
        """Listen (again)."""
        stand_in = self

        class Handler(_Handler):
            service = stand_in

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening: from now on nobody answers at the address."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def labels(self) -> dict[str, Any]:
        """The answer of ``GET /labels``."""
        model = {"name": "stand-in", "version": "0", "height": self.side, "width": self.side}
        return {
            **self.label_set.to_dict(),
            "dont_care": DONT_CARE,
            "model": {**model, "multiple": 32, **self.abilities},
            "annotate": self.annotates,
            "token": self.token is not None,
            "limits": {"min_side": 32, "max_pixels": 2**20, "max_body_bytes": 2**24},
        }

    def paint(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a well-formed request: the doodle in its colors."""
        (doodle,) = request["images"]
        look = {key: request.get(key) for key in LOOK}
        label_map = np.asarray(Image.open(io.BytesIO(base64.b64decode(doodle))))
        size = label_map.shape
        self.label_set.check(label_map)
        self.doodles.append(label_map)
        self.looks.append(look)
        if max(size) > self.side:
            self.large_may_go.wait()
            if self.breaks_at_large:
                raise ConnectionAbortedError
        time.sleep(self.delay_s)
        buffer = io.BytesIO()
        self.formats.append(request["format"])
        image_format = request["format"] if self.jpegs else "png"
        Image.fromarray(self.label_set.colorize(label_map)).save(buffer, image_format)
        result = {
            "image": base64.b64encode(buffer.getvalue()).decode(),
            "format": image_format,
            "width": size[1],
            "height": size[0],
            "seed": look["seed"],
            "milliseconds": round(self.delay_s * 1000) + 7,
            "notes": [],
        }
        if self.abilities["styles"] and not (look["style"] or look["style_name"]):
            # the model's choice depends on the doodle
            result["style_vector"] = look["style_vector"] or [float(len(self.doodles)), 0.5]
        return {"status": "000", "msg": "", "results": [result]}

    def annotate(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a photo: sky above, water below."""
        self.photos.append(Image.open(io.BytesIO(base64.b64decode(request["photo"]))))
        time.sleep(self.delay_s)
        size = (request["height"], request["width"])
        label_map = np.full(size, self.label_set.id_of("sky"), np.uint8)
        label_map[size[0] // 2 :] = self.label_set.id_of("water")
        data = base64.b64encode(label_map.tobytes()).decode()
        result = {"width": size[1], "height": size[0], "data": data, "milliseconds": 5}
        return {"status": "000", "msg": "", "results": [result]}


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Say nothing: the page hangs up on answers it no longer wants."""


class _Handler(BaseHTTPRequestHandler):
    service: StandIn

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.service.requests.append(path)
        self._hang(path)
        if path == "/healthz":
            ready = self.service.healthy
            self._send(200 if ready else 503, {"status": "ok" if ready else "starting"})
        elif path == "/labels":
            self._send(200, self.service.labels())
        else:
            self._send_file(PAGE / ("index.html" if path == "/" else path.lstrip("/")))

    def do_OPTIONS(self) -> None:
        self._send(200, {})

    def do_POST(self) -> None:
        self.service.requests.append(self.path)
        self.service.authorizations.add(self.headers["Authorization"])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._hang(self.path)
        if self.service.failures:
            self._send(*self.service.failures.pop(0))
            return
        token = self.service.token
        if token is not None and self.headers["Authorization"] != f"Bearer {token}":
            self._send(401, {"status": "101", "msg": "who are you?", "code": "unauthorized"})
            return
        answer = self.service.annotate if self.path == "/annotate" else self.service.paint
        self._send(200, answer(json.loads(body)))

    def _hang(self, path: str) -> None:
        while self.service.hangs.is_set() and "." not in path and path != "/":
            time.sleep(0.05)

    def _send_file(self, path: Path) -> None:
        if not path.is_file():
            self._send(404, {"status": "101", "msg": "no such file", "code": "not_found"})
            return
        content_type = TYPES.get(path.suffix, "text/plain")
        headers = {"Content-Type": content_type, "Content-Security-Policy": POLICY}
        self._send(200, path.read_bytes(), headers)

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        elif isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        if self.service.allow_origin:
            self.send_header("Access-Control-Allow-Origin", self.service.allow_origin)
            self.send_header("Access-Control-Allow-Headers", "content-type")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Keep the test output quiet."""
