"""The painter behind a queue: one picture at a time, a bounded number of waiting requests."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from spade_paddle.errors import RequestError
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.serving.label_images import Note
from spade_paddle.serving.schema import LabelInput, PaintRequest, RequestRules, parse_request
from spade_paddle.serving.settings import Settings

if TYPE_CHECKING:  # Paddle is heavy, and the tests here need none
    from spade_paddle.inference.painter import Painter

JPEG_QUALITY = 92


class PaintingQueue:
    """Lets one caller paint, a few wait, and refuses the rest at once."""

    def __init__(self, *, length: int, max_wait_seconds: float) -> None:
        self._length = length
        self._max_wait_seconds = max_wait_seconds
        self._painting = threading.Lock()
        self._counting = threading.Lock()
        self._inside = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the right to paint. Raises RequestError (busy)."""
        with self._counting:
            if self._inside > self._length:
                raise self._busy(f"{self._length} requests wait already")
            self._inside += 1
        try:
            if not self._painting.acquire(timeout=self._max_wait_seconds):
                raise self._busy(f"no turn came within {self._max_wait_seconds} seconds")
            try:
                yield
            finally:
                self._painting.release()
        finally:
            with self._counting:
                self._inside -= 1

    def _busy(self, reason: str) -> RequestError:
        return RequestError(
            f"the painter is busy: {reason}; try again in a moment",
            code="busy",
            queue_length=self._length,
        )


class PaintService:
    """Paints checked requests and describes what it can paint.

    The painter is loaded when it is first needed, not before: a process that forks workers must
    not hold one, because its computing threads do not survive the fork and the worker would wait
    for them for ever.
    """

    def __init__(self, *, load_painter: Callable[[], Painter], settings: Settings) -> None:
        self._load_painter = load_painter
        self._loading = threading.Lock()
        self._loaded: Painter | None = None
        self._settings = settings
        self._queue = PaintingQueue(
            length=settings.queue_length, max_wait_seconds=settings.max_wait_seconds
        )
        self.is_ready = False

    @property
    def painter(self) -> Painter:
        """The painter; raises ModelError when it cannot be loaded."""
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load_painter()
            return self._loaded

    @property
    def rules(self) -> RequestRules:
        """What a request is checked against: the model's limits and the service's."""
        return RequestRules(
            label_set=self.painter.label_set,
            sizes=SizeLimits(
                min_side=self.painter.limits.min_side,
                max_pixels=min(self._settings.max_pixels, self.painter.limits.max_pixels),
            ),
            max_images=self._settings.max_images,
            has_styles=self.painter.has_styles,
            style_names=tuple(self.painter.styles),
        )

    def warm_up(self) -> None:
        """Load and paint one picture, so that the first person does not wait for set-up."""
        with self._queue.turn():
            self.painter.warm_up()
        self.is_ready = True

    def describe(self) -> dict[str, Any]:
        """The answer of ``GET /labels``: the label set, the model and the limits."""
        painter, rules = self.painter, self.rules
        return {
            "name": painter.label_set.name,
            "dont_care": 255,
            "labels": painter.label_set.to_dict()["labels"],
            "model": {
                "name": painter.name,
                "version": painter.version,
                "height": painter.height,
                "width": painter.width,
                "multiple": painter.multiple,
                "seed": painter.has_seeds,
                "style_photo": rules.has_styles,
                "styles": list(painter.styles),
            },
            "limits": {
                "min_side": rules.sizes.min_side,
                "max_pixels": rules.sizes.max_pixels,
                "max_images": rules.max_images,
                "max_body_bytes": self._settings.max_body_bytes,
            },
        }

    def paint_json(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Check a request given as a JSON object and paint it: the ``results`` of an answer.

        Raises:
            RequestError: malformed, or ``busy``. LabelMapError: a map cannot be painted.
        """
        return self.paint(parse_request(content, rules=self.rules))

    def paint(self, request: PaintRequest) -> list[dict[str, Any]]:
        """Paint every label map of a checked request, in order."""
        with self._queue.turn():
            painted = [(entry, *self._paint_one(entry, request)) for entry in request.inputs]
        # Encoding stays outside the turn: the next request can be painted meanwhile.
        return [
            self._result(entry, image=image, seconds=seconds, request=request)
            for entry, image, seconds in painted
        ]

    def paint_array(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None = None,
        style: np.ndarray | str | None = None,
    ) -> np.ndarray:
        """Paint one label map [H, W]: ``uint8`` RGB [H, W, 3].

        ``style`` is a photo or the name of a style. Raises LabelMapError or RequestError.
        """
        rules = self.rules
        rules.label_set.check(label_map)
        height, width = label_map.shape
        rules.sizes.check(height=height, width=width, where="label map")
        if isinstance(style, np.ndarray) and not rules.has_styles:
            raise RequestError(
                "style: this model has no styles, got a style picture; leave 'style' out",
                code="no_styles",
            )
        with self._queue.turn():
            return self.painter.paint(label_map.astype(np.uint8), seed=seed, style=style)

    def _paint_one(self, entry: LabelInput, request: PaintRequest) -> tuple[np.ndarray, float]:
        start = time.perf_counter()
        image = self.painter.paint(entry.label_map, seed=request.seed, style=request.style)
        return image, time.perf_counter() - start

    def _result(
        self, entry: LabelInput, *, image: np.ndarray, seconds: float, request: PaintRequest
    ) -> dict[str, Any]:
        height, width = entry.label_map.shape
        notes = [*entry.notes, *_padding_note(height, width, painter=self.painter)]
        data = encode_image(image, image_format=request.image_format)
        return {
            "image": base64.b64encode(data).decode("ascii"),
            "format": request.image_format,
            "width": width,
            "height": height,
            "seed": request.seed,
            "milliseconds": round(seconds * 1000),
            "notes": [note.to_dict() for note in notes],
        }


def encode_image(image: np.ndarray, *, image_format: str) -> bytes:
    """An RGB picture ``uint8`` [H, W, 3] as the bytes of a PNG or JPEG file."""
    buffer = io.BytesIO()
    if image_format == "jpeg":
        Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    else:
        # Level 1 takes half of the default's time for about a tenth more bytes.
        Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _padding_note(height: int, width: int, *, painter: Painter) -> list[Note]:
    """A note when a size is not a multiple, so that the border was repeated and cut off again."""
    padded_height, padded_width = painter.padded_size(height, width)
    if (padded_height, padded_width) == (height, width):
        return []
    message = (
        f"{width} x {height} is not a multiple of {painter.multiple}; painted as {padded_width} x "
        f"{padded_height} with a repeated border, then cut back"
    )
    sizes = {"height": height, "width": width}
    padded = {"padded_height": padded_height, "padded_width": padded_width}
    return [Note("padded", message, {**sizes, **padded})]
