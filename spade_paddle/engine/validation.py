"""Validation during training: scores of painted scenes, and whether the discriminator overfits."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.data.batches import SceneCache, to_network
from spade_paddle.data.dataset import Scene
from spade_paddle.data.split import half_of
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.samples import evaluating, painted, scene_input
from spade_paddle.engine.steps import Networks, StepInput, judged, paint
from spade_paddle.errors import DataError
from spade_paddle.judge.eye import FeatureExtractor
from spade_paddle.judge.judge import SCORE, Judge
from spade_paddle.networks.semantics import SemanticLayout

LEAST_SCENES = 2
OVERFITTING_SCENES = 16
"""On so many of each part overfitting is measured."""
PREFIX = "val_"
DECIDING = PREFIX + SCORE
"""The score by which the best averages are chosen."""


class Validation:
    """Scores networks on validation scenes of the half to choose by.

    The other half is untouched: tools/evaluate.py reports on it. A network with styles
    paints the k-th scene in the style of the k-th of the training photos that give the floor, since
    with that of its own photo it would be told the colors. Everything is the same each time.

    Args:
        train_scenes: those to learn from; some give the floor.
        val_scenes: those to look at; the first of the half are painted.

    Raises:
        ModelError: the judge's weights are missing or do not fit.
        DataError: there are too few scenes to choose by.
    """

    def __init__(
        self,
        train_scenes: SceneCache,
        val_scenes: SceneCache,
        *,
        config: Config,
        layout: SemanticLayout,
    ) -> None:
        self._extractor = FeatureExtractor(config.validation.judge_weights)
        self._train, self._val = train_scenes, val_scenes
        self._config = config
        self._layout = layout
        names = val_scenes.names()
        self._half = [index for index, name in enumerate(names) if half_of(name) == "choose"]
        self._chosen = self._half[: config.validation.judge_scenes]
        if len(self._chosen) < LEAST_SCENES:
            raise DataError(
                f"validation.judge_weights: of the {len(val_scenes)} validation scenes "
                f"{len(self._half)} are of the half to choose by, at least {LEAST_SCENES} are "
                "needed; add scenes (data.val_share of a flat data set), or train without a judge "
                "(null)",
                code="scenes_too_few",
            )
        self._others = _spread(range(len(train_scenes)), len(self._chosen))
        self._judge: Judge | None = None

    def score(self, networks: Networks, averaged: Networks) -> dict[str, float]:
        """What Judge.score gives of the averaged networks, each name with ``val_`` before it, and
        ``overfitting`` of those that are trained.

        Raises:
            DataError, LabelMapError: a scene cannot be read any more.
        """
        if self._judge is None:  # not before: a run that only goes on for a step needs none
            self._judge = Judge(
                self._extractor,
                photos=(self._view(self._val, index).photo for index in self._chosen),
                others=(self._view(self._train, index).photo for index in self._others),
            )
        scores = self._judge.score(painted(averaged, inputs) for inputs in self._judged(averaged))
        train = _spread(range(len(self._train)), OVERFITTING_SCENES)
        values = overfitting(
            networks,
            list(self._inputs(self._train, train, networks)),
            list(self._inputs(self._val, _spread(self._half, OVERFITTING_SCENES), networks)),
        )
        return {**{PREFIX + name: value for name, value in scores.items()}, **values}

    def _judged(self, networks: Networks) -> Iterator[StepInput]:
        inputs = self._inputs(self._val, self._chosen, networks)
        for scene, other in zip(inputs, itertools.cycle(self._others)):
            if networks.encoder is None:
                yield scene
            else:
                photo = to_network(self._view(self._train, other).photo[None])
                yield dataclasses.replace(scene, photo=paddle.to_tensor(photo))

    def _inputs(
        self, scenes: SceneCache, indices: Sequence[int], networks: Networks
    ) -> Iterator[StepInput]:
        for seed, index in enumerate(indices):
            yield scene_input(self._view(scenes, index), networks, self._layout, seed=seed)

    def _view(self, scenes: SceneCache, index: int) -> Scene:
        multiple = self._config.generator.multiple
        return middle_view(scenes[index], self._config.data, multiple=multiple)


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most so many of the indices, evenly spread over them."""
    count = min(most, len(indices))
    return [indices[k * len(indices) // count] for k in range(count)]


@paddle.no_grad()
def overfitting(
    networks: Networks, train: Sequence[StepInput], val: Sequence[StepInput]
) -> dict[str, float]:
    """``(E[D(train)] - E[D(val)]) / (E[D(train)] - E[D(generated)])`` by the discriminator's kind.

    Karras et al. 2020 (ADA), equation 1: 0 where validation photos are as real to it as those it
    has trained on, 1 where they are as false to it as generated pictures: then augmentation should
    be stronger. Means over scenes, places, and scales or heads; without augmentation; the
    generator paints the training scenes.

    Args:
        networks: with a discriminator; in evaluation mode while they are asked.
        train, val: scenes of both parts, one each.

    Returns:
        ``overfitting`` for the patch scales and ``overfitting_projected`` for the heads, as far as
        there are; nothing where generated pictures are as real to it as training photos.
    """
    with evaluating(networks.generator, networks.encoder, networks.discriminator):
        on_train = _scores(networks, [(scene, scene.photo) for scene in train])
        on_val = _scores(networks, [(scene, scene.photo) for scene in val])
        on_fake = _scores(networks, [(scene, paint(networks, scene)[0]) for scene in train])
    values = {}
    for kind, real in on_train.items():
        name = "overfitting" if kind == "patch" else f"overfitting_{kind}"
        if real != on_fake[kind]:
            values[name] = (real - on_val[kind]) / (real - on_fake[kind])
    return values


def _scores(
    networks: Networks, shown: Sequence[tuple[StepInput, paddle.Tensor]]
) -> dict[str, float]:
    """Mean logits by kind of discriminator."""
    means: dict[str, list[float]] = {}
    for scene, photo in shown:
        for kind, prediction in judged(networks, scene, photo).items():
            logits = [float(stages[-1].mean()) for stages in prediction]
            means.setdefault(kind, []).append(float(np.mean(logits)))
    return {kind: float(np.mean(values)) for kind, values in means.items()}
