"""Builds a training run from a folder of photos and label maps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from spade_paddle.config import Config
from spade_paddle.data.dataset import PARTS, find_pairs, left_out_lines
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.examine import check_before_training
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.resuming import source_of
from spade_paddle.engine.trainer import Trainer


def trainer_of_folder(
    config: Config,
    *,
    label_set: LabelSet,
    data: Path,
    run: Path,
    start: Path | None = None,
    **parts: Any,
) -> Trainer:
    """Build the trainer for a data set, after a quick check of it by the doctor.

    Args:
        config: the configuration.
        label_set: the labels of the data set.
        data: the data set (see data/dataset.py).
        run: the run folder; created if it does not exist.
        start: a run folder, or a model folder with training weights, whose weights a new run
            starts from. Takes precedence over ``config.init_from``.
        parts: further arguments of Trainer, such as losses, callbacks or networks.

    Raises:
        DataError: there is no data set, or the doctor reports errors.
        UserError: as raised by Trainer.
    """
    start = source_of(config, init=start)
    if start is not None:  # recorded in the run's config.yaml
        config = dataclasses.replace(config, init_from=str(start))
    workers = Workers.join()
    workers.say(*left_out_lines(data))
    check_before_training(data, label_set, config=config, warn=workers.say)
    scenes = [find_pairs(data, part, val_share=config.data.val_share) for part in PARTS]
    return Trainer(config, label_set=label_set, scenes=scenes, run=run, workers=workers, **parts)
