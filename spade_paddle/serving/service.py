"""The paint service: validates requests, queues them, paints, and builds the results."""

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
from spade_paddle.inference.natural_edges import EDGES, has_rough_edges, natural_edges
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.serving.orders import Order, Picture
from spade_paddle.serving.prometheus_metrics import Metrics
from spade_paddle.serving.schema import one_of, read_file_order, read_orders
from spade_paddle.serving.settings import MIB, ServiceSettings
from spade_paddle.serving.work_queue import Client, WorkQueue

if TYPE_CHECKING:  # importing it loads Paddle, which the tests of the service do not need
    from spade_paddle.inference.painter import Painter


class PaintService:
    """Paints requests, and describes the model and its limits.

    Attributes: ``settings``; ``metrics``; ``queue``, in which requests wait; ``is_ready``, True
    after warm-up.

    The painter is loaded on first use: a process that forks workers must not hold one, because its
    threads do not survive the fork, and a worker would wait for them forever.
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
        """Create the service of a model folder, which is checked now and loaded on first use.

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
        """The painter, with the service's size limits applied. Loads it on first use, which raises
        ModelError if the model folder is damaged."""
        with self._loading:
            if self._loaded is None:
                painter = self._load_painter()
                most = min(self.settings.max_pixels, painter.limits.max_pixels)
                painter.limits = dataclasses.replace(painter.limits, max_pixels=most)
                self._loaded = painter
            return self._loaded

    def warm_up(self) -> None:
        """Load the model and paint once, so that the first request does not wait for set-up."""
        painter = self.painter
        in_paddle_thread(painter.warm_up)
        build = (spade_paddle.__version__, painter.name, painter.version)
        self.metrics.build.labels(*build).set(1)
        self.is_ready = True

    def describe(self) -> dict[str, Any]:
        """The response of ``GET /labels``: the label set, the model and the limits."""
        painter, settings = self.painter, self.settings
        large = painter.large
        # the page paints doodles of the model's size at twice that size
        if large is not None and 4 * painter.height * painter.width > painter.limits.max_pixels:
            large = None
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
                "natural_edges": has_rough_edges(painter.label_set),
                "styles": list(painter.styles),
                "large": None
                if large is None
                else {key: getattr(large, key) for key in ("version", "height", "width")},
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
        """Validate and paint a request given as a JSON object; the ``results`` of the response.

        Raises:
            RequestError: a malformed request, or ``busy``.
            LabelMapError: a label map cannot be painted.
            ClientGone: the client disconnected.
        """
        orders = read_orders(content, painter=self.painter, max_images=self.settings.max_images)
        painted = self.queue.do(orders, self._paint, client=client)
        return [
            {
                "image": base64.b64encode(picture.file()).decode("ascii"),
                **self._metadata(order, picture, cached=known),
            }
            for order, (picture, known) in zip(orders, painted)
        ]

    def paint_file(
        self, data: bytes, query: Mapping[str, str], *, client: Client | None = None
    ) -> tuple[bytes, dict[str, Any]]:
        """Validate and paint a request whose body is a PNG file; errors as of ``paint_json``.

        Args:
            data: the body.
            query: the parameters in the URL.
            client: the client that waits.

        Returns:
            The picture's file, and its metadata: the fields of a JSON result without ``image``.
        """
        order = read_file_order(data, query, painter=self.painter)
        ((picture, known),) = self.queue.do([order], self._paint, client=client)
        return picture.file(), self._metadata(order, picture, cached=known)

    def paint_array(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None = None,
        style: np.ndarray | str | None = None,
        edges: str = "drawn",
    ) -> np.ndarray:
        """Paint one label map without queueing; see ``Painter.paint`` and, for ``edges``,
        ``Order``."""
        painter = self.painter
        painter.check(label_map)
        edges = one_of(EDGES, {"edges": edges}, "edges")
        label_map = self._with_edges(label_map, edges, seed=seed)
        return in_paddle_thread(lambda: painter.paint(label_map, seed=seed, style=style))

    def _paint(self, orders: Sequence[Order]) -> list[Picture]:
        """Paint orders whose label maps have the same size, as one batch."""
        start = time.perf_counter()
        chosen = [self._chosen_style(order) for order in orders]
        images = self.painter.paint_many(
            [self._with_edges(each.label_map, each.edges, seed=each.seed) for each in orders],
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

    def _with_edges(self, label_map: np.ndarray, edges: str, *, seed: int | None) -> np.ndarray:
        if edges == "drawn":
            return label_map
        return natural_edges(label_map, self.painter.label_set, seed=seed)

    def _chosen_style(self, order: Order) -> np.ndarray | None:
        """The style that the model chooses for an order without one; None for other orders."""
        if order.style is not None or not self.painter.style_dim:
            return None
        return self.painter.chosen_style(order.label_map, seed=order.seed)

    def _metadata(self, order: Order, picture: Picture, *, cached: bool) -> dict[str, Any]:
        """The fields of a result that describe a picture. A style chosen by the model is included,
        so that the client can paint other maps with it."""
        height, width = order.label_map.shape
        metadata = {
            "format": order.image_format,
            "width": width,
            "height": height,
            "seed": order.seed,
            "milliseconds": round(picture.seconds * 1000),
            "cached": cached,
            "notes": [*order.notes, *_padding_note(height, width, painter=self.painter)],
        }
        if picture.chosen_style is not None:
            metadata["style_vector"] = [round(float(number), 4) for number in picture.chosen_style]
        return metadata


def _padding_note(height: int, width: int, *, painter: Painter) -> list[dict[str, Any]]:
    """A note if the size is no multiple, so that the map is padded and the picture cropped."""
    rows, columns = painter.padded_size(height, width)
    if (rows, columns) == (height, width):
        return []
    message = (
        f"{width} x {height} is not a multiple of {painter.multiple}; painted at {columns} x "
        f"{rows} with a repeated border, then cropped"
    )
    sizes = {"height": height, "width": width, "padded_height": rows, "padded_width": columns}
    return [{"code": "padded", "message": message, **sizes}]
