"""Exports a training run as a model folder (model_card.py)."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, Literal, Optional

import paddle
from paddle import nn

import spade_paddle
from spade_paddle.config import Config
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.schedule import fade_in
from spade_paddle.engine.training_weights import TRAINING_WEIGHTS, TrainingWeights
from spade_paddle.files import sha256
from spade_paddle.inference.program import ENCODER, PROGRAM
from spade_paddle.model_card import ModelCard
from spade_paddle.networks.build import build_encoder, build_generator
from spade_paddle.networks.cost import count_parameters
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.weights import load_state

InputShape = tuple[list[Optional[int]], Literal["int32", "float32"]]


class LabelsToPicture(nn.Layer):
    """The exported network: from label ids and the other inputs of a generator to a picture.

    Args:
        generator: generator without spectral-norm hooks, in evaluation mode.
        layout: channels of its semantic map.
    """

    def __init__(self, generator: nn.Layer, layout: SemanticLayout) -> None:
        super().__init__()
        self.generator = generator
        self.layout = layout

    @classmethod
    def of(cls, config: Config, *, num_labels: int) -> LabelsToPicture:
        """Build the network of a configuration for export, in evaluation mode."""
        network = cls(
            build_generator(config, num_labels=num_labels, spectral_norm=False),
            SemanticLayout.of(config, num_labels),
        )
        network.eval()
        return network

    def input_shapes(self) -> dict[str, InputShape]:
        """Shape and dtype of each input by name; None stands for any size."""
        shapes: dict[str, InputShape] = {"label_map": ([None, None, None], "int32")}
        if self.layout.edges:
            shapes["instance_map"] = ([None, None, None], "int32")
        if self.layout.positions:
            shapes["positions"] = ([None, 2, None, None], "float32")
        if self.generator.noise_channels:
            shapes["noise"] = ([None, self.generator.noise_channels, None, None], "float32")
        if self.generator.style_dim:
            shapes["style"] = ([None, self.generator.style_dim], "float32")
        return shapes

    def forward(self, inputs: dict[str, paddle.Tensor]) -> paddle.Tensor:
        """Map the inputs of ``input_shapes`` to pictures, float32 [N, 3, H, W] in -1..1."""
        return self.generator(
            self.layout.encode(inputs["label_map"], inputs.get("instance_map")),
            inputs.get("noise"),
            style=inputs.get("style"),
            positions=inputs.get("positions"),
        )


def export_run(
    run: str | Path,
    out: str | Path,
    *,
    name: str,
    version: str,
    snapshot: str | None = None,
    trainable: bool = False,
    coarse_noise: Sequence[float] = (),
) -> Path:
    """Export the averaged generator of a run.

    Args:
        run: the run folder.
        out: the model folder; replaced if it exists, and only if the export succeeds.
        name: name of the model, shown by the service.
        version: version of the weights.
        snapshot: ``best`` or a number of images; None: the newest checkpoint.
        trainable: add the trained networks (not averaged) in float16, for ``tools/train.py
            --init``; always those of the newest checkpoint, because snapshots hold only averages.
        coarse_noise: factors of the noise, see ``SPADEGenerator.scale_noise``.

    Returns:
        ``out``.

    Raises:
        ConfigError: ``coarse_noise`` does not fit the generator.
        ModelError: the checkpoint or snapshot is missing or damaged, or its weights are not finite.
    """
    folder = RunFolder(Path(run))
    state, config = folder.averages(snapshot), folder.config
    training = {
        "images_seen": int(state["images_seen"]),
        "hours": round(float(state["seconds"]) / 3600, 2),
        "seed": config.seed,
        "paddle": folder.environment.get("paddle"),
        "config": without_folders(config.to_dict()),
    }
    return export_generator(
        {**state["average"], **state.get("statistics", {})},
        Path(out),
        config=config,
        label_set=folder.label_set,
        name=name,
        version=version,
        training=training,
        encoder_state=state.get("average_encoder"),
        fade=fade_in(int(state["images_seen"]), over=config.fade_in_images),
        training_weights=TrainingWeights.of_run(folder) if trainable else None,
        coarse_noise=coarse_noise,
    )


def without_folders(content: dict[str, Any]) -> dict[str, Any]:
    """Reduce every path in a configuration to its file name, to publish no local folders."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return without_folders(value)
        # this class splits at both kinds of slashes
        return PureWindowsPath(value).name if isinstance(value, str) else value

    return {name: cleaned(value) for name, value in content.items()}


