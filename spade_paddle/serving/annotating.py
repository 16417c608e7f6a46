"""Photos become doodles: ``POST /annotate`` asks the annotator for the label map of a photo.

Legend: H, W height and width of the wanted label map.
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

if TYPE_CHECKING:  # it loads PaddleSeg
    from spade_paddle.annotate.annotator import Annotator

KEYS = ("photo", "width", "height")
EXAMPLE = '{"photo": "<base64 of a JPEG>", "width": 256, "height": 256}'
# The annotator's own short side stays the same, so a ribbon would become a huge picture in it.
MAX_RATIO = 8
LOOKED_AT = 512  # pixels of the short side that the annotator is given, at most

_ABSENT = "install it with 'pip install -e \".[annotate]\" -c constraints.txt' and start again"


@dataclass(frozen=True, eq=False)
class SentPhoto:
    """A photo's file that waits for its label map of ``height`` and ``width``.

    Attributes:
        key: None: the label map is not kept for others, for people send a photo once.
    """

    data: bytes
    width: int
    height: int
    key: ClassVar[None] = None

    @property
    def looked_at(self) -> int:
        """Pixels of the short side that the annotator is given."""
        return min(LOOKED_AT, self.width, self.height)

    @property
    def pixels(self) -> int:
        """Those that the annotator looks at. With the unpacking they take about as long as those
        that are painted: measured on two cores, half as long to twice, by the file."""
        return self.looked_at**2 * max(self.width, self.height) // min(self.width, self.height)

    @property
    def batch(self) -> SentPhoto:
        """It is unpacked and annotated alone, for each takes memory."""
        return self


class AnnotatingService:
    """Annotates photos, which wait in the painter's queue.

    The annotator is loaded with the first photo: most people paint by hand, and a process that
    forks workers must not hold one.

    Args:
        painting: paints what comes out; its settings say whether photos are annotated at all, the
            longest wait, and GPU or CPU.
        load_annotator: opens the annotator, in the thread of Paddle; None: by PaddleSeg, where it
            is installed.
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
        """Photos are annotated: PaddleSeg is installed and the setting ``annotate`` is on."""
        return not self._absence()

    def annotate_json(
        self, content: dict[str, Any], *, client: Client | None = None
    ) -> list[dict[str, Any]]:
        """Check a request given as a JSON object and annotate it: the ``results`` of an answer.

        Raises:
            RequestError: malformed, no photo, ``no_annotator`` or ``busy``.
            LabelMapError: a size that the model cannot paint.
            ClientGone: it waits no more.
        """
        if reason := self._absence():
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

    def _absence(self) -> str:
        """Why no photo is annotated; empty when they are."""
        if not self._settings.annotate:
            return "photos do not become doodles here: the setting 'annotate' is off"
        if self._needs_paddleseg and importlib.util.find_spec("paddleseg") is None:
            return f"photos do not become doodles here: PaddleSeg is not installed; {_ABSENT}"
        return ""

    def _annotate_sent(self, photos: Sequence[SentPhoto]) -> list[tuple[np.ndarray, float]]:
        """The ids ``uint8`` [height, width] of a photo, alone in its batch, and the seconds."""
        (sent,) = photos
        start = time.perf_counter()
        # here and not before its turn: unpacking a photo takes memory, too
        photo = read_sent_photo(sent.data, where="photo", short_side=2 * LOOKED_AT)
        photo = crop_middle(photo, width=sent.width, height=sent.height)
        photo = shrink(photo, sent.looked_at)
        label_map = self._annotate(photo, self._painting.painter.label_set)
        size = (sent.width, sent.height)
        label_map = cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST)
        seconds = time.perf_counter() - start
        self._painting.metrics.annotating_seconds.observe(seconds)
        return [(label_map, seconds)]

    def _annotate(self, photo: np.ndarray, label_set: LabelSet) -> np.ndarray:
        """The ids ``uint8`` [h, w] of a photo [h, w, 3], those of labels of the same English name;
        all others are "don't care"."""
        if self._annotator is None:
            self._annotator = self._load_annotator()
        source = self._annotator.label_set
        names = {"from": source.name, "to": label_set.name, "same_names": True}
        remap = Remap.from_dict({**names, "default": "dont_care"}, source=source, target=label_set)
        return remap.apply(self._annotator.annotate(photo).label_map)


def crop_middle(photo: np.ndarray, *, width: int, height: int) -> np.ndarray:
    """The largest part [h', w', 3] of a photo [h, w, 3] of the shape width : height, its middle."""
    rows, columns = photo.shape[:2]
    kept_rows = min(rows, max(1, round(columns * height / width)))
    kept_columns = min(columns, max(1, round(rows * width / height)))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return photo[top : top + kept_rows, left : left + kept_columns]


def _load(*, use_gpu: bool) -> Annotator:
    """The annotator that comes along; in the thread of Paddle."""
    import paddle

    from spade_paddle.annotate.annotator import Annotator

    paddle.set_device("gpu:0" if use_gpu else "cpu")
    return Annotator.load()
