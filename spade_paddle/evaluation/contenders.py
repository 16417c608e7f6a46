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

AVERAGE, CHOSEN, DRAWN, OWN = "average", "chosen", "drawn", "own"


@dataclass(frozen=True)
class Contender:
    """A model, and the style it paints with.

    Args:
        model: what to call the model.
        painter: the model.
        style: the name of one that comes with the model; ``chosen``, what the model chooses by the
            label map; ``average``, z = 0; ``drawn``, what the seed draws; ``own``, that of the very
            photo a scene shows; None for a model that has no styles.
    """

    model: str
    painter: Painter
    style: str | None = None

    @property
    def title(self) -> str:
        """The model with its style, as a table names it."""
        return self.model if self.style is None else f"{self.model}, {self.style} style"

    def paint(self, scene: Scene, *, seed: int) -> np.ndarray:
        """The scene's label map painted, ``uint8`` [H, W, 3]; ``seed`` draws the noise, and where
        the style is drawn, that too.

        Raises:
            LabelMapError: the model does not paint such a map.
        """
        style = self.style  # by name, if it comes with the model
        if style == OWN:
            style = scene.photo
        elif style in (AVERAGE, CHOSEN):  # with a seed and no style, the painter would draw one
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
    """Those of several model folders, in order.

    Raises:
        ModelError: one is no model folder, or damaged.
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
    """The label set that all models paint and the data set has (if its labels.json tells).

    ``otherwise`` is that of the data set where neither tells.

    Raises:
        ConfigError: labels.json is broken.
        DataError: one of them has another, or nothing tells.
    """
    own = own_label_set(data)
    if own is None and not contenders:
        if otherwise is None:
            raise DataError(
                f"{data}: what its labels are is not known without a model; write them into "
                f"{data / LABELS_FILE}, or name their set with --label-set",
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
                "compare models of one label set, on data of that set (tools/remap.py makes it)",
                code="label_sets_differ",
            )
    return expected


def common_val_share(contenders: Sequence[Contender], data: Path) -> float:
    """How much of a flat data set all models left for looking when they were trained.

    With another share than its own a model would be measured on scenes it has learned from. Where
    the data set has train/ and val/ it does not matter. Without a model it is the default.

    Raises:
        DataError: no data set; or a flat one, and the models disagree.
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
                "one would be measured on scenes it has learned from; measure them one by one, or "
                "sort photos that neither has seen into a data set with train/ and val/",
                code="val_shares_differ",
            )
    return first


def trained_through_the_eye(contenders: Sequence[Contender]) -> list[str]:
    """The models whose discriminator looked through EfficientNet-Lite0, as the judge does."""
    cards = {contender.model: contender.painter.card for contender in contenders}
    return [
        name
        for name, card in cards.items()
        if card.option("discriminator.kind") != "patch"
        and card.option("discriminator.projected_network") == "efficientnet_lite0"
    ]


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """The names of the folders, or their paths where two have one name."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]
