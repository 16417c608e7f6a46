"""Records of annotated photos: stored inside the label maps, collected in a manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spade_paddle.annotate.annotator import Annotation
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.files import write_text_atomically

RECORD = "annotation"  # keyword of the PNG text that holds the record


def summary_of(
    annotation: Annotation, label_set: LabelSet, min_confidence: float
) -> dict[str, Any]:
    """Summarize a label map for the manifest: its size, the share of each label, confidence."""
    height, width = annotation.label_map.shape
    counts = np.bincount(annotation.label_map.reshape(-1), minlength=256)
    names = {label.id: label.name_en for label in label_set.labels}
    names[DONT_CARE] = "dont_care"
    return {
        "width": width,
        "height": height,
        "shares": {
            name: round(counts[index] / annotation.label_map.size, 5)
            for index, name in names.items()
            if counts[index]
        },
        "confidence": round(float(annotation.confidence.mean(dtype=np.float64)), 4),
        "low_confidence": round(float((annotation.confidence < min_confidence).mean()), 5),
    }


def write_manifest(out: Path) -> list[dict[str, Any]]:
    """Collect the records of all photos in ``OUT/manifest.jsonl``; return them sorted by name."""
    records = [read_record(path) for path in (out / "labels").glob("*.png")]
    records += [read_json(path) for path in (out / "skipped").glob("*.json")]
    known = sorted((record for record in records if record), key=lambda record: record["name"])
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in known]
    write_text_atomically(out / "manifest.jsonl", "".join(lines), shared=True)
    return known


def read_record(path: Path) -> dict[str, Any] | None:
    """Read the record inside a label map written by ``DatasetWriter``; None if there is none."""
    try:
        with Image.open(path) as image:
            return json.loads(image.info[RECORD])
    except (OSError, KeyError, ValueError):
        return None


def read_json(path: Path) -> dict[str, Any] | None:
    """Read the object in a JSON file; None if the file does not exist or is incomplete."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
