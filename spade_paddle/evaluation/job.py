"""One evaluation from folders to a report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Callable

import paddle

import spade_paddle
from spade_paddle.annotate.annotator import Annotator
from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import ModelError
from spade_paddle.evaluation.contenders import (
    Contender,
    common_label_set,
    common_val_share,
    open_contenders,
    trained_through_the_eye,
)
from spade_paddle.evaluation.evaluation import Evaluation, Progress
from spade_paddle.evaluation.report import Report
from spade_paddle.evaluation.scenes import scenes_of
from spade_paddle.files import sha256
from spade_paddle.judge.eye import Eye
from spade_paddle.metrics.bootstrap import REPLICATES

_FLATTERED = (
    " was trained with discriminator.projected_network efficientnet_lite0: it has learned to "
    "please the very network that looks here, so its distances do not count"
)


def evaluate_models(
    models: Sequence[Path],
    *,
    data: Path,
    features: Path,
    annotator: str | None,
    part: str = "val",
    half: str = "report",
    side: int = 256,
    progress: Progress = iter,
    say: Callable[[str], None] = print,
) -> Report:
    """Let models paint a part of a data set and measure what they paint.

    Args:
        models: model folders; the others are compared with the first.
        data: the data set.
        features: EfficientNet-Lite0 weights, ``.npz``.
        annotator: as ``choose_annotator`` takes it; None to do without. It is also done without,
            and said, where PaddleSeg is not installed.
        part: ``train`` or ``val``.
        half: of the part: ``choose`` to choose a recipe, ``report`` to tell how good it is, or
            ``all`` (data/split.py).
        side: pixels of the square pictures.
        progress: is handed the scenes and hands them back one by one.
        say: prints a line.

    Raises:
        UserError: a model, the data set, the weights or the annotator is missing, broken, or does
            not go with the others.
    """
    contenders = open_contenders(models)
    label_set = common_label_set(contenders, data)
    val_share = common_val_share(contenders, data)
    pairs, others = scenes_of(data, part, half=half, val_share=val_share)
    eye = Eye(features)
    judge = None if annotator is None else _open_annotator(annotator, label_set, say)
    flattered = trained_through_the_eye(contenders)
    for model in flattered:
        say(model + _FLATTERED)
    evaluation = Evaluation(eye, annotator=judge, label_set=label_set, side=side)
    rows = evaluation.score(contenders, pairs, others=others, progress=progress)
    protocol = {
        "data": str(data),
        "part": part,
        "half": half,
        "val_share": val_share,
        "scenes": len(pairs),
        "other_photos": len(others),
        "side": side,
        "seed": "number of the scene, from 0",
        "replicates": REPLICATES,
        "features": {"file": features.name, "sha256": sha256(features)},
        "annotator": None if judge is None else annotator,
        "models": _models(models, contenders, flattered),
        "spade_paddle": spade_paddle.__version__,
        "paddle": paddle.__version__,
    }
    return Report(protocol, rows, label_set)


def _open_annotator(
    annotator: str, label_set: LabelSet, say: Callable[[str], None]
) -> Annotator | None:
    try:
        return Annotator.load(annotator, label_set=label_set)
    except ModelError as error:
        if error.code != "paddleseg_missing":
            raise
        say(f"without mean IoU and accuracy: {error}")
        return None


def _models(
    folders: Sequence[Path], contenders: Sequence[Contender], flattered: Collection[str]
) -> list[dict[str, Any]]:
    """Which models they were, whatever their folders hold later."""
    painters = {contender.model: contender.painter for contender in contenders}
    return [
        {
            "title": title,
            "folder": str(folder),
            **{
                key: getattr(painter.card, key)
                for key in ("name", "version", "parameters", "files")
            },
            "trained_through_the_eye": title in flattered,
        }
        for folder, (title, painter) in zip(folders, painters.items())
    ]
