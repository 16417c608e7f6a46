"""What a run writes: metrics.jsonl, VisualDL, sample pictures. visualdl is imported only here.

VisualDL's steps are images seen. VisualDL shows only the newest file of a folder; so when a run is
resumed, a new file starts with everything that metrics.jsonl and samples/ hold.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spade_paddle.files import write_atomically, write_text_atomically

PICTURES_SHOWN = 50
"""The number of sample pictures, the newest ones, copied to VisualDL's new file when a run resumes;
each takes about a megabyte."""


class RunLog:
    """The log files of one run folder.

    Args:
        folder: the run folder.
        images_seen: where the run resumes; later entries are removed, because those steps will be
            repeated.
    """

    def __init__(self, folder: Path, *, images_seen: int) -> None:
        from visualdl import LogWriter

        self._samples = folder / "samples"
        self._metrics = folder / "metrics.jsonl"
        lines = self._lines_until(images_seen)
        for old in (folder / "vdl").glob("vdlrecords.*"):
            old.unlink()
        self._visualdl = LogWriter(logdir=str(folder / "vdl"))
        for line in lines:
            self._add_scalars(**line)
        for path in self._pictures_until(images_seen)[-PICTURES_SHOWN:]:
            images, _, name = path.stem.partition("-")
            with Image.open(path) as picture:
                self._add_picture(int(images), name, np.asarray(picture))

    def _pictures_until(self, images_seen: int) -> list[Path]:
        """Return the sample pictures up to this point; remove later ones."""
        kept = []
        for path in sorted(self._samples.glob("*-*.png")):
            if int(path.stem.partition("-")[0]) <= images_seen:
                kept.append(path)
            else:
                path.unlink()
        return kept

    def _lines_until(self, images_seen: int) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl up to this point; remove all others from the file."""
        if not self._metrics.exists():
            return []
        lines = [_read(line) for line in self._metrics.read_text(encoding="utf-8").splitlines()]
        kept = [line for line in lines if line is not None and line["images"] <= images_seen]
        write_text_atomically(self._metrics, "".join(json.dumps(line) + "\n" for line in kept))
        return kept

    def scalars(self, images_seen: int, values: dict[str, float]) -> None:
        """Log numbers by name to metrics.jsonl and VisualDL."""
        line = {"images": images_seen, **values}
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._add_scalars(**line)

    def picture(self, images_seen: int, name: str, picture: np.ndarray) -> None:
        """Log a picture, ``uint8`` [H, W, 3], to samples/ and VisualDL."""
        path = self._samples / f"{images_seen:010d}-{name}.png"
        write_atomically(path, lambda temporary: Image.fromarray(picture).save(temporary, "PNG"))
        self._add_picture(images_seen, name, picture)

    def close(self) -> None:
        """Flush and close."""
        self._visualdl.close()

    def _add_scalars(self, *, images: int, **values: float) -> None:
        for name, value in values.items():
            self._visualdl.add_scalar(tag=name, step=images, value=value)

    def _add_picture(self, images_seen: int, name: str, picture: np.ndarray) -> None:
        self._visualdl.add_image(tag=name, step=images_seen, img=picture, dataformats="HWC")


def _read(line: str) -> dict[str, Any] | None:
    """Parse a line; None if it was truncated by a crash."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "images" in content else None
