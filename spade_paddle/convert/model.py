"""Converts weights files of another project to a model folder, which can also be trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from paddle import nn

from spade_paddle.config import Config
from spade_paddle.convert.configuration import configuration
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.loading import load_tensors
from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.training_weights import TrainingWeights
from spade_paddle.errors import ConfigError
from spade_paddle.inference.export import export_generator, without_folders
from spade_paddle.layers.spectral import effective_state
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator


def convert(
    weights: Mapping[str, Path], out: Path, *, flags: Flags, label_set: LabelSet, name: str
) -> tuple[Config, dict[str, nn.Layer]]:
    """Convert the networks of one model.

    Args:
        weights: files by part: ``generator`` and optionally ``encoder`` and ``discriminator``.
        out: the model folder; replaced, and only if everything fits.
        flags: what the weights do not show.
        label_set: the labels.
        name: name of the model.

    Returns:
        the configuration, and the networks by part.

    Raises:
        UserError: a file cannot be read or does not fit, or the flags do not agree with it.
    """
    _check(weights, out, flags=flags, label_set=label_set)
    config, networks = load_networks(weights, flags=flags)
    states = {part: effective_state(network) for part, network in networks.items()}
    export_generator(
        states["generator"],
        out,
        config=config,
        label_set=label_set,
        name=name,
        version="1",
        training={
            "converted_from": flags.source,
            "weights": weights["generator"].name,
            "config": without_folders(config.to_dict()),
        },
        encoder_state=states.get("encoder"),
        training_weights=TrainingWeights(
            {part: network.state_dict() for part, network in networks.items()},
            half=False,  # exactly the numbers of the other project
        ),
    )
    RunFolder(out).describe(config, label_set)  # for further training
    return config, networks


def load_networks(
    weights: Mapping[str, Path], *, flags: Flags
) -> tuple[Config, dict[str, nn.Layer]]:
    """Return the configuration and, by part, the networks with their weights loaded."""
    tensors = {
        part: SourceTensors.read(path, source=flags.source, part=part)
        for part, path in weights.items()
    }
    config = configuration(flags, tensors)
    build = {
        "generator": lambda: build_generator(config, num_labels=flags.num_labels),
        "encoder": lambda: build_encoder(config),
        "discriminator": lambda: build_discriminator(config, num_labels=flags.num_labels),
    }
    networks = {part: build[part]() for part in tensors}
    for part, network in networks.items():
        load_tensors(network, tensors[part])
        network.eval()
    return config, networks


def _check(weights: Mapping[str, Path], out: Path, *, flags: Flags, label_set: LabelSet) -> None:
    if flags.source == "photopen" and "encoder" in weights:
        raise ConfigError("--encoder: photopen has no encoder; leave it out", code="flags_disagree")
    if len(label_set) != flags.num_labels:
        raise ConfigError(
            f"the label set '{label_set.name}' has {len(label_set)} labels, --num-labels says "
            f"{flags.num_labels}; give a label set of the model's own labels",
            code="flags_disagree",
        )
    if out.exists() and not (out / "model.json").is_file():
        raise ConfigError(
            f"--out {out}: this exists, but is not a model folder to be replaced; give a new name",
            code="out_exists",
        )
    if any(out.resolve() in path.resolve().parents for path in weights.values()):
        raise ConfigError(
            f"--out {out}: this folder would be replaced, but it contains the weights; give a new "
            "name",
            code="out_exists",
        )
