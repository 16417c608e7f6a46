"""Training an annotator with PaddleSeg's own trainer (``paddleseg.core.train``)."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import yaml

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.annotate.segmentation_network import (
    build_component,
    read_paddleseg_yaml,
    without_pretrained,
)
from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.errors import ConfigError
from spade_paddle.files import write_atomically, write_text_atomically
from spade_paddle.metrics.segmentation import Agreement, confusion
from spade_paddle.onednn.layers import unavailable_reason, use_onednn
from spade_paddle.weights import halved, read_arrays


class AnnotatorTraining:
    """A training run, defined by a PaddleSeg YAML file, a data set and a run folder.

    Args:
        path: path of the YAML file.
        data: data set folder.
        run: where PaddleSeg writes its ``iter_N`` folders; training resumes from the newest one.
        iters: number of steps; None: that of the file.

    Raises:
        ModelError: the file is not a valid PaddleSeg configuration.
        ConfigError: a section is missing.
    """

    def __init__(self, path: Path, *, data: Path, run: Path, iters: int | None) -> None:
        self.path, self.data, self.run = path, data, run
        self.config = config = read_paddleseg_yaml(path)
        needed = ("batch_size", "iters", "train_dataset", "optimizer", "lr_scheduler", "loss")
        missing = [name for name in needed if name not in config]
        if missing:
            raise ConfigError(
                f"{path}: sections required for training are missing: {', '.join(missing)}; see "
                "configs/annotator.yml",
                code="annotator_config",
            )
        if iters is not None:
            config["iters"] = iters

    @property
    def is_first_process(self) -> bool:
        """Whether this is the process that writes files."""
        return paddle.distributed.get_rank() == 0

    def train(self, *, save_every: int) -> None:
        """Train to the end, resuming from the newest checkpoint of the run folder."""
        from paddleseg.core import train

        config = self.config
        newest = self._newest()
        done = 0 if newest is None else _steps_of(newest)
        if done >= config["iters"]:  # PaddleSeg's trainer fails with zero steps
            return
        paddle.seed(int(config["train_dataset"].get("seed", 1)))
        network = build_component(config["model"], self.path)
        if unavailable_reason() is None:
            use_onednn(network)
        losses = dict(config["loss"])
        losses["types"] = [build_component(section, self.path) for section in losses["types"]]
        train(
            network,
            self._dataset(done),
            optimizer=self._optimizer(network),
            save_dir=str(self.run),
            iters=config["iters"],
            batch_size=config["batch_size"],
            resume_model=None if newest is None else str(newest),
            save_interval=save_every,
            log_iters=50,
            use_vdl=True,
            losses=losses,
            keep_checkpoint_max=2,
        )

    def export(self, folder: Path) -> Agreement:
        """Write an annotator folder: ``model.yml``, ``model.pdparams``, ``labels.json``.

        It gets the weights of the last step, in float16 where that only rounds them.

        Returns:
            its agreement with the validation label maps.

        Raises:
            ConfigError: there is no checkpoint.
            DataError: the data set has no validation part.
        """
        newest = self._newest()
        if newest is None:
            raise ConfigError(
                f"{self.run}: there is no checkpoint yet; train first", code="run_empty"
            )
        self._write_folder(folder, newest / "model.pdparams")
        return self._agreement(Annotator.load(folder))

    def _agreement(self, annotator: Annotator) -> Agreement:
        """Compare its label maps of the validation photos with those of the data set."""
        num_labels = len(annotator.label_set)
        counts = np.zeros((num_labels, num_labels + 1), np.int64)
        for pair in find_pairs(self.data, "val"):
            scene = read_scene(pair, annotator.label_set)
            predicted = annotator.annotate(scene.photo).label_map
            counts += confusion(scene.label_map, predicted, num_labels=num_labels)
        return Agreement.of(counts)

    def _write_folder(self, folder: Path, weights: Path) -> None:
        content = {
            "model": without_pretrained(self.config["model"]),
            "val_dataset": self.config["val_dataset"],
        }
        label_set = find_label_set(self.config["train_dataset"]["labels"])
        arrays = {name: halved(array) for name, array in read_arrays(weights).items()}
        write_atomically(folder / "model.pdparams", lambda path: paddle.save(arrays, str(path)))
        write_text_atomically(folder / "model.yml", yaml.safe_dump(content, sort_keys=False))
        write_text_atomically(folder / LABELS_FILE, label_set.to_json())

    def _dataset(self, steps_done: int):
        """Build the data set of the remaining views; PaddleSeg splits it among processes."""
        per_step = self.config["batch_size"] * paddle.distributed.get_world_size()
        section = dict(
            self.config["train_dataset"],
            folder=str(self.data),
            length=(self.config["iters"] - steps_done) * per_step,
            first=steps_done * per_step,
        )
        return build_component(section, self.path)

    def _optimizer(self, network: paddle.nn.Layer):
        from paddleseg.cvlibs.builder import SegBuilder

        section = {"warmup_start_lr": 0.0, **self.config["lr_scheduler"]}
        if not section.get("warmup_iters"):
            section = {key: section[key] for key in section if not key.startswith("warmup_")}
        options = SimpleNamespace(lr_scheduler_cfg=section, iters=self.config["iters"])
        optimizer = build_component(self.config["optimizer"], self.path)
        return optimizer(network, SegBuilder(options).lr_scheduler)

    def _newest(self) -> Path | None:
        checkpoints = [path for path in self.run.glob("iter_*") if (path / "model.pdopt").is_file()]
        return max(checkpoints, key=_steps_of, default=None)


def _steps_of(checkpoint: Path) -> int:
    return int(re.fullmatch(r"iter_(\d+)", checkpoint.name).group(1))
