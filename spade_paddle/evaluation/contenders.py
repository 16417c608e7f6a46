"""The models that paint the scenes; a model with styles appears once for each way to choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spade_paddle.config import DataConfig
from spade_paddle.data.dataset import Scene, dataset_parts
from spade_paddle.data.label_sets import own_label_set
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.errors import DataError
from spade_paddle.inference.painter import Painter
from spade_paddle.model_card import ModelCard

AVERAGE, CHOSEN, DRAWN, OWN = "average", "chosen", "drawn", "own"


@dataclass(frozen=True)
class Contender:
    """A model, and the style it paints with.

    Args:
        model: name of the model.
        painter: the model.
        style: the name of one of the model's styles; ``chosen`` by the model from its gallery;
            ``average``, z = 0; ``drawn`` by the seed; ``own``, that of the scene's photo; None for
            a model without styles.
    """

    model: str
    painter: Painter
    style: str | None = None

    @property
    def title(self) -> str:
        """Name of the model and its style, for tables."""
        return self.model if self.style is None else f"{self.model}, {self.style} style"

    def paint(self, scene: Scene, *, seed: int) -> np.ndarray:
        """Paint a scene, ``uint8`` [H, W, 3]; ``seed`` determines the noise and a ``drawn`` style.

        Raises:
            LabelMapError: the model cannot paint the label map.
        """
        style = self.style  # remains the name, for one of the model's styles
        if style == OWN:
            style = scene.photo
        elif style in (AVERAGE, CHOSEN):  # passed explicitly, because paint() with a seed draws one
            style = self.painter.chosen_style(scene.label_map)
        elif style == DRAWN:
            style = None
        has_instances = self.painter.card.instance_edges and scene.instance_map is not None
        return self.painter.paint(
            scene.label_map,
            seed=seed,
            style=style,
            instance_map=scene.instance_map if has_instances else None,
        )


def open_contenders(folders: Sequence[Path]) -> list[Contender]:
    """Open model folders, in order, with every way to choose a style.

    Raises:
        ModelError: a folder is not a model folder, or is damaged.
    """
    contenders = []
    for name, folder in zip(distinct_names(folders), folders):
        painter = Painter.load(folder)
        styles: list[str | None] = [None]
        if painter.style_dim:
            styles = [CHOSEN] if painter.gallery is not None else []
            styles += painter.styles
            styles = [*(styles or [AVERAGE]), DRAWN]
            styles += [OWN] if painter.has_styles else []
        contenders += [Contender(name, painter, style) for style in styles]
    return contenders


def common_label_set(
    contenders: Sequence[Contender], data: Path, *, otherwise: LabelSet | None = None
) -> LabelSet:
    """Find the label set shared by all models and the data set's labels.json, if there is one.

    Args:
        contenders: the models.
        data: the data set.
        otherwise: label set to use if there are neither models nor a labels.json.

    Raises:
        ConfigError: labels.json is invalid.
        DataError: the label sets differ, or none is defined.
    """
    own = own_label_set(data)
    if own is None and not contenders:
        if otherwise is None:
            raise DataError(
                f"{data}: its labels are not known without a model; write them into "
                f"{data / LABELS_FILE}, or give the label set with --label-set",
                code="labels_unknown",
            )
        return otherwise
    expected = contenders[0].painter.label_set if own is None else own
    place = f"the model {contenders[0].model}" if own is None else str(data / LABELS_FILE)
    for contender in contenders:
        label_set = contender.painter.label_set
        if label_set.fingerprint() != expected.fingerprint():
            raise DataError(
                f"{contender.model}: this model paints the {len(label_set)} labels of "
                f"'{label_set.name}', but {place} has the {len(expected)} of '{expected.name}'; "
                "compare models with the same label set, on data with that set (convert it with "
                "tools/remap.py)",
                code="label_sets_differ",
            )
    return expected


def common_val_share(contenders: Sequence[Contender], data: Path) -> float:
    """The validation share of a flat data set with which all models were trained.

    With another share, a model would be evaluated on scenes of its training set. It is not used if
    the data set has train/ and val/. Without a model it is the default.

    Raises:
        DataError: ``data`` is not a data set, or it is flat and the models' shares differ.
    """
    if not contenders:
        return DataConfig.val_share
    first = contenders[0].painter.card.option("data.val_share")
    for contender in contenders:
        share = contender.painter.card.option("data.val_share")
        if share != first and dataset_parts(data) == ("",):
            raise DataError(
                f"{data}: these photos are split by name, and {contender.model} was trained with "
                f"data.val_share {share:g}, but {contenders[0].model} with {first:g}: "
                "one would be evaluated on scenes of its training set; evaluate them one by one, "
                "or on a data set with train/ and val/ whose val/ neither was trained on",
                code="val_shares_differ",
            )
    return first


def trained_on_judge_features(contenders: Sequence[Contender]) -> list[str]:
    """The models whose discriminator used the features of EfficientNet-Lite0, as the judge does."""
    painters = {contender.model: contender.painter for contender in contenders}
    return [
        name
        for name, painter in painters.items()
        if any(_knows_judge(one.card) for one in (painter, painter.large) if one is not None)
    ]


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """The names of folders, or their paths if two names are equal."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _knows_judge(card: ModelCard) -> bool:
    fields = "discriminator.projected_network", "discriminator.projected_2_network"
    return card.option("discriminator.kind") != "patch" and any(
        card.option(field) == "efficientnet_lite0" for field in fields
    )
