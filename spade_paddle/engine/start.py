"""How a run starts: with weights from elsewhere, or where the same run stopped."""

from __future__ import annotations

from pathlib import Path

import paddle
import yaml
from paddle import nn

from spade_paddle.config import Config, read_config
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.errors import ConfigError, ModelError
from spade_paddle.networks.state import load_state

TRAINING_WEIGHTS = "training.pdparams"
"""State dicts of the networks by name, spectral-norm vectors included; see tools/convert.py."""


def load_training_weights(networks: dict[str, nn.Layer], folder: Path) -> None:
    """Set the networks to the weights of a model folder; those it lacks stay as they are.

    Args:
        networks: by name: generator, discriminator and maybe encoder.
        folder: with a ``training.pdparams``.

    Raises:
        ModelError: no such file, or the weights do not fit these networks.
    """
    path = folder / TRAINING_WEIGHTS
    if not path.is_file():
        raise ModelError(
            f"{path}: there is no such file; --init takes a model folder of tools/convert.py, "
            "whose weights can be trained on",
            code="weights_missing",
        )
    states = paddle.load(str(path))
    for name, state in states.items():
        if name in networks:
            load_state(networks[name], state, where=f"{path}, {name}")


def check_same_networks(run: Path, config: Config, label_set: LabelSet) -> None:
    """Refuse to go on with networks or labels other than the run's.

    Raises:
        ConfigError: names what differs.
    """
    old = read_config(
        yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8")),
        where=str(run / "config.yaml"),
    )
    old_labels = LabelSet.load(run / LABELS_FILE)
    differences = [
        f"{section}.{name} was {value}, is {getattr(getattr(config, section), name)}"
        for section in ("generator", "encoder", "discriminator")
        for name, value in vars(getattr(old, section)).items()
        if value != getattr(getattr(config, section), name)
    ]
    names = ["dont_care", "instance_edges", "icpe_compatible"]
    if config.encoder.style_dim:  # the generator makes a style's features for this size
        names += ["crop_size", "aspect_ratio"]
    for name in names:
        if getattr(old.data, name) != getattr(config.data, name):
            differences.append(
                f"data.{name} was {getattr(old.data, name)}, is {getattr(config.data, name)}"
            )
    if old_labels.fingerprint() != label_set.fingerprint():
        differences.append("the label set is another one")
    if differences:
        raise ConfigError(
            f"{run}: this run was started with other networks: {'; '.join(differences)}; "
            "use another --run folder or the old configuration",
            code="run_differs",
        )