def export_generator(
    state: dict[str, Any],
    out: Path,
    *,
    config: Config,
    label_set: LabelSet,
    name: str,
    version: str,
    training: dict[str, Any],
    encoder_state: dict[str, Any] | None = None,
    fade: float = 1.0,
    training_weights: TrainingWeights | None = None,
    coarse_noise: Sequence[float] = (),
) -> Path:
    """Export effective state dicts (layers/spectral.py) as a model folder.

    Args:
        state: state dict of the generator.
        out: the model folder; replaced if it exists, and only if the export succeeds.
        config: the configuration of the networks.
        label_set: their labels.
        name: name of the model.
        version: version of the weights.
        training: JSON-serializable record of how the weights were trained.
        encoder_state: state dict of the style encoder; None for a model without one.
        fade: weight of the newest block when growing progressively, 0..1; at 1 the layer that
            bypasses the block is dropped.
        training_weights: the trained networks (not averaged), to be added; None: add none.
        coarse_noise: factors of the noise, see ``SPADEGenerator.scale_noise``; recorded.

    Returns ``out``. Raises ModelError if the states do not fit the configuration or are not finite,
    ConfigError if ``coarse_noise`` does not fit the generator.
    """
    network = _network(state, config=config, num_labels=len(label_set), fade=fade)
    if coarse_noise:
        network.generator.scale_noise(coarse_noise)
        training = {**training, "coarse_noise": list(coarse_noise)}
    encoder = None if encoder_state is None else _encoder(config, encoder_state)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        _save_programs(folder, network, encoder)
        card = ModelCard(
            name=name,
            version=version,
            label_set=label_set,
            training=training,
            files={path.name: sha256(path) for path in sorted(folder.iterdir())},
            **_network_fields(network, config),
        )
        if training_weights is not None:
            path = folder / TRAINING_WEIGHTS
            training_weights.write(path)
            card = dataclasses.replace(card, training_files={path.name: sha256(path)})
        card.write(folder)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return out


def _network(
    state: dict[str, Any], *, config: Config, num_labels: int, fade: float
) -> LabelsToPicture:
    if fade == 1 and config.fade_in_images:
        config = dataclasses.replace(config, fade_in_images=0)
        state = {name: state[name] for name in state if not name.startswith("conv_img_before.")}
    network = LabelsToPicture.of(config, num_labels=num_labels)
    network.generator.fade = fade
    load_state(network.generator, state)
    return network


def _encoder(config: Config, state: dict[str, Any]) -> nn.Layer:
    encoder = build_encoder(config, spectral_norm=False)
    assert encoder is not None  # the run has weights for it
    load_state(encoder, state)
    encoder.eval()
    return encoder


def _save_programs(folder: Path, network: LabelsToPicture, encoder: nn.Layer | None) -> None:
    inputs = {
        key: paddle.static.InputSpec(shape, dtype, key)
        for key, (shape, dtype) in network.input_shapes().items()
    }
    _save_program(network, folder / PROGRAM, inputs)
    if encoder is not None:
        photo = paddle.static.InputSpec([None, 3, None, None], "float32", "photo")
        _save_program(encoder, folder / ENCODER, photo)


def _save_program(network: nn.Layer, path: Path, inputs: Any) -> None:
    paddle.jit.save(network, str(path), input_spec=[inputs])
    path.with_name(f"{path.name}.pdiparams.info").unlink(missing_ok=True)  # Paddle 2 writes it


def _network_fields(network: LabelsToPicture, config: Config) -> dict[str, Any]:
    """The fields of a ModelCard that describe the networks and the exporting versions."""
    generator = network.generator
    height, width = config.data.picture_size(generator.multiple)
    positions = "compatible" if config.data.icpe_compatible else "icpe"
    return {
        "spade_paddle": spade_paddle.__version__,
        "paddle": paddle.__version__,
        "dont_care": network.layout.dont_care,
        "instance_edges": network.layout.edges,
        "positions": positions if network.layout.positions else None,
        "noise_channels": generator.noise_channels,
        "style_dim": generator.style_dim,
        "height": height,
        "width": width,
        "multiple": generator.multiple,
        "parameters": count_parameters(generator),
        "tensors": {name: tensor.name for name, tensor in generator.state_dict().items()},
    }
