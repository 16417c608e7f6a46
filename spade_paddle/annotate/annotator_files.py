"""Finds the files of an annotator, given by name, folder or YAML file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.errors import ModelError, did_you_mean

DEFAULT_ANNOTATOR = "landscape"
DEPLOY = "Deploy"
"""The section of a YAML file written by PaddleSeg's export.py."""
FOLDER = Path(__file__).parent / "models"  # a folder per annotator: YAML file, weights or URL


@dataclass(frozen=True)
class AnnotatorFiles:
    """A PaddleSeg YAML file, its weights (path or URL) and its label set (path), if any."""

    config: Path
    weights: str
    labels: str | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of the YAML file and the weights, or their URL, that identifies the annotator."""
        digest = hashlib.sha256(self.config.read_bytes())
        weights = Path(self.weights)
        digest.update(weights.read_bytes() if weights.is_file() else self.weights.encode())
        return digest.hexdigest()[:16]


def known_annotators() -> list[str]:
    """List the names of the included annotators."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def choose_annotator(model: str | Path) -> AnnotatorFiles:
    """Find the files of an annotator.

    Args:
        model: a name of ``known_annotators``; a folder with one YAML file and one ``.pdparams``, or
            one exported by PaddleSeg (deploy.yaml); or a YAML file whose weights are beside it or
            named by ``pretrained:`` in its model section.

    Raises:
        ModelError: nothing has that name, or it is ambiguous which files belong together.
    """
    path = Path(model)
    if str(model) in known_annotators():
        path = FOLDER / str(model)
    if path.is_dir():
        configs = sorted(path.glob("*.yml")) + sorted(path.glob("*.yaml"))
        if len(configs) != 1:
            listed = ", ".join(config.name for config in configs) or "none"
            raise ModelError(
                f"{path}: expected one PaddleSeg YAML file here, found {listed}; give the file "
                "itself as --model",
                code="annotator_files",
            )
        path = configs[0]
    if not path.is_file():
        known = known_annotators()
        hint = did_you_mean(str(model), known, otherwise=f"known: {', '.join(known)}")
        raise ModelError(
            f"{model}: there is no such annotator, folder or YAML file; {hint}",
            code="annotator_unknown",
        )
    labels = path.with_name(LABELS_FILE)
    return AnnotatorFiles(path, _weights_of(path), str(labels) if labels.is_file() else None)


def _weights_of(config: Path) -> str:
    """Find the weights of a YAML file: for an exported network its ``params``; else the
    ``.pdparams`` beside it with the same name, or the only one, or its ``pretrained``."""
    exported = _named(config, DEPLOY, "params")
    if exported is not None:
        return exported
    named = config.with_suffix(".pdparams")
    if named.is_file():
        return str(named)
    beside = sorted(config.parent.glob("*.pdparams"))
    if len(beside) == 1:
        return str(beside[0])
    if beside:
        raise ModelError(
            f"{config}: there are several weights files beside it "
            f"({', '.join(path.name for path in beside)}); rename the right one to {named.name}",
            code="annotator_files",
        )
    address = _named(config, "model", "pretrained")
    if address is None:
        raise ModelError(
            f"{config}: there are no weights; put the trained model.pdparams beside it",
            code="annotator_files",
        )
    return address


def _named(config: Path, section: str, key: str) -> str | None:
    """Read an entry of a YAML file that is a URL or a path relative to it; None if missing."""
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
        address = content[section][key]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        return None
    if not isinstance(address, str) or "://" in address:
        return address or None
    return str(config.parent / address)
