"""The photos of a folder, in an order and under names that are always the same."""

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
    """One photo to annotate: its file, its path inside the folder of photos, and the name its files
    get in the data set."""

    path: Path
    source: str
    name: str

    @cached_property
    def record(self) -> dict[str, str]:
        """What its record begins with: the two names and the SHA-256 of the file, empty when it
        cannot be read, which reading the photo will tell."""
        try:
            digest = sha256(self.path)
        except OSError:
            digest = ""
        return {"name": self.name, "photo": self.source, "sha256": digest}


def find_photos(folder: Path) -> list[Photo]:
    """All photos in a folder and its subfolders, sorted by path, with a name for each.

    ``a/b.jpg`` becomes ``a__b``; where two photos would get one name, the ending is added.

    Raises:
        DataError: no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder of photos", code="photos_missing")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in CAMERA_ENDINGS and not path.name.startswith(".")
    )
    if not paths:
        raise DataError(
            f"{folder}: there is no photo here ({', '.join(CAMERA_ENDINGS)})", code="photos_missing"
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
    """The photos of the ``index``-th (1..count) of ``count`` machines."""
    return list(photos[index - 1 :: count])
