"""Segmentation networks of PaddleSeg, defined by its own YAML files: loading and prediction."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.annotate.annotator_files import DEPLOY
from spade_paddle.annotate.exported_network import ExportedNetwork
from spade_paddle.errors import ModelError
from spade_paddle.weights import load_state, read_arrays

MODEL_LABELS = "--model-labels (tools/evaluate.py: --annotator-labels) NAME|FILE"


class SegmentationNetwork:
    """A network of PaddleSeg with weights, and the validation transforms of its YAML file.

    Args:
        config: the YAML file (``_base_`` is supported), or deploy.yaml of an exported network
            (exported_network.py).
        weights: path or URL of a ``.pdparams`` file; a URL is downloaded once, to PaddleSeg's own
            folder. Ignored for an exported network.
        exported_classes: K of an exported network, which its files do not contain.

    Attributes:
        num_classes: K.
        dataset: type of the data set it was trained on, according to its file, such as ``ADE20K``.

    Raises:
        ModelError: PaddleSeg is not installed, the file is not a valid PaddleSeg configuration, or
            the weights do not fit the network.
    """

    def __init__(self, config: Path, weights: str, *, exported_classes: int | None = None) -> None:
        require_paddleseg()
        content = read_paddleseg_yaml(config)
        if DEPLOY in content:
            self._open_exported(config, content[DEPLOY], exported_classes)
            return
        self.num_classes, self.dataset = _classes_of(content, config)
        section = without_pretrained({**content["model"], "num_classes": self.num_classes})
        with contextlib.redirect_stdout(io.StringIO()):  # PaddleSeg's log lines
            self._network = build_component(section, config)
            _load_weights(self._network, weights, config)
            validation = content.get("val_dataset") or {}
            self._transforms = _build_transforms(validation, config, place="val_dataset")
        self._network.eval()

    def _open_exported(
        self, config: Path, section: dict[str, Any], num_classes: int | None
    ) -> None:
        if num_classes is None:
            raise ModelError(
                f"{config}: an exported network does not name its classes; put their labels.json "
                f"beside it, or give their label set with {MODEL_LABELS}",
                code="annotator_labels",
            )
        self.num_classes, self.dataset = num_classes, ""
        self._network = ExportedNetwork(config, section, num_classes=num_classes)
        self._transforms = _build_transforms(section, config, place=DEPLOY)
        self._network.eval()

    @paddle.no_grad()
    def scores(
        self, photos: Sequence[np.ndarray], *, scales: Sequence[float] = (1.0,), flip: bool = False
    ) -> list[np.ndarray]:
        """Predict class probabilities of every pixel, averaged over scales and mirror images.

        Photos of the same size after the transforms share a forward pass.

        Args:
            photos: ``uint8`` [H, W, 3] RGB, of any sizes.
            scales: scales of the photos over which predictions are averaged.
            flip: also average over mirror images.

        Returns:
            for each photo ``float32`` [K, H, W] of its own size.
        """
        from paddleseg.core import infer

        prepared = [self._transforms({"img": photo.astype(np.float32)}) for photo in photos]
        groups: dict[tuple, list[int]] = {}
        for index, data in enumerate(prepared):
            groups.setdefault((data["img"].shape, str(data["trans_info"])), []).append(index)
        results: list[np.ndarray] = [np.zeros(0, np.float32)] * len(photos)
        for indices in groups.values():
            pictures = np.stack([prepared[index]["img"] for index in indices])
            _, logits = infer.aug_inference(
                self._network,
                paddle.to_tensor(pictures.astype(np.float32)),
                trans_info=prepared[indices[0]]["trans_info"],
                scales=[float(scale) for scale in scales],
                flip_horizontal=flip,
            )
            for index, logit in zip(indices, logits):
                results[index] = F.softmax(logit, axis=0).numpy()
        return results


def require_paddleseg() -> None:
    """Raise ModelError, which says how to install PaddleSeg, if it is not installed."""
    if importlib.util.find_spec("paddleseg") is None:
        raise ModelError(
            "PaddleSeg is not installed; install it with "
            "'pip install -e \".[cpu,annotate]\" -c constraints.txt'",
            code="paddleseg_missing",
        )


def read_paddleseg_yaml(path: Path) -> dict[str, Any]:
    """Read a PaddleSeg configuration, merged with its ``_base_`` files.

    Raises:
        ModelError: a file is missing or is not YAML, or it defines no network.
    """
    from paddleseg.cvlibs.config import parse_from_yaml

    try:
        content = parse_from_yaml(str(path))
    except Exception as error:  # PaddleSeg may raise anything for an invalid file
        raise ModelError(
            f"{path}: cannot be read as a PaddleSeg configuration: {error}",
            code="annotator_config",
        ) from error
    sections = [content.get(name) for name in ("model", DEPLOY)] if content else []
    if not any(isinstance(section, dict) for section in sections):
        raise ModelError(
            f"{path}: expected a PaddleSeg file with a 'model:' section, including its 'type:', or "
            f"a '{DEPLOY}:' section; found neither",
            code="annotator_config",
        )
    return content


def _classes_of(content: dict[str, Any], path: Path) -> tuple[int, str]:
    """Find the number of classes, and the type of the data set, in a PaddleSeg configuration."""
    from paddleseg.cvlibs import manager

    sections = [content.get(name) or {} for name in ("train_dataset", "val_dataset")]
    dataset = next((str(section["type"]) for section in sections if "type" in section), "")
    known = manager.DATASETS.components_dict.get(dataset)
    candidates = [content["model"].get("num_classes")]
    candidates += [section.get("num_classes") for section in sections]
    candidates.append(getattr(known, "NUM_CLASSES", None))
    for count in candidates:
        if isinstance(count, int) and 1 <= count <= 255:
            return count, dataset
    raise ModelError(
        f"{path}: the number of classes is missing; add 'num_classes:' (1 to 255) to its 'model:' "
        "section",
        code="annotator_config",
    )


def without_pretrained(section: Any) -> Any:
    """Remove ``pretrained``, so that no backbone weights are downloaded: all weights are loaded
    afterwards."""
    if not isinstance(section, dict):
        return section
    return {key: without_pretrained(value) for key, value in section.items() if key != "pretrained"}


def _build_transforms(section: dict[str, Any], path: Path, *, place: str):
    from paddleseg.transforms import Compose

    steps = section.get("transforms")
    if not steps:
        raise ModelError(
            f"{path}: '{place}: transforms:' is missing; it defines how photos are resized and "
            "normalized, for example '- type: Normalize'",
            code="annotator_config",
        )
    return Compose([build_component(step, path) for step in steps], to_rgb=False)


def build_component(section: dict[str, Any], path: Path) -> Any:
    """Build the component that a section of a PaddleSeg YAML file defines by its ``type:``.

    Raises:
        ModelError: there is no such type, or the section's values are invalid.
    """
    # imported because they register the types
    import paddleseg.models
    import paddleseg.models.backbones
    import paddleseg.optimizers  # noqa: F401
    from paddleseg.cvlibs.builder import SegBuilder

    from spade_paddle.annotate import paddleseg_parts  # noqa: F401

    try:
        return SegBuilder(None).build_component(section)
    except Exception as error:  # PaddleSeg wraps errors of constructors in RuntimeError
        raise ModelError(
            f"{path}: PaddleSeg cannot build {section.get('type', section)!r}: {error}",
            code="annotator_config",
        ) from error


def _load_weights(network: nn.Layer, weights: str, config: Path) -> None:
    if urlparse(weights).scheme in ("http", "https"):
        weights = _download(weights, config)
    advice = f"{config} names it; put it there, or replace the name by a URL to download it from"
    state = read_arrays(weights, advice=advice)
    own = network.state_dict()
    # PaddleSeg itself would load what fits, leave the rest random, and only log a warning
    load_state(
        network,
        {name: state[name] for name in own if name in state},
        where=weights,
        advice="these weights belong to another configuration",
    )


def _download(address: str, config: Path) -> str:
    from paddleseg.utils.utils import download_pretrained_model

    try:
        return download_pretrained_model(address)
    except Exception as error:  # no network, no such file, a broken archive
        raise ModelError(
            f"{address}: cannot be downloaded: {error}; download it elsewhere and put it into "
            f"{config.parent}",
            code="annotator_download",
        ) from error
