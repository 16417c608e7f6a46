"""The label set that a data set brings along in its labels.json."""

from __future__ import annotations

import json
from pathlib import Path

from spade_paddle.data.label_sets import find_label_set, label_set_names
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.errors import ConfigError


def own_label_set(folder: Path) -> LabelSet | None:
    """The label set of ``folder/labels.json``; None where there is no such file.

    The file holds a label set, or only the list of its labels. Such a list has no name: it gets
    that of the label set of the project with the same labels, or else that of the folder.

    Raises:
        ConfigError: the file is broken.
    """
    path = folder / LABELS_FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: this is not JSON: {error}", code="label_set_invalid") from error
    if not isinstance(content, list):
        return LabelSet.from_dict(content, where=str(path))
    named = {"name": folder.resolve().name, "labels": content}
    label_set = LabelSet.from_dict(named, where=str(path))
    for known in (find_label_set(name) for name in label_set_names()):
        if known.labels == label_set.labels:
            return known
    return label_set
