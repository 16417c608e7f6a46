"""From a training run to a model folder (inference/model_folder.py)."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import yaml
from paddle import nn

import spade_paddle
from spade_paddle.config import Config, read_config
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.checkpoint import load_latest
from spade_paddle.errors import ModelError
from spade_paddle.inference.model_folder import FORMAT, PROGRAM, sha256
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.semantics import semantic_input


class LabelsToPicture(nn.Layer):
    """What is exported: label ids (and noise) in, picture out.

    Args:
        generator: without spectral-norm hooks, in evaluation mode.
        num_labels: labels of the label set.
        dont_care: the generator has a channel for 255.
        edges: the generator has an instance edge channel, computed from the label map.
    """

    def __init__(
        self, generator: nn.Layer, *, num_labels: int, dont_care: bool, edges: bool
    ) -> None:
        super().__init__()
        self.generator = generator
        self.num_labels = num_labels
        self.dont_care = dont_care
        self.edges = edges

    def forward(
        self, label_map: paddle.Tensor, noise: paddle.Tensor | None = None
    ) -> paddle.Tensor:
        """int32 [N, H, W] of ids and 255, float32 [N, C, H, W] -> float32 [N, 3, H, W] in -1..1."""
        semantics = semantic_input(
            label_map, num_labels=self.num_labels, dont_care=self.dont_care, edges=self.edges
        )
        return self.generator(semantics, noise)


def export_run(run: str | Path, out: str | Path, *, name: str, version: str) -> Path:
    """Export the averaged generator of a run's newest checkpoint.

    Args:
        run: the run folder.
        out: the model folder; made anew, and only when everything has worked.
        name: of the model, shown by the service.
        version: of the weights.

    Returns:
        ``out``.

    Raises:
        ModelError: the run has no checkpoint, or a damaged one.
    """
    run, out = Path(run), Path(out)
    state = load_latest(run / "checkpoint", warn=print) if run.is_dir() else None
    if state is None:
        raise ModelError(
            f"{run}: there is no checkpoint here; give the --run folder of tools/train.py",
            code="run_missing",
        )
    config = read_config(yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8")))
    label_set = LabelSet.load(run / "labels.json")
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    training = {
        "images_seen": int(state["images_seen"]),
        "hours": round(float(state["seconds"]) / 3600, 2),
        "seed": config.seed,
        "paddle": environment["paddle"],
        "config": config.to_dict(),
    }
    losses = training["config"]["losses"]
    if losses["perceptual_weights"]:  # where the file lay is of no use to others
        losses["perceptual_weights"] = Path(losses["perceptual_weights"]).name
    return export_generator(
        state["average"],
        out,
        config=config,
        label_set=label_set,
        name=name,
        version=version,
        training=training,
    )


def export_generator(
    state: dict[str, Any],
    out: Path,
    *,
    config: Config,
    label_set: LabelSet,
    name: str,
    version: str,
    training: dict[str, Any],
) -> Path:
    """Export a generator's effective state dict as a model folder."""
    generator = build_generator(config, num_labels=len(label_set), spectral_norm=False)
    load_state(generator, state)
    generator.eval()
    network = LabelsToPicture(
        generator,
        num_labels=len(label_set),
        dont_care=config.data.dont_care,
        edges=config.data.instance_edges,
    )
    network.eval()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        inputs = [paddle.static.InputSpec([None, None, None], "int32", "label_map")]
        if generator.noise_channels:
            shape = [None, generator.noise_channels, None, None]
            inputs.append(paddle.static.InputSpec(shape, "float32", "noise"))
        paddle.jit.save(network, str(folder / PROGRAM), input_spec=inputs)
        (folder / f"{PROGRAM}.pdiparams.info").unlink(missing_ok=True)  # Paddle 2 writes it
        size = config.data.short_side - config.data.short_side % generator.multiple
        model = {
            "format": FORMAT,
            "name": name,
            "version": version,
            "spade_paddle": spade_paddle.__version__,
            "paddle": paddle.__version__,
            "label_set": label_set.to_dict(),
            "dont_care": config.data.dont_care,
            "instance_edges": config.data.instance_edges,
            "noise_channels": generator.noise_channels,
            "height": size,
            "width": size,
            "multiple": generator.multiple,
            "parameters": int(sum(np.prod(p.shape) for p in generator.parameters())),
            "training": training,
            "files": {path.name: sha256(path) for path in sorted(folder.iterdir())},
        }
        (folder / "model.json").write_text(
            json.dumps(model, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return out


def load_state(network: nn.Layer, state: dict[str, Any]) -> None:
    """Set every tensor of a network; nothing may be missing, left over or of another shape.

    Raises:
        ModelError: names what does not fit.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    wrong = [
        f"{key}: expected {expected.get(key, 'nothing')}, "
        f"got {tuple(state[key].shape) if key in state else 'nothing'}"
        for key in sorted(expected.keys() | state.keys())
        if key not in state or expected.get(key) != tuple(state[key].shape)
    ]
    if wrong:
        raise ModelError(
            f"the weights do not fit the network at {len(wrong)} places: {'; '.join(wrong[:5])}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(state)
