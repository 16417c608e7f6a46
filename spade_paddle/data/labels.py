"""Label sets: what each id of a label map means.

A label map is ``uint8`` HW with values 0..K-1; 255 says "don't care". It is never RGB and never
JPEG: ids are names, not brightness, so nothing may interpolate or compress them with loss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from spade_paddle.errors import ConfigError, LabelMapError

DONT_CARE = 255
GROUPS = ("sky", "water", "land", "plants", "built", "other")
LABELS_FILE = "labels.json"  # the label set that a data set, a run or a model folder carries


@dataclass(frozen=True)
class Label:
    """One label of a label set.

    Attributes:
        id: 0..K-1.
        name_en, name_zh: its names in English and Chinese.
        color: (R, G, B), in which label maps show it.
        group: one of ``GROUPS``, under which the doodle page lists it, or None.
    """

    id: int
    name_en: str
    name_zh: str
    color: tuple[int, int, int]
    group: str | None = None

    @property
    def hex_color(self) -> str:
        """The color as ``#rrggbb``."""
        return hex_of(self.color)

    def to_dict(self) -> dict[str, Any]:
        """Convert to a JSON-serializable dictionary, which has ``group`` only if it is given."""
        names = {"id": self.id, "name_en": self.name_en, "name_zh": self.name_zh}
        group = {} if self.group is None else {"group": self.group}
        return {**names, "color": self.hex_color, **group}


@dataclass(frozen=True)
class LabelSet:
    """An ordered set of K labels with the ids 0..K-1 (K at most 255)."""

    name: str
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        ids = [label.id for label in self.labels]
        if ids != list(range(len(ids))) or not 1 <= len(ids) <= DONT_CARE:
            raise ConfigError(
                f"label set '{self.name}': ids must be 0, 1, 2, ... in order (1 to 255 of them), "
                f"got {ids}; renumber the labels",
                code="label_set_invalid",
            )

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def load(cls, path: str | Path) -> LabelSet:
        """Read a label set from YAML or JSON (``{name, labels: [{id, name_en, name_zh, color}]}``).

        Raises:
            ConfigError: the file is missing, has another form, or its ids are not 0..K-1.
        """
        path = Path(path)
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(
                f"{path}: there is no such label set file; configs/labels/ has some to choose from",
                code="label_set_missing",
            ) from error
        except yaml.YAMLError as error:
            raise ConfigError(
                f"{path}: this is not YAML: {error}", code="label_set_invalid"
            ) from error
        return cls.from_dict(content, where=str(path))

    @classmethod
    def from_dict(cls, content: Any, *, where: str = "label set") -> LabelSet:
        """Build a label set from the parsed content of a file, which errors call ``where``.

        Raises:
            ConfigError: the content has another form, or its ids are not 0..K-1.
        """
        try:
            labels = tuple(
                Label(
                    id=int(entry["id"]),
                    name_en=str(entry["name_en"]),
                    name_zh=str(entry["name_zh"]),
                    color=_parse_hex(entry["color"]),
                    group=_parse_group(entry.get("group")),
                )
                for entry in content["labels"]
            )
            return cls(name=str(content["name"]), labels=labels)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{where}: expected {{name, labels: [{{id, name_en, name_zh, color: '#rrggbb'}}]}}"
                f" with an optional group for each label, got {type(error).__name__}: {error}",
                code="label_set_invalid",
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Convert to the JSON-serializable dictionary that ``from_dict`` reads."""
        return {
            "name": self.name,
            "labels": [label.to_dict() for label in self.labels],
        }

    def to_json(self) -> str:
        """Convert to the text of a ``labels.json``, which ``load`` reads."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"

    def fingerprint(self) -> str:
        """A string that is equal for label sets with equal ids and English names."""
        return json.dumps([[label.id, label.name_en] for label in self.labels])

    def id_of(self, name_en: str) -> int:
        """The id of the label with this English name.

        Raises:
            KeyError: there is none.
        """
        for label in self.labels:
            if label.name_en == name_en:
                return label.id
        raise KeyError(name_en)

    def palette(self) -> np.ndarray:
        """Colors as ``uint8`` [256, 3]; ids without a label (255 included) are light gray."""
        palette = np.full((256, 3), 235, np.uint8)
        for label in self.labels:
            palette[label.id] = label.color
        return palette

    def colorize(self, label_map: np.ndarray) -> np.ndarray:
        """Convert a label map [H, W] to an RGB picture, ``uint8`` [H, W, 3]."""
        return self.palette()[label_map]

    def check(self, label_map: np.ndarray, *, where: str = "label map") -> None:
        """Check that a label map has only ids of this set and 255.

        Args:
            label_map: integers [H, W].
            where: name of the map in errors (a file name, "images[0]").

        Raises:
            LabelMapError: wrong dtype or shape, or ids outside 0..K-1 and 255.
        """
        if label_map.ndim != 2 or not np.issubdtype(label_map.dtype, np.integer):
            raise LabelMapError(
                f"{where}: expected a gray picture of label ids (height x width integers), got "
                f"shape {tuple(label_map.shape)} of {label_map.dtype}",
                code="label_map_shape",
            )
        values = _distinct_values(label_map)
        unknown = values[((values < 0) | (values >= len(self))) & (values != DONT_CARE)]
        if unknown.size:
            listed = ", ".join(str(int(value)) for value in unknown[:8])
            more = f" and {unknown.size - 8} more" if unknown.size > 8 else ""
            raise LabelMapError(
                f"{where}: unknown label ids {listed}{more}; the label set '{self.name}' has "
                f"0..{len(self) - 1} (and 255 for don't care); renumber the map",
                code="label_unknown",
                ids=[int(value) for value in unknown[:8]],
                highest=len(self) - 1,
            )


def _distinct_values(label_map: np.ndarray) -> np.ndarray:
    """Sorted distinct values; by counting for small types, which is 50 times as fast as sorting."""
    if label_map.dtype in (np.uint8, np.uint16):
        return np.flatnonzero(np.bincount(label_map.ravel()))
    return np.unique(label_map)


def hex_of(color: tuple[int, int, int]) -> str:
    """A color (R, G, B) as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _parse_hex(text: str) -> tuple[int, int, int]:
    if not (isinstance(text, str) and len(text) == 7 and text.startswith("#")):
        raise ValueError(f"color {text!r} is not '#rrggbb'")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _parse_group(name: Any) -> str | None:
    if name is not None and name not in GROUPS:
        raise ValueError(f"group {name!r} is none of {', '.join(GROUPS)}")
    return name
