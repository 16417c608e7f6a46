"""One run of ``tools/annotate.py``: annotator, photos, manifest, review page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.annotate.choice import AnnotatorFiles, choose_annotator
from spade_paddle.annotate.folder import DatasetWriter, Settings
from spade_paddle.annotate.photo_list import find_photos, shard_of
from spade_paddle.annotate.records import write_manifest
from spade_paddle.annotate.review import write_review
from spade_paddle.data.labels import LabelSet


@dataclass(frozen=True)
class Report:
    """What a run came to."""

    out: Path
    records: list[dict[str, Any]]  # of all photos in OUT, also those of other shards

    def text(self) -> str:
        """For people: how many, how sure, what was skipped and why."""
        skipped = [record for record in self.records if "skipped" in record]
        done = [record for record in self.records if "skipped" not in record]
        lines = [f"skipped {record['photo']}: {record['skipped']}" for record in skipped]
        summary = f"{len(done)} photos with label maps in {self.out}"
        if done:
            confidence = sum(record["confidence"] for record in done) / len(done)
            summary += f", mean confidence {confidence:.2f}"
        if skipped:
            summary += f"; {len(skipped)} skipped"
        return "\n".join([*lines, summary])


class AnnotationJob:
    """Photos of a folder into a data set; the arguments are those of ``tools/annotate.py``.

    Raises:
        DataError: no photos, or OUT holds maps of other settings.
        ModelError: the annotator cannot be opened.
        ConfigError: no way from its labels to ``label_set``.
    """

    def __init__(
        self,
        *,
        photos: Path,
        out: Path,
        label_set: LabelSet,
        model: str,
        model_labels: str | None = None,
        scales: tuple[float, ...] = (1.0,),
        flip: bool = False,
        min_confidence: float = 0.0,
        batch: int = 4,
        short_side: int | None = 512,
        shard: tuple[int, int] = (1, 1),
    ) -> None:
        self._photos = shard_of(find_photos(photos), *shard)
        self._out = out
        self._label_set = label_set
        files = choose_annotator(model)
        annotator = Annotator.load(
            files,
            label_set=label_set,
            model_labels=model_labels,
            scales=scales,
            flip=flip,
            min_confidence=min_confidence,
        )
        settings = Settings(
            model=fingerprint(files),
            labels=label_set.name,
            scales=scales,
            flip=flip,
            min_confidence=min_confidence,
            batch=batch,
            short_side=short_side,
        )
        self._writer = DatasetWriter(out, annotator=annotator, settings=settings)

    def run(self) -> Report:
        """Annotate what is not annotated yet, with a progress bar on stderr."""
        with tqdm(total=len(self._photos), unit="photo") as progress:
            for count in self._writer.annotate(self._photos):
                progress.update(count)
        return Report(self._out, write_manifest(self._out))

    def review(self, report: Report) -> Path:
        """The page to look through all that is in OUT, as ``run`` reported it."""
        return write_review(self._out, report.records, self._label_set)


def fingerprint(files: AnnotatorFiles) -> str:
    """Says which annotator it was: a hash of its files, or of its file and the weights' address."""
    digest = hashlib.sha256(files.config.read_bytes())
    weights = Path(files.weights)
    digest.update(weights.read_bytes() if weights.is_file() else files.weights.encode())
    return digest.hexdigest()[:16]
