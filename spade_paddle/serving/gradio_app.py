"""A plain page of gradio for PaddleHub's ``/gradio/gaugan_doodle``; our own page does far more.

PaddleHub builds the page within a request, starts it in a forked process and hands requests on. So:
the page asks the service to paint, because in the fork a painter would wait for ever for threads
that it left behind; it does without gradio's queue, whose answers PaddleHub cannot hand on; and its
fonts are those of the computer, so that no other host is asked.
"""

from __future__ import annotations

import atexit
import base64
import io
import multiprocessing
import signal
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

import numpy as np
import requests
from flask import has_request_context, request
from PIL import Image

from spade_paddle.errors import ConfigError
from spade_paddle.serving.app import PREDICT_ROUTE

PAGE = "/gradio/gaugan_doodle"
TIMEOUT_SECONDS = 120
# gradio 4.44.1, the newest that PaddleHub 2.4.0 can live with, fails on newer ones
_BELOW = {"starlette": (0, 47), "pydantic": (2, 11)}

# From the path of a label map and a seed (or None) to a picture, uint8 RGB [H, W, 3].
Paint = Callable[[str, Any], np.ndarray]


class GradioPage:
    """What PaddleHub expects of ``create_gradio_app``: an object that can be launched."""

    def __init__(self, blocks: Any, *, root_path: str | None) -> None:
        self._blocks = blocks
        self._root_path = root_path

    def launch(self, *, server_port: int | None = None) -> None:
        """Serve the page on this computer only."""
        if self._root_path is not None:  # in the fork, which must not stop as the service does
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._blocks.launch(
            server_name="127.0.0.1",
            server_port=server_port,
            root_path=self._root_path,
            quiet=True,
            share=False,
        )


def gradio_page(paint: Paint) -> GradioPage:
    """Build the page.

    Args:
        paint: used where no service runs, as in a notebook; within a request the service is asked.

    Raises:
        ConfigError: gradio is not installed, or not with packages it works with.
    """
    _check_versions()
    root_path = None
    if has_request_context():
        atexit.register(_end_children)
        root_path = request.host_url.rstrip("/") + PAGE
        paint = _asking(f"http://127.0.0.1:{request.environ['SERVER_PORT']}{PREDICT_ROUTE}")
    return GradioPage(_blocks(paint), root_path=root_path)


def _end_children() -> None:
    """Or the process would wait at its end for the page to end by itself."""
    for child in multiprocessing.active_children():
        child.terminate()


def _blocks(paint: Paint) -> Any:
    import gradio  # slow to load, and most people never open this page

    def picture(path: str | None, seed: float | None) -> np.ndarray:
        """The picture of an uploaded label map; what is wrong is shown by gradio."""
        if not path:
            raise gradio.Error("Choose a label map first.")
        try:
            return paint(path, None if seed is None else int(seed))
        except Exception as error:
            raise gradio.Error(str(error)) from error

    theme = gradio.themes.Default(font="sans-serif", font_mono="monospace")
    with gradio.Blocks(title="GauGAN doodle", theme=theme, analytics_enabled=False) as blocks:
        gradio.Markdown("A label map (PNG of ids, or in the palette colours) becomes a landscape.")
        with gradio.Row():
            # an Image would be stored anew, lossy and in colours, and ids do not survive that
            label_map = gradio.File(file_types=[".png"], label="Label map")
            painted = gradio.Image(type="numpy", format="png", label="Picture")
        seed = gradio.Number(value=0, precision=0, label="Seed")
        gradio.Button("Paint").click(picture, [label_map, seed], painted, queue=False)
    return blocks


def _asking(address: str) -> Paint:
    """Paint by the service that runs already."""

    def paint(path: str, seed: int | None) -> np.ndarray:
        """``uint8`` [H, W, 3] RGB. Raises ConfigError with the service's sentence."""
        image = base64.b64encode(Path(path).read_bytes()).decode("ascii")
        session = requests.Session()
        session.trust_env = False  # a proxy must not be asked for this computer
        content = {"images": [image], "seed": seed}
        answer = session.post(address, json=content, timeout=TIMEOUT_SECONDS).json()
        if not answer["results"]:
            raise ConfigError(answer["msg"], code=answer["code"])
        data = base64.b64decode(answer["results"][0]["image"])
        return np.asarray(Image.open(io.BytesIO(data)))

    return paint


def _check_versions() -> None:
    """Gradio that cannot start would keep everybody who opens its page waiting for ever."""
    try:
        found = {name: version(name) for name in ("gradio", *_BELOW)}
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the gradio page needs {error.name}, which is not installed; 'pip install gradio "
            "-c constraints.txt', or use the doodle page at /",
            code="gradio_missing",
        ) from error
    for name, limit in _BELOW.items():
        numbers = tuple(int(part) for part in found[name].split(".")[:2])
        if numbers >= limit:
            below = ".".join(map(str, limit))
            raise ConfigError(
                f"the gradio page needs {name} below {below}, found {found[name]}; "
                f"'pip install \"{name}<{below}\"', or use the doodle page at /",
                code="gradio_versions",
            )
