"""The service with a painter without a network, run as a process: ``THREADED|GUNICORN PORT PIPES``.

A picture of seed 13 is held: the painter writes a line into the pipe PIPES/begun, then waits for
the end of the pipe PIPES/go_on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import paddle  # noqa: F401 - first, as in the real service: it takes the signals that follow
from flask import Flask

from spade_paddle.data.labels import LabelSet
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.serving.app import extend
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.settings import ServiceSettings

HELD_SEED = 13


class Painter:
    """Paints the palette colors."""

    name, version, multiple, height, width = "stand-in", "1", 32, 64, 64
    has_styles, has_seeds, styles, style_dim, large = False, True, {}, 0, None
    limits = SizeLimits(min_side=32, max_pixels=2**20)

    def __init__(self, pipes: Path) -> None:
        self._pipes = pipes
        root = Path(__file__).parents[2]
        self.label_set = LabelSet.load(root / "configs/labels/landscape.yaml")

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def check(self, label_map, *, where: str) -> None:
        self.label_set.check(label_map, where=where)

    def warm_up(self) -> None:
        """Nothing to load."""

    def paint_many(self, label_maps, *, seeds, styles) -> list[np.ndarray]:
        if HELD_SEED in seeds:
            (self._pipes / "begun").write_text("begun\n")
            (self._pipes / "go_on").read_text()
        return [self.label_set.colorize(label_map) for label_map in label_maps]


def main() -> None:
    mode, port, pipes = sys.argv[1:]
    settings = ServiceSettings.read({"port": int(port)})
    service = PaintService(load_painter=lambda: Painter(Path(pipes)), settings=settings)
    app = Flask("stand-in", static_folder=None)
    extend(app, service=service)
    if mode == "THREADED":
        from spade_paddle.serving.web_server import serve

        serve(app, port=settings.port, service=service)
    else:
        from spade_paddle.serving.gunicorn_server import PlainApplication

        PlainApplication(app, service=service).run()


if __name__ == "__main__":
    main()
