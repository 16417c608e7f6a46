"""Lists the photos of a folder, in a deterministic order and with deterministic names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spade_paddle.data.photos import CAMERA_ENDINGS
from spade_paddle.errors import DataError
from spade_paddle.files import sha256


@dataclass(frozen=True)
class Photo:
    """One photo to annotate: its file, its path inside the folder of photos (``source``), and the
    stem of its files in the data set (``name``)."""

    path: Path
    source: str
    name: str

    @cached_property
    def record(self) -> dict[str, str]:
        """The first fields of its record: both names, and the SHA-256 of the file; empty if the
        file cannot be read, which is reported when the photo is read."""
        try:
            digest = sha256(self.path)
        except OSError:
            digest = ""
        return {"name": self.name, "photo": self.source, "sha256": digest}


def find_photos(folder: Path) -> list[Photo]:
    """List all photos in a folder and its subfolders, sorted by path.

    ``a/b.jpg`` gets the name ``a__b``; if two photos would get the same name, the extension is
    appended.

    Raises:
        DataError: there is no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: there is no such folder of photos; check the path", code="photos_missing"
        )
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in CAMERA_ENDINGS and not path.name.startswith(".")
    )
    if not paths:
        raise DataError(
            f"{folder}: there is no photo here; expected files of {', '.join(CAMERA_ENDINGS)}",
            code="photos_missing",
        )
    names = ["__".join(path.relative_to(folder).with_suffix("").parts) for path in paths]
    counts = Counter(name.lower() for name in names)
    return [
        Photo(
            path,
            source=path.relative_to(folder).as_posix(),
            name=name if counts[name.lower()] == 1 else name + path.suffix.replace(".", "_"),
        )
        for path, name in zip(paths, names)
    ]


def shard_of(photos: Sequence[Photo], index: int, count: int) -> list[Photo]:
    """Return the photos for the ``index``-th (1..count) of ``count`` machines."""
    return list(photos[index - 1 :: count])
