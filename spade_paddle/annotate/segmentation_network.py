"""Segmentation networks of PaddleSeg, as its own YAML files describe them.

PaddleSeg 2.8.0 also trains and evaluates by such files; here they are only opened, with weights,
and asked for the class scores of photos.
"""

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
    """A network of PaddleSeg with weights and the transforms its YAML file has for validation.

    Args:
        config: the YAML file (with ``_base_``).
        weights: path or address of a ``.pdparams`` file; an address is downloaded once into
            PaddleSeg's own folder. Of an exported network (exported_network.py) deploy.yaml tells.
        exported_classes: K of an exported network, whose files do not tell.

    Attributes:
        num_classes: K.
        dataset: type of the data set it was trained on as its file says, such as ``ADE20K``.

    Raises:
        ModelError: PaddleSeg is not installed, the file cannot be understood, or the weights do
            not fit the network.
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
                f"{config}: an exported network does not tell its classes; put their labels.json "
                f"beside it, or name their label set with {MODEL_LABELS}",
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
        """Class probabilities of every pixel, averaged over scales and mirror images.

        Photos that are equally large after the transforms go through the network together.

        Args:
            photos: ``uint8`` [H, W, 3] RGB, each of its own size.
            scales: the photos are also looked at in these sizes.
            flip: also look at the mirror images.

        Returns:
            For each photo ``float32`` [K, H, W] of its own size.
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
    """Say how to install PaddleSeg where it is missing. Raises ModelError."""
    if importlib.util.find_spec("paddleseg") is None:
        raise ModelError(
            "PaddleSeg is not installed; install it with "
            "'pip install -e \".[cpu,annotate]\" -c constraints.txt'",
            code="paddleseg_missing",
        )


def read_paddleseg_yaml(path: Path) -> dict[str, Any]:
    """A PaddleSeg configuration with its ``_base_`` files merged in.

    Raises:
        ModelError: a file is missing or is not YAML, or it describes no network.
    """
    from paddleseg.cvlibs.config import parse_from_yaml

    try:
        content = parse_from_yaml(str(path))
    except Exception as error:  # whatever PaddleSeg's reader meets
        raise ModelError(
            f"{path}: cannot be read as a PaddleSeg configuration: {error}",
            code="annotator_config",
        ) from error
    sections = [content.get(name) for name in ("model", DEPLOY)] if content else []
    if not any(isinstance(section, dict) for section in sections):
        raise ModelError(
            f"{path}: a PaddleSeg file has a 'model:' section with its 'type:', or a '{DEPLOY}:' "
            "section; here is neither",
            code="annotator_config",
        )
    return content


def _classes_of(content: dict[str, Any], path: Path) -> tuple[int, str]:
    """How many classes, and the type of the data set, out of the places that may tell."""
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
        f"{path}: it does not tell how many classes the network knows; write "
        "'num_classes:' (1 to 255) into its 'model:' section",
        code="annotator_config",
    )


def without_pretrained(section: Any) -> Any:
    """A model section that downloads nothing: weights of the whole network follow anyway."""
    if not isinstance(section, dict):
        return section
    return {key: without_pretrained(value) for key, value in section.items() if key != "pretrained"}


def _build_transforms(section: dict[str, Any], path: Path, *, place: str):
    from paddleseg.transforms import Compose

    steps = section.get("transforms")
    if not steps:
        raise ModelError(
            f"{path}: '{place}: transforms:' is missing; it says how photos are resized and "
            "normalized, for example '- type: Normalize'",
            code="annotator_config",
        )
    return Compose([build_component(step, path) for step in steps], to_rgb=False)


def build_component(section: dict[str, Any], path: Path) -> Any:
    """What a section of a PaddleSeg YAML file describes by its ``type:``.

    Raises:
        ModelError: there is no such type, or it refuses the section's values.
    """
    # these register what the types name
    import paddleseg.models
    import paddleseg.models.backbones
    import paddleseg.optimizers  # noqa: F401
    from paddleseg.cvlibs.builder import SegBuilder

    try:
        return SegBuilder(None).build_component(section)
    except Exception as error:  # PaddleSeg raises RuntimeError round whatever a constructor raises
        raise ModelError(
            f"{path}: PaddleSeg cannot build {section.get('type', section)!r}: {error}",
            code="annotator_config",
        ) from error


def _load_weights(network: nn.Layer, weights: str, config: Path) -> None:
    if urlparse(weights).scheme in ("http", "https"):
        weights = _download(weights, config)
    advice = f"it is what {config} names; put it there, or the address to download it from"
    state = read_arrays(weights, advice=advice)
    own = network.state_dict()
    # PaddleSeg would load what fits and leave the rest random, and say so in its log only
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
