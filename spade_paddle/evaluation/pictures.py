"""A folder of existing pictures as a contender."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spade_paddle.data.dataset import Folder, Pair, Scene
from spade_paddle.data.photos import PHOTO_ENDINGS, read_photo
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import DataError
from spade_paddle.files import sha256


class PictureFolder:
    """A folder with one picture for each scene, named like the scene.

    Pictures may show the whole scene or its central square, at any size: the central square is
    used, as for the photos.

    Args:
        name: name in the tables.
        folder: the folder, which may hold other pictures as well.
        pairs: the scenes.

    Raises:
        DataError: the folder is missing, a scene has no picture, or two pictures have one name.
    """

    style = None

    def __init__(self, name: str, folder: Path, pairs: Sequence[Pair]) -> None:
        self.model = self.title = name
        listed = Folder(folder, PHOTO_ENDINGS)
        listed.check(expected="--pictures takes a folder with a picture of each scene")
        missing = [pair.stem for pair in pairs if pair.stem not in listed.by_stem]
        if missing:
            named = ", ".join(missing[:6]) + (", ..." if len(missing) > 6 else "")
            raise DataError(
                f"{folder}: of the {len(pairs)} scenes {len(missing)} have no picture here: "
                f"{named}; add them, named like the photos of the scenes ({missing[0]}.png)",
                code="pictures_missing",
            )
        self._folder = folder
        self._files = {pair.stem: listed.by_stem[pair.stem][0] for pair in pairs}

    def paint(self, scene: Scene, *, seed: int) -> np.ndarray:
        """The picture of a scene at its size, ``uint8`` [H, W, 3]; ``seed`` is ignored.

        Raises:
            DataError: the picture cannot be read.
        """
        picture = read_photo(self._files[scene.name])
        blank = np.zeros(picture.shape[:2], np.uint8)
        return whole_picture(Scene(picture, blank), *scene.label_map.shape).photo

    def to_dict(self) -> dict[str, str]:
        """Identify the pictures: the folder, and the SHA-256 of all names and contents."""
        lines = (f"{stem} {sha256(path)}\n" for stem, path in sorted(self._files.items()))
        digest = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape"))
        folder = str(self._folder)
        return {"title": self.title, "folder": folder, "sha256": digest.hexdigest()}
