"""From the ids of one label set to those of another.

A remap file says which labels of the one set become which label of the other:

    from: ade20k
    to: landscape
    same_names: true      # optional: labels of the same English name go to each other
    labels:
      tree: [tree, palm, plant]
    default: other        # what all others become: a label, or dont_care
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.errors import ConfigError, did_you_mean

DONT_CARE_NAME = "dont_care"
_FIELDS = ("from", "to", "same_names", "labels", "default")


@dataclass(frozen=True, eq=False)
class Remap:
    """Conversion of label maps from ``source`` to ``target``.

    ``table``, ``uint8`` [256] and read-only, has the target's id of each source id, and 255 for 255
    and for ids that the source does not have.
    """

    source: LabelSet
    target: LabelSet
    table: np.ndarray

    def apply(self, label_map: np.ndarray, *, where: str = "label map") -> np.ndarray:
        """Convert a label map to the target's ids, ``uint8`` [H, W]; 255 stays 255.

        Args:
            label_map: integers [H, W], ids of the source and 255.
            where: name of the map in errors.

        Raises:
            LabelMapError: ids that the source does not have, or not an integer array [H, W].
        """
        self.source.check(label_map, where=where)
        return self.table[label_map]

    @classmethod
    def identity(cls, label_set: LabelSet) -> Remap:
        """The remap that changes nothing."""
        return cls(label_set, label_set, _table({label.id: label.id for label in label_set.labels}))

    @classmethod
    def by_names(cls, source: LabelSet, target: LabelSet) -> Remap | None:
        """Map every label to the one of the same English name; None if the target lacks one."""
        pairs = _same_names(source, target)
        return cls(source, target, _table(pairs)) if len(pairs) == len(source) else None

    @classmethod
    def from_dict(
        cls, content: Any, *, source: LabelSet, target: LabelSet, where: str = "remap"
    ) -> Remap:
        """Build a remap from the parsed content of a remap file, which errors call ``where``.

        Raises:
            ConfigError: the content has another form or is for other label sets, a name is unknown,
                a label is listed twice, or labels are not listed and there is no default.
        """
        lists, default = _checked_form(content, source=source, target=target, where=where)
        pairs = _listed(lists, source=source, target=target, where=where)
        if content.get("same_names"):
            pairs = {**_same_names(source, target), **pairs}
        if default is not None:
            rest = _target_id(default, target, where=where)
            pairs = {**{label.id: rest for label in source.labels}, **pairs}
        left = [label.name_en for label in source.labels if label.id not in pairs]
        if left:
            _refuse(
                f"{where}: {len(left)} labels of '{source.name}' are not listed: "
                f"{', '.join(left[:6])}{' ...' if len(left) > 6 else ''}; list them, or give a "
                "default such as "
                f"'default: {DONT_CARE_NAME}'"
            )
        return cls(source, target, _table(pairs))


def _table(pairs: dict[int, int]) -> np.ndarray:
    table = np.full(256, DONT_CARE, np.uint8)
    for source_id, target_id in pairs.items():
        table[source_id] = target_id
    table.setflags(write=False)
    return table


def _same_names(source: LabelSet, target: LabelSet) -> dict[int, int]:
    ids = {label.name_en: label.id for label in target.labels}
    return {label.id: ids[label.name_en] for label in source.labels if label.name_en in ids}


def _checked_form(
    content: Any, *, source: LabelSet, target: LabelSet, where: str
) -> tuple[dict[str, list[str]], str | None]:
    """Check the content of a remap file; return its lists by target name, and its default."""
    if not isinstance(content, dict):
        _refuse(f"{where}: expected {{from, to, labels, default}}, got {type(content).__name__}")
    for field in content:
        if field not in _FIELDS:
            _refuse(f"{where}: unknown field '{field}'; {_advice(str(field), _FIELDS)}")
    for field, label_set in (("from", source), ("to", target)):
        if content.get(field) != label_set.name:
            _refuse(
                f"{where}: '{field}' is {content.get(field)!r}, but the label set is "
                f"'{label_set.name}'; use the file for these two label sets"
            )
    lists = content.get("labels") or {}
    of_lists = isinstance(lists, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names)
        for names in lists.values()
    )
    if not of_lists or not isinstance(content.get("same_names", False), bool):
        _refuse(
            f"{where}: expected 'labels: {{target name: [source names]}}' and optionally "
            "'same_names: true'"
        )
    return lists, content.get("default")


def _listed(
    lists: dict[str, list[str]], *, source: LabelSet, target: LabelSet, where: str
) -> dict[int, int]:
    """The target id of each source id that is listed."""
    ids = {label.name_en: label.id for label in source.labels}
    pairs: dict[int, int] = {}
    for target_name, names in lists.items():
        target_id = _target_id(target_name, target, where=where)
        for name in names:
            if name not in ids:
                _refuse(
                    f"{where}: '{target_name}' lists '{name}', which '{source.name}' does not "
                    f"have; {_advice(str(name), ids)}"
                )
            if ids[name] in pairs:
                _refuse(f"{where}: '{name}' is listed twice; it can become one label only")
            pairs[ids[name]] = target_id
    return pairs


def _target_id(name: str, target: LabelSet, *, where: str) -> int:
    if name == DONT_CARE_NAME:
        return DONT_CARE
    names = [label.name_en for label in target.labels]
    if name not in names:
        _refuse(
            f"{where}: '{target.name}' has no label '{name}'; "
            f"{_advice(str(name), [*names, DONT_CARE_NAME])}"
        )
    return names.index(name)


def _advice(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(name, known, otherwise=f"it has {', '.join(known)}")


def _refuse(message: str) -> NoReturn:
    raise ConfigError(message, code="remap_invalid")
