"""``model.json`` of a model folder: what the model is, and of which files it consists.

model.json            this card
generator.json        the network (.pdmodel from Paddle 2, which Paddle 3 reads as well)
generator.pdiparams   its weights
styles.npz            styles of photos and what they show, for models with styles (maybe)
encoder.*             the same of the style encoder, for models that take a style picture
training.pdparams     what other runs can begin with (maybe); painting never reads it
large/                a model folder, for large pictures (maybe)
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from spade_paddle.config import Config, read_config
from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import ModelError
from spade_paddle.files import sha256, write_text_atomically

MODEL_FILE = "model.json"
LARGE = "large"
FORMAT = 2
READABLE_FORMATS = (1, 2)  # 1 knew no style, no positions and no instance maps


@dataclass(frozen=True)
class ModelCard:
    """The fields of ``model.json``, with the same names.

    Attributes:
        name: of the model, shown by the service.
        version: of the weights.
        label_set: the meaning of the ids.
        dont_care: the networks have a channel for "don't care" (255).
        height, width: size in pixels for which the model was trained.
        multiple: pixels that both sides of a label map must be a multiple of.
        noise_channels: number of noise maps that the generator takes.
        training: the known facts about the origin of the weights, such as ``config``, the
            configuration.
        files: SHA-256 of the files for inference, by name.
        instance_edges: the networks have an instance edge channel.
        positions: ``icpe``, ``compatible`` (with the deviations of the public code) or None.
        style_dim: length of a style vector; 0: no style.
        styles: the named styles, each with its ``name`` and ``vector``.
        parameters: number of the generator's parameters.
        training_files: SHA-256 of the files for training, by name.
        tensors: names of the generator's weights in its program, by their names in the state dict.
            Empty in folders of earlier versions, which can only run with Paddle.
        spade_paddle, paddle: versions that exported the model.
        format: version of the folder's format.
    """

    name: str
    version: str
    label_set: LabelSet
    dont_care: bool
    height: int
    width: int
    multiple: int
    noise_channels: int
    training: Mapping[str, Any]
    files: Mapping[str, str]
    instance_edges: bool = False
    positions: Optional[str] = None
    style_dim: int = 0
    styles: Sequence[Mapping[str, Any]] = ()
    parameters: int = 0
    training_files: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, str] = field(default_factory=dict)
    spade_paddle: str = ""
    paddle: str = ""
    format: int = FORMAT

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """Read the card of a model folder without checking the other files.

        Raises:
            ModelError: not a model folder, or of a newer format.
        """
        path = folder / MODEL_FILE
        if not path.is_file():
            raise ModelError(
                f"{folder}: this is not a model folder, it has no {MODEL_FILE}; make one with "
                "tools/export.py",
                code="model_missing",
            )
        fields = {each.name: each for each in dataclasses.fields(cls)}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError("expected an object")
            values = {name: content[name] for name in fields if name in content}
        except ValueError as error:
            raise ModelError(
                f"{path}: damaged: {error}; copy the model folder again", code="model_damaged"
            ) from error
        if values.get("format") not in READABLE_FORMATS:
            raise ModelError(
                f"{path}: format {values.get('format')}, but this version of spade_paddle reads "
                f"formats {' and '.join(map(str, READABLE_FORMATS))}; install the version that "
                "exported it, or export it again",
                code="model_format",
            )
        missing = [
            name for name, each in fields.items() if _is_required(each) and name not in values
        ]
        if missing:
            raise ModelError(
                f"{path}: damaged: there is no {', '.join(missing)}; export the model again",
                code="model_damaged",
            )
        values["label_set"] = LabelSet.from_dict(values["label_set"], where=str(path))
        return cls(**values)

    @classmethod
    def open(cls, folder: Path) -> ModelCard:
        """Read the card of a model folder and check its files for inference.

        Raises:
            ModelError: as ``read``, or a file is missing or has changed.
        """
        card = cls.read(folder)
        check_files(folder, card.files)
        return card

    def write(self, folder: Path) -> None:
        """Write ``model.json``."""
        content = {**vars(self), "label_set": self.label_set.to_dict()}
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_text_atomically(folder / MODEL_FILE, text)

    @property
    def config(self) -> Config:
        """The configuration that the networks were built and trained with.

        Raises:
            ModelError: the card has none.
            ConfigError: it is of an earlier version and has a field that was removed.
        """
        if "config" not in self.training:
            raise ModelError(
                f"{MODEL_FILE} of '{self.name}': expected the configuration training.config, but "
                "there is none; export the model again",
                code="model_damaged",
            )
        return read_config(self.training["config"], where=f"{MODEL_FILE} of '{self.name}'")

    @property
    def inputs(self) -> list[str]:
        """Names of the generator's inputs."""
        used = {
            "label_map": True,
            "instance_map": self.instance_edges,
            "positions": self.positions is not None,
            "noise": self.noise_channels > 0,
            "style": self.style_dim > 0,
        }
        return [name for name, is_used in used.items() if is_used]

    def option(self, name: str) -> Any:
        """The value of a configuration field by its dotted name, such as ``data.val_share``; its
        default if the card is of an earlier version without it."""
        try:
            values = self.training["config"]
            return functools.reduce(lambda part, key: part[key], name.split("."), values)
        except KeyError:
            return Config().value(name)


def check_files(folder: Path, sums: Mapping[str, str]) -> None:
    """Check files of a model folder against their SHA-256, given by name.

    Raises:
        ModelError: one is missing or has changed.
    """
    for name, expected in sums.items():
        if not (folder / name).is_file() or sha256(folder / name) != expected:
            raise ModelError(
                f"{folder / name}: missing or not the file that was exported; copy the model "
                "folder again",
                code="model_damaged",
            )


def _is_required(each: dataclasses.Field) -> bool:
    return each.default is each.default_factory is dataclasses.MISSING
