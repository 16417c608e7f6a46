"""One evaluation, from folders to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import paddle

import spade_paddle
from spade_paddle.annotate.annotator import Annotator
from spade_paddle.annotate.annotator_files import DEFAULT_ANNOTATOR, choose_annotator
from spade_paddle.data.dataset import Pair
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import ConfigError, ModelError
from spade_paddle.evaluation.contenders import (
    Contender,
    common_label_set,
    common_val_share,
    distinct_names,
    open_contenders,
    trained_on_judge_features,
)
from spade_paddle.evaluation.evaluation import Evaluation, Progress
from spade_paddle.evaluation.pictures import PictureFolder
from spade_paddle.evaluation.protocol import common_line, measures, view_of
from spade_paddle.evaluation.report import EvaluationReport
from spade_paddle.evaluation.scenes import scenes_of
from spade_paddle.features.efficientnet import EfficientNetLite0
from spade_paddle.files import sha256
from spade_paddle.judge.feature_extractor import FeatureExtractor
from spade_paddle.judge.inception import InceptionExtractor, Statistics
from spade_paddle.metrics.bootstrap import REPLICATES
from spade_paddle.metrics.normal import Normal
from spade_paddle.model_card import ModelCard

_BIAS_WARNING = (
    " was trained with projected heads on efficientnet_lite0, whose features also define the "
    "distances here: these are biased in its favor"
)


@dataclass(frozen=True)
class Task:
    """The options of an evaluation.

    Args:
        data: the data set.
        models: model folders; the first is the baseline.
        pictures: folders with a picture of each scene, to be evaluated after the models.
        features: EfficientNet-Lite0 weights; None: those of the installed package.
        inception: Inception-v3 weights for FID and KID; None skips them.
        resize: filter for resizing to Inception's input size (data/clean_resize.py).
        statistics: file of ``save_statistics``, to whose data set FID is also computed.
        save_statistics: file to write with the statistics of the scenes' photos.
        annotator: see ``choose_annotator``; None skips it. It is also skipped, with a message, if
            PaddleSeg is not installed.
        annotator_labels: the annotator's label set, if its files do not define one.
        label_set: the data set's label set, if neither it nor a model defines one.
        part: ``train`` or ``val``.
        half: half of the part (data/split.py): ``choose`` for model selection, ``report`` for
            reported numbers, or ``all``.
        side: height and width of the pictures in pixels.
        replicates: bootstrap samples for the confidence intervals.
    """

    data: Path
    models: Sequence[Path] = ()
    pictures: Sequence[Path] = ()
    features: Optional[Path] = None
    inception: Optional[Path] = None
    resize: str = "bicubic"
    statistics: Optional[Path] = None
    save_statistics: Optional[Path] = None
    annotator: Optional[str] = DEFAULT_ANNOTATOR
    annotator_labels: Optional[str] = None
    label_set: Optional[str] = None
    part: str = "val"
    half: str = "report"
    side: int = 256
    replicates: int = REPLICATES

    def check(self) -> None:
        """Raise ConfigError if options contradict each other."""
        if not self.models and not self.pictures and self.save_statistics is None:
            raise ConfigError(
                "there is nothing to measure: give --model or --pictures, or --save-statistics for "
                "the photos only",
                code="contenders_missing",
            )
        if self.inception is None and (self.statistics or self.save_statistics):
            raise ConfigError(
                "statistics need Inception-v3 features: give its weights with --inception",
                code="inception_missing",
            )


def evaluate(
    task: Task, *, progress: Progress = iter, say: Callable[[str], None] = print
) -> EvaluationReport:
    """Paint a part of a data set with each model and score the pictures.

    Args:
        task: the options.
        progress: wraps the iteration over scenes, as tqdm does.
        say: prints a message.

    Raises:
        UserError: a model, the data set, the weights or the annotator is missing, damaged, or
            incompatible with the others.
    """
    task.check()
    models = open_contenders(task.models)
    otherwise = None if task.label_set is None else find_label_set(task.label_set)
    label_set = common_label_set(models, task.data, otherwise=otherwise)
    val_share = common_val_share(models, task.data)
    pairs, others = scenes_of(task.data, task.part, half=task.half, val_share=val_share)
    folders = _open_pictures(task, pairs)
    features = task.features or EfficientNetLite0.packaged_weights(option="--features")
    extractor = FeatureExtractor(features)
    inception, statistics = _open_inception(task)
    annotator = _open_annotator(task, label_set, say)
    for model in trained_on_judge_features(models):
        say(f"warning: {model}{_BIAS_WARNING}")
    evaluation = Evaluation(
        extractor,
        annotator=annotator,
        label_set=label_set,
        side=task.side,
        inception=inception,
        statistics=statistics,
        replicates=task.replicates,
    )
    rows = evaluation.score([*models, *folders], pairs, others=others, progress=progress)
    if task.save_statistics is not None:
        normal = Normal.of_samples(evaluation.photo_features.features)
        protocol = _statistics_protocol(inception, task)
        Statistics(normal, len(pairs), protocol).save(task.save_statistics)
    protocol = {
        **{name: getattr(task, name) for name in ("part", "half", "side", "replicates")},
        "data": str(task.data),
        "val_share": val_share,
        "scenes": len(pairs),
        "other_photos": len(others),
        "seed": "index of the scene",
        "features": _file(features),
        "inception": inception and inception.protocol,
        "statistics": statistics and {**_file(task.statistics), "count": statistics.count},
        "annotator": annotator and _annotator_files(task),
        "models": _models(task.models, models),
        "pictures": [each.to_dict() for each in folders],
        "spade_paddle": spade_paddle.__version__,
        "paddle": paddle.__version__,
    }
    texts = {"common": common_line(protocol), "measures": measures(protocol)}
    return EvaluationReport({**protocol, **texts}, rows, label_set)


def _open_pictures(task: Task, pairs: Sequence[Pair]) -> list[PictureFolder]:
    names = distinct_names([*task.models, *task.pictures])[len(task.models) :]
    return [PictureFolder(name, folder, pairs) for name, folder in zip(names, task.pictures)]


def _open_inception(task: Task) -> tuple[Optional[InceptionExtractor], Optional[Statistics]]:
    """Inception, and the statistics to compare with."""
    if task.inception is None:
        return None, None
    inception = InceptionExtractor(task.inception, kernel=task.resize)
    if task.statistics is None:
        return inception, None
    protocol = _statistics_protocol(inception, task)
    return inception, Statistics.load(task.statistics, protocol=protocol)


def _statistics_protocol(inception: InceptionExtractor, task: Task) -> dict[str, Any]:
    return {**inception.protocol, "pictures": view_of(task.side)}


def _file(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": sha256(path)}


def _annotator_files(task: Task) -> dict[str, str]:
    return {"name": task.annotator, "sha256": choose_annotator(task.annotator).fingerprint}


def _open_annotator(
    task: Task, label_set: LabelSet, say: Callable[[str], None]
) -> Optional[Annotator]:
    if task.annotator is None:
        return None
    try:
        return Annotator.load(
            task.annotator, label_set=label_set, model_labels=task.annotator_labels
        )
    except ModelError as error:
        if error.code != "paddleseg_missing":
            raise
        say(f"without mean IoU and accuracy: {error}")
        return None


def _models(folders: Sequence[Path], contenders: Sequence[Contender]) -> list[dict[str, Any]]:
    """Identify the models, by the hashes of their files."""
    biased = trained_on_judge_features(contenders)
    painters = {contender.model: contender.painter for contender in contenders}
    return [
        {
            "title": title,
            "folder": str(folder),
            **_identity(painter.card),
            "large": None if painter.large is None else _identity(painter.large.card),
            "trained_with_these_features": title in biased,
        }
        for folder, (title, painter) in zip(folders, painters.items())
    ]


def _identity(card: ModelCard) -> dict[str, Any]:
    return {key: getattr(card, key) for key in ("name", "version", "parameters", "files")}
