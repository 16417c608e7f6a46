"""A painter without a network: the rest of the service cannot tell the difference."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flask import Flask

from spade_paddle.data.labels import LabelSet
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.inference.painter import Painter
from spade_paddle.serving.annotating import AnnotatingService
from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
MODES = ("THREADED", "GUNICORN")  # of stand_in_server.py


class FakePainter:
    """Paints the palette colors; can be held in the middle of a picture, and can fail."""

    name = "fake"
    version = "0.0.1"
    multiple = 32
    height = 64
    width = 64
    has_styles = False
    style_dim = 0
    has_seeds = True
    large: SimpleNamespace | None = None
    limits = SizeLimits(min_side=32, max_pixels=1024 * 1024)

    def __init__(self, label_set: LabelSet) -> None:
        self.label_set = label_set
        self.styles = {"bright": np.zeros(4, np.float32)}
        self.painted = 0
        self.batches: list[int] = []
        self.asked_styles: list[np.ndarray | str | None] = []
        self.inside = 0
        self.most_inside = 0
        self.failure: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    padded_size = Painter.padded_size

    def check(self, label_map: np.ndarray, *, where: str = "label map") -> None:
        self.label_set.check(label_map, where=where)
        self.limits.check(height=label_map.shape[0], width=label_map.shape[1], where=where)

    def warm_up(self) -> None:
        self.paint(np.zeros((self.height, self.width), np.uint8))

    def paint(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None = None,
        style: np.ndarray | str | None = None,
    ) -> np.ndarray:
        self.check(label_map)
        self.asked_styles.append(style)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            if self.failure:
                raise self.failure
            assert self.go_on.wait(30), "the test did not let the painter go on"
            self.painted += 1
            return self.label_set.colorize(label_map)
        finally:
            self.inside -= 1

    def paint_many(self, label_maps, *, seeds, styles) -> list[np.ndarray]:
        self.batches.append(len(label_maps))
        return [
            self.paint(label_map, seed=seed, style=style)
            for label_map, seed, style in zip(label_maps, seeds, styles)
        ]


def wait_until(holds: Callable[[], object]) -> None:
    """Until something holds that other threads or processes are about to make true."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "that never came true"
        time.sleep(0.01)


class FakeAnnotator:
    """The red of a pixel, divided by 16, is its label; can be held, and can fail."""

    def __init__(self, label_set: LabelSet) -> None:
        self.label_set = label_set
        self.seen: list[tuple[int, ...]] = []
        self.threads: set[int] = set()
        self.entered = threading.Event()
        self.failure: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def annotate(self, photo: np.ndarray) -> SimpleNamespace:
        if self.failure:
            raise self.failure
        self.threads.add(threading.get_ident())
        self.entered.set()
        assert self.go_on.wait(30), "the test did not let the annotator go on"
        self.seen.append(photo.shape)
        label_map = np.minimum(photo[..., 0] // 16, len(self.label_set) - 1)
        return SimpleNamespace(label_map=label_map)


@pytest.fixture(scope="session")
def label_set() -> LabelSet:
    return LabelSet.load(ROOT / "configs/labels/landscape.yaml")


@pytest.fixture
def painter(label_set) -> FakePainter:
    return FakePainter(label_set)


@pytest.fixture
def annotator(label_set) -> FakeAnnotator:
    return FakeAnnotator(label_set)


@pytest.fixture
def make_client(painter, annotator, tmp_path):
    """Build a test client; keyword arguments are settings."""

    def make(*, app: Flask | None = None, warm: bool = True, paddleseg: bool = False, **given):
        settings = ServiceSettings.read(given, environ={})
        service = PaintService(load_painter=lambda: painter, settings=settings)
        if warm:
            service.warm_up()
        app = app or Flask("test")
        static = tmp_path / "static"
        (static / "ui").mkdir(parents=True, exist_ok=True)
        (static / "index.html").write_text("<title>doodle</title>", encoding="utf-8")
        (static / "ui/main.js").write_text("export {}", encoding="utf-8")
        annotating = AnnotatingService(
            service, load_annotator=None if paddleseg else lambda: annotator
        )
        extend(app, service=service, annotating=annotating, page=static)
        return app.test_client()

    return make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def start(processes, tmp_path):
    """Serve with a painter that can be held: start(mode, **settings) -> (server, pipes)."""

    from tests.serving.processes import stand_in  # which needs this module

    return functools.partial(stand_in, tmp_path)
