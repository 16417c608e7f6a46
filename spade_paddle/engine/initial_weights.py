"""What a new run can start from: another run's folder, or a model folder with training weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import paddle

from spade_paddle.config import Config, read_config
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.run_folder import CONFIG_FILE, RunFolder
from spade_paddle.engine.training_weights import PARTS, TRAINING_WEIGHTS, TrainingWeights
from spade_paddle.errors import ModelError
from spade_paddle.layers.spectral import without_spectral_norm
from spade_paddle.model_card import MODEL_FILE, ModelCard, check_files

_AVERAGES = {"generator": "average", "encoder": "average_encoder"}


@dataclass(frozen=True)
class Source:
    """The weights in a folder, with their configuration and label set.

    Attributes:
        name: the folder and its images seen, for messages.
        config: the configuration of the networks.
        label_set: the labels of the networks.
        weights: state dicts of the networks by name.
    """

    name: str
    config: Config
    label_set: LabelSet
    weights: Mapping[str, Mapping[str, paddle.Tensor]]

    @classmethod
    def read(cls, folder: Path, *, warn: Callable[[str], None], averaged: bool = False) -> Source:
        """Read a run folder's newest checkpoint, or a model folder's ``training.pdparams``.

        Args:
            folder: of tools/train.py, tools/export.py --trainable or tools/convert.py.
            warn: called with a message for each damaged checkpoint.
            averaged: read generator and encoder without spectral norm: the averaged weights of a
                run folder, or the trained ones of a model folder, which stores no averages.

        Raises:
            ConfigError: configuration or labels are missing or invalid.
            ModelError: there are no weights, or they are damaged.
        """
        state = RunFolder(folder).latest(warn=warn)
        if state is not None:
            names = _AVERAGES if averaged else {part: part for part in PARTS}
            weights = {part: state[name] for part, name in names.items() if name in state}
            if averaged:
                weights["generator"] = {**weights["generator"], **state.get("statistics", {})}
            images_seen = int(state["images_seen"])
        else:
            require_weights(folder)
            if (folder / MODEL_FILE).is_file():
                check_files(folder, ModelCard.read(folder).training_files)
            found = TrainingWeights.read(folder / TRAINING_WEIGHTS)
            weights, images_seen = found.states, found.images_seen
            if averaged:
                weights = {
                    part: without_spectral_norm(weights[part])
                    for part in _AVERAGES
                    if part in weights
                }
        if "generator" not in weights:
            raise _no_weights(folder)
        config, label_set = read_description(folder)
        return cls(
            name=str(folder) if images_seen is None else f"{folder} ({images_seen} images)",
            config=config,
            label_set=label_set,
            weights=weights,
        )

    def faded_in(self) -> Source:
        """Return the source with its newest block faded in, so without ``conv_img_before``."""
        generator = {
            name: value
            for name, value in self.weights["generator"].items()
            if not name.startswith("conv_img_before.")
        }
        return dataclasses.replace(
            self,
            config=dataclasses.replace(self.config, fade_in_images=0),
            weights={**self.weights, "generator": generator},
        )


def require_weights(folder: Path) -> None:
    """Raise ModelError if a folder has no weights to start from."""
    if not RunFolder(folder).checkpoints and not (folder / TRAINING_WEIGHTS).is_file():
        raise _no_weights(folder)


def read_description(folder: Path) -> tuple[Config, LabelSet]:
    """Read configuration and label set of a folder's networks from ``config.yaml`` and
    ``labels.json``, or else from ``model.json``.

    Raises:
        ConfigError: none of them exists, or a value is invalid.
        ModelError: model.json is damaged.
    """
    if (folder / CONFIG_FILE).is_file() or not (folder / MODEL_FILE).is_file():
        run = RunFolder(folder)
        return run.config, run.label_set
    card = ModelCard.read(folder)
    return card.config, card.label_set


def configuration_of(folder: Path, *, overrides: Sequence[str] = ()) -> tuple[Config, LabelSet]:
    """Derive configuration and label set for a new run that starts from a folder's weights.

    A missing weights file of the judge turns the judge off, those of the projected heads are
    replaced by the default: a model folder has only the names of these files.

    Args:
        folder: as in Source.read.
        overrides: such as ``total_images=8000``.

    Raises:
        ConfigError, ModelError: as in Source.read.
    """
    require_weights(folder)
    config, label_set = read_description(folder)
    # its own initialization and fading in belong to the past
    content = {**config.to_dict(), "init_from": None, "fade_in_images": 0}
    files = (
        ("validation", "judge_weights"),
        ("discriminator", "projected_weights"),
        ("discriminator", "projected_2_weights"),
    )
    for section, name in files:
        path = content[section][name]
        if path is not None and not Path(path).is_file():
            content[section][name] = None
    where = f"the configuration of {folder}"
    return read_config(content, where=where, overrides=overrides), label_set


def _no_weights(folder: Path) -> ModelError:
    return ModelError(
        f"{folder}: there are no weights to start from; expected a run folder of tools/train.py "
        f"with a checkpoint, or a model folder with {TRAINING_WEIGHTS}, which tools/convert.py and "
        "tools/export.py --trainable write; export the run again with --trainable, or give its run "
        "folder",
        code="weights_missing",
    )
