"""Label files -> painted files: what ``hub run gaugan_doodle`` does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from spade_paddle.data.dataset import MAP_ENDINGS, Folder
from spade_paddle.data.photos import read_photo
from spade_paddle.errors import DataError, LabelMapError
from spade_paddle.files import write_atomically
from spade_paddle.serving.orders import encode_image
from spade_paddle.serving.sent_pictures import read_sent_label_map
from spade_paddle.serving.service import PaintService


def read_label_file(path: str | Path, *, service: PaintService) -> np.ndarray:
    """Read a label map ``uint8`` [H, W] from a PNG file.

    Raises:
        DataError: the file cannot be read.
        RequestError: it is not a picture.
        LabelMapError: it is not a label map that the model can paint.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: expected a label map (PNG), but it cannot be read ({error.strerror}); "
            "check the path",
            code="file_unreadable",
        ) from error
    return read_sent_label_map(data, painter=service.painter, where=str(path))[0]


def read_style(style: str | Path, *, service: PaintService) -> np.ndarray | str:
    """Resolve a style argument: the name of one of the model's styles, or the path of a photo.

    Returns:
        The name, or the photo as ``uint8`` RGB [h, w, 3].

    Raises:
        DataError: the photo cannot be read.
        LabelMapError: it is neither a name nor a file.
    """
    names = service.painter.styles
    if str(style) in names:
        return str(style)
    if not Path(style).is_file():
        advice = f"choose one of {', '.join(names)}" if names else "give the path of a photo"
        raise LabelMapError(
            f"style: '{style}' is neither a style of this model nor a file; {advice}",
            code="style_unknown",
            known=list(names),
        )
    return read_photo(style)


def label_files(path: str | Path) -> list[Path]:
    """List the label files at a path: the file, or the PNGs of a folder. Raises DataError."""
    path = Path(path)
    if path.is_file():
        return [path]
    folder = Folder(path, MAP_ENDINGS)
    folder.check(expected="expected a label map (PNG) or a folder of them, but there is nothing")
    return [files[0] for files in folder.by_stem.values()]


def paint_files(
    input_path: str | Path,
    output_dir: str | Path,
    *,
    service: PaintService,
    seed: int | None = None,
    style: str | None = None,
    image_format: str = "png",
    edges: str = "drawn",
) -> list[Path]:
    """Paint each label file into ``output_dir`` under its own name.

    Pictures are written atomically. The first file that cannot be painted raises its error.

    Args:
        input_path: see ``label_files``.
        output_dir: created if missing.
        service: paints.
        seed: see ``Painter.paint``.
        style: see ``read_style``.
        image_format: ``png`` or ``jpeg``.
        edges: ``drawn`` or ``natural``.

    Returns:
        The paths of the pictures.

    Raises:
        DataError: a file cannot be read or written, or would be overwritten by its picture.
        RequestError, LabelMapError: as of ``read_label_file``.
    """
    resolved = None if style is None else read_style(style, service=service)
    output_dir = Path(output_dir)
    written = []
    for file in label_files(input_path):
        target = output_dir / f"{file.stem}.{image_format}"
        if target.exists() and target.samefile(file):
            raise DataError(
                f"{file}: the picture would replace the label map; choose another output folder",
                code="would_overwrite",
            )
        label_map = read_label_file(file, service=service)
        image = service.paint_array(label_map, seed=seed, style=resolved, edges=edges)
        data = encode_image(image, image_format=image_format)
        try:
            write_atomically(target, partial(Path.write_bytes, data=data), shared=True)
        except OSError as error:
            raise DataError(
                f"{target}: cannot be written ({error.strerror}); choose another output folder",
                code="file_unwritable",
            ) from error
        written.append(target)
    return written
