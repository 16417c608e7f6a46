"""The label sets that come with the project, by name, and the remaps between them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from spade_paddle.assets import CONFIGS, find_file, is_path
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.data.remap import Remap
from spade_paddle.errors import ConfigError

FOLDER = CONFIGS / "labels"


def label_set_names() -> list[str]:
    """The names that ``find_label_set`` knows, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_label_set(text: str | Path) -> LabelSet:
    """Read a label set by its name, such as ``landscape``, or from a file.

    Args:
        text: a path if it has a separator or ends in .yaml, .yml or .json; else a name.

    Raises:
        ConfigError: there is no such label set or file, or it is invalid.
    """
    return LabelSet.load(find_file(text, FOLDER, what="label set", code="label_set_unknown"))


def own_label_set(folder: Path) -> LabelSet | None:
    """Read the label set of a data set from its labels.json; None if there is no such file.

    The file has a label set or only the list of its labels. A list gets the name of the included
    label set with the same labels, or else that of the folder.

    Raises:
        ConfigError: the file is invalid.
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
    known = (find_label_set(name) for name in label_set_names())
    return next((each for each in known if each.labels == label_set.labels), label_set)


def find_remap(source: LabelSet, target: LabelSet) -> Remap:
    """Find the remap from one label set to another.

    It is read from configs/labels/remaps/SOURCE_to_TARGET.yaml if that exists. Otherwise it is the
    identity for equal sets, or maps every label to the one of the same English name, if the target
    has all of them.

    Raises:
        ConfigError: there is no remap, or its file is invalid.
    """
    pair = f"{source.name}_to_{target.name}"
    path = FOLDER / "remaps" / f"{pair}.yaml"
    if not is_path(pair) and path.is_file():
        return _read(path, source=source, target=target)
    if source.fingerprint() == target.fingerprint():
        return Remap.identity(source)
    remap = Remap.by_names(source, target)
    if remap is None:
        names = {label.name_en for label in target.labels}
        alone = [label.name_en for label in source.labels if label.name_en not in names]
        raise ConfigError(
            f"no remap from '{source.name}' to '{target.name}': {len(alone)} labels have no "
            f"counterpart of the same name ({', '.join(alone[:4])}"
            f"{', ...' if len(alone) > 4 else ''}); write {path} with 'from: {source.name}', "
            f"'to: {target.name}', 'labels: {{{target.labels[0].name_en}: [{alone[0]}]}}' and "
            "'default: dont_care'",
            code="remap_missing",
        )
    return remap


def _read(path: Path, *, source: LabelSet, target: LabelSet) -> Remap:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not YAML: {error}", code="remap_invalid") from error
    return Remap.from_dict(content, source=source, target=target, where=str(path))
