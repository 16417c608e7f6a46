"""Label files -> painted files: what ``hub run gaugan_doodle`` does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np

from spade_paddle.data.photos import read_photo
from spade_paddle.errors import DataError, LabelMapError
from spade_paddle.serving.label_images import decode_label_image
from spade_paddle.serving.picture import encode_image
from spade_paddle.serving.schema import LabelInput
from spade_paddle.serving.service import PaintService


def read_label_file(path: str | Path, *, service: PaintService) -> LabelInput:
    """Read a label map from a PNG file. Raises DataError, RequestError or LabelMapError."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: expected a label map (PNG), but it cannot be read ({error.strerror}); "
            "check the path",
            code="file_unreadable",
        ) from error
    label_map, notes = decode_label_image(
        data, label_set=service.rules.label_set, limits=service.rules.sizes, where=str(path)
    )
    return LabelInput(label_map, tuple(notes))


def read_style(style: str | Path, *, service: PaintService) -> np.ndarray | str:
    """A style given in words: the name of one of the model's, or the path of a photo.

    Returns:
        the name, or the photo, ``uint8`` RGB [h, w, 3].

    Raises:
        DataError: the photo cannot be read. LabelMapError: neither a name nor a file.
    """
    names = service.rules.style_names
    if str(style) in names:
        return str(style)
    if not Path(style).is_file():
        known = f"it knows {', '.join(names)}" if names else "it knows none by name"
        raise LabelMapError(
            f"style: this model has no style '{style}' and there is no such photo; {known}",
            code="style_unknown",
            known=list(names),
        )
    return read_photo(style)


def label_files(path: str | Path) -> list[Path]:
    """The label files at a path: itself, or the PNGs of a folder. Raises DataError."""
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(
            f"{path}: expected a label map (PNG) or a folder of them, but there is nothing; "
            "check the path",
            code="file_unreadable",
        )
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".png")
    if not files:
        raise DataError(
            f"{path}: expected a folder with PNG files, but it has none; label maps end in .png",
            code="file_unreadable",
        )
    return files


def paint_files(
    input_path: str | Path,
    output_dir: str | Path,
    *,
    service: PaintService,
    seed: int | None = None,
    style: str | None = None,
    image_format: str = "png",
) -> list[Path]:
    """Paint each label file into ``output_dir`` under its own name; returns the new paths.

    A picture appears under its name only when it is complete. The first bad file ends the work.
    ``style`` is as in ``read_style``.
    """
    given = None if style is None else read_style(style, service=service)
    output_dir = Path(output_dir)
    written = []
    for file in label_files(input_path):
        target = output_dir / f"{file.stem}.{image_format}"
        if target.exists() and target.samefile(file):
            raise DataError(
                f"{file}: the picture would replace the label map; choose another output folder",
                code="would_overwrite",
            )
        label_map = read_label_file(file, service=service).label_map
        image = service.paint_array(label_map, seed=seed, style=given)
        _write(target, encode_image(image, image_format=image_format))
        written.append(target)
    return written


def _write(target: Path, data: bytes) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise DataError(
            f"{target}: cannot be written ({error.strerror}); choose another output folder",
            code="file_unwritable",
        ) from error
