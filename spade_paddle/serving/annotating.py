"""Photos become doodles: ``POST /annotate`` asks the annotator for the label map of a photo.

Legend: H, W height and width of the wanted label map.
"""

from __future__ import annotations

import base64
import importlib.util
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from spade_paddle.data.labels import LabelSet
from spade_paddle.data.photos import shrink
from spade_paddle.data.remap import Remap
from spade_paddle.errors import RequestError
from spade_paddle.serving.json_values import (
    check_keys,
    decode_base64,
    need_keys,
    refuse,
    whole_number,
)
from spade_paddle.serving.schema import RequestRules
from spade_paddle.serving.sent_photos import read_sent_photo
from spade_paddle.serving.settings import Settings

KEYS = ("photo", "width", "height")
EXAMPLE = '{"photo": "<base64 of a JPEG>", "width": 256, "height": 256}'
# The annotator's own short side stays the same, so a ribbon would become a huge picture in it.
MAX_RATIO = 8
LOOKED_AT = 512  # pixels of the short side that the annotator is given
WAITING = 4  # photos that may wait while one is annotated

_ABSENT = "install it with 'pip install -e \".[annotate]\" -c constraints.txt' and start again"


class AnyAnnotator(Protocol):
    """What is needed of ``spade_paddle.annotate.annotator.Annotator``."""

    label_set: LabelSet

    def annotate(self, photo: np.ndarray) -> Any:
        """The annotation of ``uint8`` [h, w, 3] RGB; its ``label_map`` is ``uint8`` [h, w]."""


@dataclass(frozen=True)
class AnnotateRequest:
    """A checked request: the bytes of a photo file, and the size of the wanted label map."""

    photo: bytes
    width: int
    height: int


class AnnotatingService:
    """Annotates one photo at a time; a few may wait, the rest is refused.

    The annotator is loaded with the first photo: most people paint by hand, and a process that
    forks workers must not hold one.

    Args:
        rules: gives the painting model's label set and the sizes it paints.
        settings: whether photos are annotated at all, the longest wait, and GPU or CPU.
        load_annotator: opens the annotator, in the thread of Paddle.
    """

    def __init__(
        self,
        *,
        rules: Callable[[], RequestRules],
        settings: Settings,
        load_annotator: Callable[[], AnyAnnotator] | None = None,
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._needs_paddleseg = load_annotator is None
        self._load_annotator = load_annotator or (lambda: _load(use_gpu=settings.use_gpu))
        self._annotator: AnyAnnotator | None = None
        self._places = threading.BoundedSemaphore(1 + WAITING)
        self._annotating = threading.Lock()

    @property
    def is_available(self) -> bool:
        """Photos are annotated: PaddleSeg is installed and the setting ``annotate`` is on."""
        return not self._absence()

    def annotate_json(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Check a request given as a JSON object and annotate it: the ``results`` of an answer.

        Raises:
            RequestError: malformed, no photo, ``no_annotator`` or ``busy``.
            LabelMapError: a size that the model cannot paint.
        """
        if reason := self._absence():
            raise RequestError(reason, code="no_annotator")
        rules = self._rules()
        request = parse_annotate_request(content, rules=rules)
        with self._turn():  # unpacking a photo takes memory, too
            start = time.perf_counter()
            label_map = self._annotate(request, label_set=rules.label_set)
            seconds = time.perf_counter() - start
        result = {
            "width": request.width,
            "height": request.height,
            "data": base64.b64encode(label_map.tobytes()).decode("ascii"),
            "milliseconds": round(seconds * 1000),
        }
        return [result]

    def _absence(self) -> str:
        """Why no photo is annotated; empty when they are."""
        if not self._settings.annotate:
            return "photos do not become doodles here: the setting 'annotate' is off"
        if self._needs_paddleseg and importlib.util.find_spec("paddleseg") is None:
            return f"photos do not become doodles here: PaddleSeg is not installed; {_ABSENT}"
        return ""

    def _annotate(self, request: AnnotateRequest, *, label_set: LabelSet) -> np.ndarray:
        """The label map of the middle of the photo, ``uint8`` [H, W]."""
        from spade_paddle.inference.paddle_thread import in_paddle_thread  # Paddle is heavy

        photo = read_sent_photo(request.photo, where="photo", short_side=2 * LOOKED_AT)
        photo = crop_middle(photo, width=request.width, height=request.height)
        photo = shrink(photo, min(LOOKED_AT, request.width, request.height))
        label_map = in_paddle_thread(lambda: self._label_map_of(photo, label_set=label_set))
        size = (request.width, request.height)
        return cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST)

    def _label_map_of(self, photo: np.ndarray, *, label_set: LabelSet) -> np.ndarray:
        """In the thread of Paddle."""
        if self._annotator is None:
            self._annotator = self._load_annotator()
        remap = _by_names(self._annotator.label_set, label_set)
        return remap.apply(self._annotator.annotate(photo).label_map)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the right to annotate. Raises RequestError (busy)."""
        if not self._places.acquire(blocking=False):
            raise _busy(f"{WAITING} photos wait already")
        try:
            seconds = self._settings.max_wait_seconds
            if not self._annotating.acquire(timeout=seconds):
                raise _busy(f"no turn came within {seconds} seconds")
            try:
                yield
            finally:
                self._annotating.release()
        finally:
            self._places.release()


def parse_annotate_request(content: dict[str, Any], *, rules: RequestRules) -> AnnotateRequest:
    """Check a JSON object. Raises RequestError, or LabelMapError for a size."""
    check_keys(content, known=KEYS, where="body")
    need_keys(content, needed=KEYS, where="body")
    width, height = (whole_number(content[key], where=key) for key in ("width", "height"))
    rules.sizes.check(height=height, width=width, where="width and height")
    if max(width, height) > MAX_RATIO * min(width, height):
        refuse(
            "width and height",
            f"one side at most {MAX_RATIO} times as long as the other",
            f"{width} x {height}",
        )
    return AnnotateRequest(decode_base64(content["photo"], where="photo"), width, height)


def crop_middle(photo: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """The largest part [h', w', 3] of a photo [h, w, 3] of the shape width : height, its middle."""
    rows, columns = photo.shape[:2]
    if columns * height > rows * width:
        kept = max(1, round(rows * width / height))
        left = (columns - kept) // 2
        return photo[:, left : left + kept]
    kept = max(1, round(columns * height / width))
    top = (rows - kept) // 2
    return photo[top : top + kept]


def _by_names(source: LabelSet, target: LabelSet) -> Remap:
    """Labels of the same English name go to each other, all others become "don't care"."""
    content = {
        "from": source.name,
        "to": target.name,
        "same_names": True,
        "default": "dont_care",
    }
    return Remap.from_dict(content, source=source, target=target)


def _busy(reason: str) -> RequestError:
    return RequestError(
        f"the annotator is busy: {reason}; try again in a moment", code="busy", waiting=WAITING
    )


def _load(*, use_gpu: bool) -> AnyAnnotator:
    """The annotator that comes along; in the thread of Paddle."""
    import paddle

    from spade_paddle.annotate.annotator import Annotator

    paddle.set_device("gpu:0" if use_gpu else "cpu")
    return Annotator.load()
