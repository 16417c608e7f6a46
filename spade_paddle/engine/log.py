"""What a run writes while it goes: metrics.jsonl, VisualDL, sample pictures. Only here: visualdl.

VisualDL's steps are images seen.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.files import write_atomically, write_text_atomically


class RunLog:
    """The log files of one run folder.

    Args:
        folder: the run folder.
        images_seen: where the run goes on; later lines of an interrupted run are dropped, since
            their steps will be done again.
    """

    def __init__(self, folder: Path, *, images_seen: int) -> None:
        from visualdl import LogWriter

        self._folder = folder
        self._metrics = folder / "metrics.jsonl"
        if self._metrics.exists():
            lines = self._metrics.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _images_of(line) <= images_seen]
            write_text_atomically(self._metrics, "".join(line + "\n" for line in kept))
        self._visualdl = LogWriter(logdir=str(folder / "vdl"))

    def scalars(self, images_seen: int, values: dict[str, float]) -> None:
        """Write numbers by name, at this point of the run."""
        line = json.dumps({"images": images_seen, **values})
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in values.items():
            self._visualdl.add_scalar(tag=name, step=images_seen, value=value)

    def picture(self, images_seen: int, name: str, picture: np.ndarray) -> None:
        """Write a picture, ``uint8`` [H, W, 3], to samples/ and VisualDL."""
        path = self._folder / "samples" / f"{images_seen:010d}-{name}.png"
        write_atomically(path, lambda temporary: Image.fromarray(picture).save(temporary, "PNG"))
        self._visualdl.add_image(tag=name, step=images_seen, img=picture, dataformats="HWC")

    def close(self) -> None:
        """Flush and close."""
        self._visualdl.close()


def _images_of(line: str) -> float:
    try:
        return json.loads(line)["images"]
    except (ValueError, KeyError, TypeError):
        return float("inf")  # a line cut off by a crash
