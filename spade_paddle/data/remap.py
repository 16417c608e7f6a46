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
    """A table from the ids of ``source`` to those of ``target``: ``uint8`` [256], read-only.

    Ids that the source does not have, and 255, have 255 in the table.
    """

    source: LabelSet
    target: LabelSet
    table: np.ndarray

    def apply(self, label_map: np.ndarray, *, where: str = "label map") -> np.ndarray:
        """The label map in the target's ids, ``uint8`` [H, W]; 255 stays 255.

        Args:
            label_map: integers [H, W], ids of the source and 255.
            where: what to call the map in an error.

        Raises:
            LabelMapError: ids that the source does not have, or no gray picture.
        """
        self.source.check(label_map, where=where)
        return self.table[label_map]

    @classmethod
    def identity(cls, label_set: LabelSet) -> Remap:
        """The remap that changes nothing."""
        return cls(label_set, label_set, _table({label.id: label.id for label in label_set.labels}))

    @classmethod
    def by_names(cls, source: LabelSet, target: LabelSet) -> Remap | None:
        """Every label to the one with the same English name; None unless all find theirs."""
        pairs = _same_names(source, target)
        return cls(source, target, _table(pairs)) if len(pairs) == len(source) else None

    @classmethod
    def from_dict(
        cls, content: Any, *, source: LabelSet, target: LabelSet, where: str = "remap"
    ) -> Remap:
        """Build a remap from the parsed form of a remap file; ``where`` names it in errors.

        Raises:
            ConfigError: not of that form, for other label sets, a name that a set does not have,
                a label listed twice, or labels left over without a default.
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
                f"{where}: {len(left)} labels of '{source.name}' go nowhere: {', '.join(left[:6])}"
                f"{' ...' if len(left) > 6 else ''}; list them, or give a default such as "
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
    """The lists by target name, and the default."""
    if not isinstance(content, dict):
        _refuse(f"{where}: expected {{from, to, labels, default}}, got {type(content).__name__}")
    for field in content:
        if field not in _FIELDS:
            _refuse(f"{where}: unknown field '{field}'; {_advice(str(field), _FIELDS)}")
    for field, label_set in (("from", source), ("to", target)):
        if content.get(field) != label_set.name:
            _refuse(
                f"{where}: '{field}' is {content.get(field)!r}, but the label set is "
                f"'{label_set.name}'; take the file made for these two label sets"
            )
    lists = content.get("labels") or {}
    of_lists = isinstance(lists, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names)
        for names in lists.values()
    )
    if not of_lists or not isinstance(content.get("same_names", False), bool):
        _refuse(
            f"{where}: expected 'labels: {{target name: [source names]}}' and, if at all, "
            "'same_names: true'"
        )
    return lists, content.get("default")


def _listed(
    lists: dict[str, list[str]], *, source: LabelSet, target: LabelSet, where: str
) -> dict[int, int]:
    """The ids of the labels that are listed."""
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
