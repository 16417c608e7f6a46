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
    """The trainer of a data set, after the doctor's quick look at it.

    Args:
        data: the data set (see data/dataset.py).
        run: the run folder; made when it is not there.
        start: a run folder, or a model folder of tools/convert.py: a new run begins with its
            weights. Goes before ``config.init_from``.
        parts: more for Trainer: losses, callbacks, networks.

    Raises:
        DataError: no data set, or what the doctor finds.
        UserError: of Trainer.
    """
    start = source_of(config, init=start)
    if start is not None:  # the run's own configuration tells where it came from
        config = dataclasses.replace(config, init_from=str(start))
    workers = Workers.join()
    workers.say(*left_out_lines(data))
    check_before_training(data, label_set, config=config, warn=workers.say)
    scenes = [find_pairs(data, part, val_share=config.data.val_share) for part in PARTS]
    return Trainer(config, label_set=label_set, scenes=scenes, run=run, workers=workers, **parts)
