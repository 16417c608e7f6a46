"""The painter behind its queue: requests become orders, painted pictures become answers."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spade_paddle.inference.limits import SizeLimits
from spade_paddle.serving.label_images import Note
from spade_paddle.serving.metrics import Metrics
from spade_paddle.serving.painting_queue import Order, PaintingQueue
from spade_paddle.serving.picture import Picture
from spade_paddle.serving.schema import LabelInput, PaintRequest, RequestRules, parse_request
from spade_paddle.serving.settings import MIB, Settings

if TYPE_CHECKING:  # Paddle is heavy, and the tests here need none
    from spade_paddle.inference.painter import Painter


class PaintService:
    """Paints checked requests and describes what it can paint.

    The painter is loaded when it is first needed, not before: a process that forks workers must
    not hold one, because its computing threads do not survive the fork and the worker would wait
    for them for ever.
    """

    def __init__(self, *, load_painter: Callable[[], Painter], settings: Settings) -> None:
        self._load_painter = load_painter
        self._creating = threading.Lock()
        self._loading = threading.Lock()
        self._loaded: Painter | None = None
        self._metrics: Metrics | None = None
        self._settings = settings
        self._queue = PaintingQueue(
            paint=self._paint_orders,
            length=settings.queue_length,
            max_wait_seconds=settings.max_wait_seconds,
            batch_size=settings.batch_size,
            cache_bytes=settings.cache_mib * MIB,
            metrics=lambda: self.metrics,
        )
        self.is_ready = False

    @classmethod
    def of_folder(cls, folder: Path, *, settings: Settings) -> PaintService:
        """A service of a model folder, which is checked now and loaded when it is first needed.

        Raises:
            ModelError: a file is missing or damaged.
        """
        from spade_paddle.inference.painter import Painter
        from spade_paddle.model_card import ModelCard

        ModelCard.open(folder)
        return cls(
            load_painter=lambda: Painter.load(
                folder, threads=settings.threads, use_gpu=settings.use_gpu
            ),
            settings=settings,
        )

    @property
    def metrics(self) -> Metrics:
        """What is counted. Made when it is first needed: by then it is known for how many."""
        with self._creating:
            if self._metrics is None:
                self._metrics = Metrics()
            return self._metrics

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
            style_dim=self.painter.style_dim,
        )

    def warm_up(self) -> None:
        """Load and paint one picture, so that the first person does not wait for set-up."""
        painter = self.painter
        self._queue.call(painter.warm_up)
        self.metrics.describe_build(model=painter.name, model_version=painter.version)
        self.is_ready = True

    def refuse_waiting(self) -> None:
        """Tell everybody who waits ``busy``, as the service ends."""
        self._queue.refuse_waiting()

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
            "token": self._settings.api_token is not None,
            "limits": {
                "min_side": rules.sizes.min_side,
                "max_pixels": rules.sizes.max_pixels,
                "max_images": rules.max_images,
                "max_body_bytes": self._settings.max_body_bytes,
            },
        }

    def paint_json(
        self, content: dict[str, Any], *, is_there: Callable[[], bool] = lambda: True
    ) -> list[dict[str, Any]]:
        """Check a request given as a JSON object and paint it: the ``results`` of an answer.

        Raises:
            RequestError: malformed, or ``busy``. LabelMapError: a map cannot be painted.
            ClientGone: ``is_there`` said that nobody waits any more.
        """
        return self.paint(parse_request(content, rules=self.rules), is_there=is_there)

    def paint(
        self, request: PaintRequest, *, is_there: Callable[[], bool] = lambda: True
    ) -> list[dict[str, Any]]:
        """Paint every label map of a checked request, in order; raises as ``paint_json``."""
        chosen = [self._chosen_style(entry, request=request) for entry in request.inputs]
        orders = [
            Order(
                entry.label_map,
                seed=request.seed,
                style=request.style if style is None else style,
                image_format=request.image_format,
            )
            for entry, style in zip(request.inputs, chosen)
        ]
        painted = self._queue.paint(orders, is_there=is_there)
        return [
            self._result(entry, style=style, picture=picture, known=known, request=request)
            for entry, style, (picture, known) in zip(request.inputs, chosen, painted)
        ]

    def paint_array(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None = None,
        style: np.ndarray | str | None = None,
    ) -> np.ndarray:
        """Paint one label map [H, W]: ``uint8`` RGB [H, W, 3].

        ``style`` is a photo, the name of a style, or its numbers. Raises LabelMapError.
        """
        rules = self.rules
        rules.label_set.check(label_map)
        height, width = label_map.shape
        rules.sizes.check(height=height, width=width, where="label map")
        label_map = label_map.astype(np.uint8)
        return self._queue.call(lambda: self.painter.paint(label_map, seed=seed, style=style))

    def _paint_orders(self, orders: Sequence[Order]) -> list[np.ndarray]:
        if len(orders) == 1:
            (order,) = orders
            return [self.painter.paint(order.label_map, seed=order.seed, style=order.style)]
        return self.painter.paint_many(
            [order.label_map for order in orders],
            seeds=[order.seed for order in orders],
            styles=[order.style for order in orders],
        )

    def _chosen_style(self, entry: LabelInput, *, request: PaintRequest) -> np.ndarray | None:
        """The style that the model chooses where the request names none, ``float32`` [D]."""
        if not self.painter.style_dim or request.style is not None:
            return None
        return self.painter.chosen_style(entry.label_map, seed=request.seed)

    def _result(
        self,
        entry: LabelInput,
        *,
        style: np.ndarray | None,
        picture: Picture,
        known: bool,
        request: PaintRequest,
    ) -> dict[str, Any]:
        """What an answer says of one label map; a chosen ``style`` for others in its light."""
        height, width = entry.label_map.shape
        notes = [*entry.notes, *_padding_note(height, width, painter=self.painter)]
        told = {} if style is None else {"style_vector": [round(float(x), 4) for x in style]}
        return {
            **told,
            "image": base64.b64encode(picture.file()).decode("ascii"),
            "format": request.image_format,
            "width": width,
            "height": height,
            "seed": request.seed,
            "milliseconds": round(picture.seconds * 1000),
            "cached": known,
            "notes": [note.to_dict() for note in notes],
        }


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
