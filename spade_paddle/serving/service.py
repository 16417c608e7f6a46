"""The painter behind its queue: requests become orders, painted pictures become answers."""

from __future__ import annotations

import base64
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import spade_paddle
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.serving.orders import Order, Picture
from spade_paddle.serving.prometheus_metrics import Metrics
from spade_paddle.serving.schema import read_file_order, read_orders
from spade_paddle.serving.settings import MIB, ServiceSettings
from spade_paddle.serving.work_queue import Client, WorkQueue

if TYPE_CHECKING:  # Paddle is heavy, and the tests here need none
    from spade_paddle.inference.painter import Painter


class PaintService:
    """Paints requests and describes what it can paint.

    Attributes: ``settings``; ``metrics``, what is counted; ``queue``, which requests wait in;
    ``is_ready`` once it is warmed up.

    The painter is loaded when it is first needed, not before: a process that forks workers must
    not hold one, because its computing threads do not survive the fork and the worker would wait
    for them for ever.
    """

    def __init__(self, *, load_painter: Callable[[], Painter], settings: ServiceSettings) -> None:
        self._load_painter = load_painter
        self._loading = threading.Lock()
        self._loaded: Painter | None = None
        self.settings = settings
        self.metrics = Metrics()
        self.queue = WorkQueue(
            length=settings.queue_length,
            max_wait_seconds=settings.max_wait_seconds,
            batch_size=settings.batch_size,
            cache_bytes=settings.cache_mib * MIB,
            metrics=lambda: self.metrics,
        )
        self.is_ready = False

    @classmethod
    def of_folder(cls, folder: Path, *, settings: ServiceSettings) -> PaintService:
        """A service of a model folder, which is checked now and loaded when it is first needed.

        Raises:
            ModelError: a file is missing or damaged.
        """
        from spade_paddle.inference.painter import Painter
        from spade_paddle.model_card import ModelCard

        ModelCard.open(folder)
        names = ("threads", "use_gpu", "engine", "keep_memory")
        given = {name: getattr(settings, name) for name in names}
        return cls(load_painter=lambda: Painter.load(folder, **given), settings=settings)

    @property
    def painter(self) -> Painter:
        """The painter, within the service's limits too; raises ModelError when it cannot be
        loaded."""
        with self._loading:
            if self._loaded is None:
                painter = self._load_painter()
                most = min(self.settings.max_pixels, painter.limits.max_pixels)
                painter.limits = dataclasses.replace(painter.limits, max_pixels=most)
                self._loaded = painter
            return self._loaded

    def warm_up(self) -> None:
        """Load and paint one picture, so that the first person does not wait for set-up."""
        painter = self.painter
        in_paddle_thread(painter.warm_up)
        build = (spade_paddle.__version__, painter.name, painter.version)
        self.metrics.build.labels(*build).set(1)
        self.is_ready = True

    def describe(self) -> dict[str, Any]:
        """The answer of ``GET /labels``: the label set, the model and the limits."""
        painter, settings = self.painter, self.settings
        return {
            **painter.label_set.to_dict(),
            "dont_care": DONT_CARE,
            "model": {
                "name": painter.name,
                "version": painter.version,
                "height": painter.height,
                "width": painter.width,
                "multiple": painter.multiple,
                "seed": painter.has_seeds,
                "style_photo": painter.has_styles,
                "styles": list(painter.styles),
            },
            "token": settings.api_token is not None,
            "limits": {
                **dataclasses.asdict(painter.limits),
                "max_images": settings.max_images,
                "max_body_bytes": settings.max_body_bytes,
            },
        }

    def paint_json(
        self, content: dict[str, Any], *, client: Client | None = None
    ) -> list[dict[str, Any]]:
        """Check a request given as a JSON object and paint it: the ``results`` of an answer.

        Raises:
            RequestError: malformed, or ``busy``. LabelMapError: a map cannot be painted.
            ClientGone: it waits no more.
        """
        orders = read_orders(content, painter=self.painter, max_images=self.settings.max_images)
        painted = self.queue.do(orders, self._paint, client=client)
        return [
            {
                "image": base64.b64encode(picture.file()).decode("ascii"),
                **self._told(order, picture, known),
            }
            for order, (picture, known) in zip(orders, painted)
        ]

    def paint_file(
        self, data: bytes, query: Mapping[str, str], *, client: Client | None = None
    ) -> tuple[bytes, dict[str, Any]]:
        """Check and paint a request whose body is a PNG file.

        Args:
            data: the body.
            query: what the address says after its ``?``.
            client: who waits, as for ``paint_json``, as are the errors.

        Returns:
            the picture's file, and what an answer in JSON tells beside it.
        """
        order = read_file_order(data, query, painter=self.painter)
        ((picture, known),) = self.queue.do([order], self._paint, client=client)
        return picture.file(), self._told(order, picture, known)

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
        painter = self.painter
        return in_paddle_thread(lambda: painter.paint(label_map, seed=seed, style=style))

    def _paint(self, orders: Sequence[Order]) -> list[Picture]:
        """Pictures of orders whose label maps have one size."""
        start = time.perf_counter()
        chosen = [self._chosen_style(order) for order in orders]
        images = self.painter.paint_many(
            [order.label_map for order in orders],
            seeds=[order.seed for order in orders],
            styles=[order.style if one is None else one for order, one in zip(orders, chosen)],
        )
        seconds = time.perf_counter() - start
        self.metrics.painting_seconds.observe(seconds)
        self.metrics.pictures.inc(len(orders))
        return [
            Picture(image, image_format=order.image_format, seconds=seconds, chosen_style=one)
            for order, image, one in zip(orders, images, chosen)
        ]

    def _chosen_style(self, order: Order) -> np.ndarray | None:
        """What the painter chooses where an order names no style and the model has some."""
        if order.style is not None or not self.painter.style_dim:
            return None
        return self.painter.chosen_style(order.label_map, seed=order.seed)

    def _told(self, order: Order, picture: Picture, known: bool) -> dict[str, Any]:
        """What an answer says of one picture; a chosen style for others in its light."""
        height, width = order.label_map.shape
        told = {
            "format": order.image_format,
            "width": width,
            "height": height,
            "seed": order.seed,
            "milliseconds": round(picture.seconds * 1000),
            "cached": known,
            "notes": [*order.notes, *_padding_note(height, width, painter=self.painter)],
        }
        if picture.chosen_style is not None:
            told["style_vector"] = [round(float(number), 4) for number in picture.chosen_style]
        return told


def _padding_note(height: int, width: int, *, painter: Painter) -> list[dict[str, Any]]:
    """A note when a size is not a multiple, so that the border was repeated and cut off again."""
    rows, columns = painter.padded_size(height, width)
    if (rows, columns) == (height, width):
        return []
    message = (
        f"{width} x {height} is not a multiple of {painter.multiple}; painted as {columns} x "
        f"{rows} with a repeated border, then cut back"
    )
    sizes = {"height": height, "width": width, "padded_height": rows, "padded_width": columns}
    return [{"code": "padded", "message": message, **sizes}]
