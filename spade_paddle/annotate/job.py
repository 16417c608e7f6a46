"""One run of ``tools/annotate.py``: photos, annotator, manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.annotate.annotator_files import choose_annotator
from spade_paddle.annotate.folder import AnnotationSettings, DatasetWriter
from spade_paddle.annotate.photo_list import find_photos, shard_of
from spade_paddle.annotate.records import write_manifest
from spade_paddle.data.labels import LabelSet


def annotate_photos(
    photos: Path,
    out: Path,
    *,
    label_set: LabelSet,
    model: str,
    model_labels: str | None = None,
    shard: tuple[int, int] = (1, 1),
    batch: int = 4,
    short_side: int | None = 512,
    **options: Any,
) -> list[dict[str, Any]]:
    """Annotate the photos of a folder that are not done yet, with a progress bar on stderr.

    The arguments are those of ``tools/annotate.py``; ``options`` are ``scales``, ``flip``,
    ``min_confidence`` and ``edge_reach`` of ``Annotator``.

    Returns:
        the records of all photos in ``out``, including those of other shards.

    Raises:
        DataError: there are no photos, or ``out`` holds label maps with other settings.
        ModelError: the annotator cannot be opened.
        ConfigError: its labels cannot be converted to ``label_set``.
    """
    wanted = shard_of(find_photos(photos), *shard)
    files = choose_annotator(model)
    writer = DatasetWriter(
        out,
        annotator=Annotator.load(files, label_set=label_set, model_labels=model_labels, **options),
        settings=AnnotationSettings(
            model=files.fingerprint,
            labels=label_set.name,
            batch=batch,
            short_side=short_side,
            **options,
        ),
    )
    with tqdm(total=len(wanted), unit="photo") as progress:
        for count in writer.annotate(wanted):
            progress.update(count)
    return write_manifest(out)


def summary_text(out: Path, records: Sequence[dict[str, Any]]) -> str:
    """Format the records: counts, mean confidence, and which photos were skipped and why."""
    skipped = [record for record in records if "skipped" in record]
    done = [record for record in records if "skipped" not in record]
    lines = [f"skipped {record['photo']}: {record['skipped']}" for record in skipped]
    summary = f"{len(done)} photos with label maps in {out}"
    if done:
        confidence = sum(record["confidence"] for record in done) / len(done)
        summary += f", mean confidence {confidence:.2f}"
    if skipped:
        summary += f"; {len(skipped)} skipped"
    return "\n".join([*lines, summary])
