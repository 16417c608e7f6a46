"""The scenes of a run: those to train on and those to look at."""

from __future__ import annotations

import math
from pathlib import Path

from spade_paddle.config import Config
from spade_paddle.data.batches import SceneCache
from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.picture_sizes import check_one_size


def scenes_of(
    data: Path, *, config: Config, label_set: LabelSet, processes: int
) -> tuple[SceneCache, SceneCache]:
    """The training and the validation scenes of a data set.

    Args:
        data: the data set (see data/dataset.py).
        config: of the run.
        label_set: its labels.
        processes: how many share a batch.

    Raises:
        DataError: no data set, files without partners, or pictures that fit in no batch.
    """
    options, multiple = config.data, config.generator.multiple
    train, val = (find_pairs(data, part, val_share=options.val_share) for part in ("train", "val"))
    pictures = math.ceil(config.batch_size / processes)
    check_one_size(train, options, multiple=multiple, pictures=pictures)
    train_scenes, val_scenes = (
        SceneCache(
            pairs,
            label_set=label_set,
            options=options,
            multiple=multiple,
            positions=config.knows_positions,
        )
        for pairs in (train, val)
    )
    return train_scenes, val_scenes
