"""Photos become doodles: ``POST /annotate`` asks the annotator for the label map of a photo.

Legend: H, W height and width of the requested label map.
"""

from __future__ import annotations

import base64
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np

from spade_paddle.data.labels import LabelSet
from spade_paddle.data.photos import shrink
from spade_paddle.data.remap import Remap
from spade_paddle.errors import RequestError
from spade_paddle.serving.json_values import check_keys, decode_base64, refuse, whole_number
from spade_paddle.serving.sent_pictures import read_sent_photo
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.work_queue import Client

if TYPE_CHECKING:  # importing it loads PaddleSeg
    from spade_paddle.annotate.annotator import Annotator

KEYS = ("photo", "width", "height")
EXAMPLE = '{"photo": "<base64 of a JPEG>", "width": 256, "height": 256}'
# The annotator works at a fixed short side, so an extreme aspect ratio would need much memory.
MAX_RATIO = 8
ANNOTATOR_SIDE = 512  # pixels of the short side of the annotator's input, at most

_INSTALL = (
    "install it with 'pip install -e \".[annotate]\" -c constraints.txt' and restart the service"
)


@dataclass(frozen=True, eq=False)
class SentPhoto:
    """A photo's file, queued for a label map of ``height`` x ``width`` pixels.

    Attributes:
        key: None: results are not cached, because a photo is rarely sent twice.
    """

    data: bytes
    width: int
    height: int
    key: ClassVar[None] = None

    @property
    def short_side(self) -> int:
        """Pixels of the short side of the annotator's input."""
        return min(ANNOTATOR_SIDE, self.width, self.height)

    @property
    def pixels(self) -> int:
        """Pixels of the annotator's input. With decoding, one takes about as long as a painted
        pixel: 0.5 to 2 times on two cores, depending on the file."""
        return self.short_side**2 * max(self.width, self.height) // min(self.width, self.height)

    @property
    def batch(self) -> SentPhoto:
        """Equal only to itself: photos are annotated one by one to limit memory."""
        return self


class AnnotatingService:
    """Annotates photos, which share the painter's queue.

    The annotator is loaded with the first photo: most users send none, and a process that forks
    workers must not hold one.

    Args:
        painting: the paint service, whose settings and queue are used.
        load_annotator: opens the annotator, in the Paddle thread; None: the included PaddleSeg
            annotator, if PaddleSeg is installed.
    """

    def __init__(
        self, painting: PaintService, *, load_annotator: Callable[[], Annotator] | None = None
    ) -> None:
        self._painting = painting
        self._settings = painting.settings
        self._needs_paddleseg = load_annotator is None
        self._load_annotator = load_annotator or (lambda: _load(use_gpu=self._settings.use_gpu))
        self._annotator: Annotator | None = None

    @property
    def is_available(self) -> bool:
        """Whether PaddleSeg is installed and the setting ``annotate`` is on."""
        return not self._unavailable_reason()

    def annotate_json(
        self, content: dict[str, Any], *, client: Client | None = None
    ) -> list[dict[str, Any]]:
        """Validate and annotate a request given as a JSON object; the ``results`` of the response.

        Raises:
            RequestError: a malformed request or photo, ``no_annotator`` or ``busy``.
            LabelMapError: a size that the model cannot paint.
            ClientGone: the client disconnected.
        """
        if reason := self._unavailable_reason():
            raise RequestError(reason, code="no_annotator")
        check_keys(content, known=KEYS, needed=KEYS, where="body")
        width, height = (whole_number(content[key], where=key) for key in ("width", "height"))
        limits = self._painting.painter.limits
        limits.check(height=height, width=width, where="width and height")
        if max(width, height) > MAX_RATIO * min(width, height):
            expected = f"one side at most {MAX_RATIO} times as long as the other"
            refuse("width and height", expected, f"{width} x {height}")
        photo = SentPhoto(decode_base64(content["photo"], where="photo"), width, height)
        (((label_map, seconds), _),) = self._painting.queue.do(
            [photo], self._annotate_sent, client=client
        )
        result = {
            "width": width,
            "height": height,
            "data": base64.b64encode(label_map.tobytes()).decode("ascii"),
            "milliseconds": round(seconds * 1000),
        }
        return [result]

    def _unavailable_reason(self) -> str:
        """Why photos cannot be annotated; empty if they can."""
        if not self._settings.annotate:
            return "this service does not annotate photos: its setting 'annotate' is off"
        if self._needs_paddleseg and importlib.util.find_spec("paddleseg") is None:
            return f"this service cannot annotate photos: PaddleSeg is not installed; {_INSTALL}"
        return ""

    def _annotate_sent(self, photos: Sequence[SentPhoto]) -> list[tuple[np.ndarray, float]]:
        """Annotate a batch of one photo: ids ``uint8`` [H, W], and seconds."""
        (sent,) = photos
        start = time.perf_counter()
        # decoded only now, because decoded photos waiting in the queue would take much memory
        photo = read_sent_photo(sent.data, where="photo", short_side=2 * ANNOTATOR_SIDE)
        photo = crop_middle(photo, width=sent.width, height=sent.height)
        photo = shrink(photo, sent.short_side)
        label_map = self._annotate(photo, self._painting.painter.label_set)
        size = (sent.width, sent.height)
        label_map = cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST)
        seconds = time.perf_counter() - start
        self._painting.metrics.annotating_seconds.observe(seconds)
        return [(label_map, seconds)]

    def _annotate(self, photo: np.ndarray, label_set: LabelSet) -> np.ndarray:
        """Annotate a photo [h, w, 3]: ids ``uint8`` [h, w] of the labels with the same English
        names; all others become "don't care"."""
        if self._annotator is None:
            self._annotator = self._load_annotator()
        source = self._annotator.label_set
        names = {"from": source.name, "to": label_set.name, "same_names": True}
        remap = Remap.from_dict({**names, "default": "dont_care"}, source=source, target=label_set)
        return remap.apply(self._annotator.annotate(photo).label_map)


def crop_middle(photo: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """Crop the largest centered part of a photo [h, w, 3] with aspect ratio width : height."""
    rows, columns = photo.shape[:2]
    kept_rows = min(rows, max(1, round(columns * height / width)))
    kept_columns = min(columns, max(1, round(rows * width / height)))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return photo[top : top + kept_rows, left : left + kept_columns]


def _load(*, use_gpu: bool) -> Annotator:
    """Open the included annotator; call it in the Paddle thread."""
    import paddle

    from spade_paddle.annotate.annotator import Annotator
    from spade_paddle.annotate.edges import EDGE_REACH

    paddle.set_device("gpu:0" if use_gpu else "cpu")
    return Annotator.load(edge_reach=EDGE_REACH)
