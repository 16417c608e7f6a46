"""The label sets that come with the project, by name, and the remaps between them."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from spade_paddle.assets import CONFIGS
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.remap import Remap
from spade_paddle.errors import ConfigError, did_you_mean

FOLDER = CONFIGS / "labels"
_ENDINGS = (".yaml", ".yml", ".json")


def label_set_names() -> list[str]:
    """The names that ``find_label_set`` knows, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_label_set(text: str | Path) -> LabelSet:
    """A label set by its name, such as ``landscape``, or from a file.

    Args:
        text: a file if it holds a separator or ends in .yaml, .yml or .json; else a name.

    Raises:
        ConfigError: there is no such label set or file, or it is broken.
    """
    name = str(text)
    if name.endswith(_ENDINGS) or not _is_plain(name):
        return LabelSet.load(name)
    names = label_set_names()
    if name in names:
        return LabelSet.load(FOLDER / f"{name}.yaml")
    advice = did_you_mean(name, names, otherwise=f"there are {', '.join(names)}")
    raise ConfigError(
        f"there is no label set '{name}'; {advice}; or give a file, such as ./labels.yaml",
        code="label_set_unknown",
    )


def find_remap(source: LabelSet, target: LabelSet) -> Remap:
    """The remap from one label set to another.

    It is read from configs/labels/remaps/SOURCE_to_TARGET.yaml where there is one. Else equal sets
    need none, and labels of the same English names go to each other, if every source label has
    such a one.

    Raises:
        ConfigError: there is no remap, or its file is broken.
    """
    file_name = f"{source.name}_to_{target.name}.yaml"
    path = FOLDER / "remaps" / file_name
    if _is_plain(file_name) and path.is_file():
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


def _is_plain(name: str) -> bool:
    """Whether a name holds no separator of folders."""
    return not any(separator and separator in name for separator in ("/", os.sep, os.altsep))


def _read(path: Path, *, source: LabelSet, target: LabelSet) -> Remap:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not YAML: {error}", code="remap_invalid") from error
    return Remap.from_dict(content, source=source, target=target, where=str(path))
