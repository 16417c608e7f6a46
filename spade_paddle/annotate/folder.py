"""Writes a data set of annotated photos: images, label maps and records.

    OUT/images/NAME.jpg    the photo, upright RGB, within the maximum size
    OUT/labels/NAME.png    its label map, with its record as text inside the PNG
    OUT/skipped/NAME.json  instead of both, for a photo that could not be read
    OUT/labels.json        the label set
    OUT/settings.json      the settings of the annotation
    OUT/manifest.jsonl     all records, one line per photo, sorted by name

The label map of a photo is written last, so a photo is done if its label map exists. The manifest
is generated from these files alone. So several machines can share one OUT, and a killed run loses
nothing.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.annotate.annotator import Annotation, Annotator
from spade_paddle.annotate.photo_list import Photo
from spade_paddle.annotate.records import RECORD, read_json, read_record, summary_of
from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.data.photos import is_plain, read_photo
from spade_paddle.errors import DataError
from spade_paddle.files import write_atomically, write_text_atomically


@dataclass(frozen=True)
class AnnotationSettings:
    """Settings of the annotation; all label maps of a folder have the same."""

    model: str  # AnnotatorFiles.fingerprint
    labels: str  # name of the label set
    scales: tuple[float, ...]
    flip: bool
    min_confidence: float
    edge_reach: float
    batch: int
    short_side: int | None


class DatasetWriter:
    """Annotates photos into a folder, skipping those that are done; files are written atomically.

    Args:
        out: the folder; created, or continued.
        annotator: predicts the label maps.
        settings: settings of annotator and photos.

    Raises:
        DataError: the folder contains label maps with other settings.
    """

    def __init__(self, out: Path, *, annotator: Annotator, settings: AnnotationSettings) -> None:
        self._out = out
        self._annotator = annotator
        self._settings = settings
        self._write_settings()

    def annotate(self, photos: Sequence[Photo]) -> Iterator[int]:
        """Annotate the photos that are not done yet; yield the number of photos after each batch.

        Batches are consecutive photos of the whole list. If any output of a batch is missing, the
        whole batch is repeated, so that an interrupted run produces the same bytes.
        """
        for start in range(0, len(photos), self._settings.batch):
            batch = photos[start : start + self._settings.batch]
            if not all(self._is_done(photo) for photo in batch):
                self._annotate_batch(batch)
            yield len(batch)

    def _annotate_batch(self, batch: Sequence[Photo]) -> None:
        opened = []
        for photo in batch:
            try:
                opened.append((photo, read_photo(photo.path, short_side=self._settings.short_side)))
            except DataError as error:
                self._skip(photo, str(error))
        annotations = self._annotator.annotate_batch([pixels for _, pixels in opened])
        for (photo, pixels), annotation in zip(opened, annotations):
            self._write(photo, pixels, annotation)

    def _write(self, photo: Photo, pixels: np.ndarray, annotation: Annotation) -> None:
        image = self._image(photo)
        if is_plain(photo.path, short_side=self._settings.short_side):
            write_atomically(image, lambda path: shutil.copyfile(photo.path, path))
        else:
            picture = Image.fromarray(pixels)
            write_atomically(image, lambda path: picture.save(path, "JPEG", quality=95))
        label_set = self._annotator.label_set
        summary = summary_of(annotation, label_set, self._settings.min_confidence)
        record = json.dumps({**photo.record, **summary}, ensure_ascii=False)
        self._skipped(photo).unlink(missing_ok=True)
        label_map = annotation.label_map
        write_label_map(self._label_map(photo), label_map, label_set, texts={RECORD: record})

    def _skip(self, photo: Photo, reason: str) -> None:
        for stale in (self._label_map(photo), self._image(photo)):
            stale.unlink(missing_ok=True)
        record = {**photo.record, "skipped": reason.replace(str(photo.path), photo.source)}
        write_text_atomically(self._skipped(photo), json.dumps(record, ensure_ascii=False) + "\n")

    def _is_done(self, photo: Photo) -> bool:
        if self._image(photo).is_file() and self._label_map(photo).is_file():
            record = read_record(self._label_map(photo))
        else:
            record = read_json(self._skipped(photo))
        return record is not None and record.get("sha256") == photo.record["sha256"]

    def _image(self, photo: Photo) -> Path:
        return self._out / "images" / f"{photo.name}.jpg"

    def _label_map(self, photo: Photo) -> Path:
        return self._out / "labels" / f"{photo.name}.png"

    def _skipped(self, photo: Photo) -> Path:
        return self._out / "skipped" / f"{photo.name}.json"

    def _write_settings(self) -> None:
        wanted = json.loads(json.dumps(dataclasses.asdict(self._settings)))
        path = self._out / "settings.json"
        kept = read_json(path)
        if kept is None:
            if (self._out / "labels").is_dir():
                raise DataError(
                    f"{self._out}: there are already label maps here, without settings.json; use "
                    "another --out",
                    code="out_taken",
                )
            labels = self._annotator.label_set.to_json()
            write_text_atomically(self._out / LABELS_FILE, labels, shared=True)
            write_text_atomically(path, json.dumps(wanted, indent=1) + "\n", shared=True)
        elif kept != wanted:
            differing = ", ".join(
                f"{name} {kept.get(name)!r}, now {wanted[name]!r}"
                for name in sorted(wanted)
                if kept.get(name) != wanted[name]
            )
            raise DataError(
                f"{self._out}: its label maps were made with other settings: {differing}; use "
                "those again, or another --out",
                code="settings_differ",
            )
