"""Validation during training: scores of painted scenes, and overfitting of the discriminator."""

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
from spade_paddle.engine.steps import Networks, StepInput, discriminate, paint
from spade_paddle.errors import DataError
from spade_paddle.judge.feature_extractor import FeatureExtractor
from spade_paddle.judge.judge import SCORE, Judge
from spade_paddle.networks.semantics import SemanticLayout

MIN_SCENES = 2
OVERFITTING_SCENES = 16
"""Number of training and of validation scenes on which overfitting is measured."""
PREFIX = "val_"
DECIDING = PREFIX + SCORE
"""The score by which the best averaged weights are selected."""


class Validation:
    """Scores networks on the half of the validation scenes that is used for model selection.

    tools/evaluate.py reports scores on the other half. With a style encoder, the k-th scene is
    painted in the style of the k-th reference photo, a training photo, because the style of its own
    photo would reveal the colors. Scenes, styles and noise are the same every time.

    Args:
        train_scenes: training scenes; some are the judge's reference photos (its floor).
        val_scenes: validation scenes.
        config: the configuration.
        layout: the channels of the semantic map.

    Raises:
        ModelError: the judge's weights are missing or do not fit.
        DataError: there are too few scenes for model selection.
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
        if len(self._chosen) < MIN_SCENES:
            raise DataError(
                f"validation.judge_weights: {len(self._half)} of the {len(val_scenes)} validation "
                f"scenes are in the half for model selection, at least {MIN_SCENES} are needed; "
                "add scenes (data.val_share of a flat data set), or train without a judge (null)",
                code="scenes_too_few",
            )
        self._references = _spread(range(len(train_scenes)), len(self._chosen))
        self._judge: Judge | None = None

    def score(self, networks: Networks, averaged: Networks) -> dict[str, float]:
        """Return the scores of the averaged networks (Judge.score), with prefix ``val_``, and
        ``overfitting`` of the trained networks.

        Raises:
            DataError, LabelMapError: a scene can no longer be read.
        """
        if self._judge is None:  # created here because it reads many photos
            self._judge = Judge(
                self._extractor,
                photos=(self._view(self._val, index).photo for index in self._chosen),
                others=(self._view(self._train, index).photo for index in self._references),
            )
        scores = self._judge.score(
            painted(averaged, inputs) for inputs in self._judged_inputs(averaged)
        )
        train = _spread(range(len(self._train)), OVERFITTING_SCENES)
        values = overfitting(
            networks,
            list(self._inputs(self._train, train, networks)),
            list(self._inputs(self._val, _spread(self._half, OVERFITTING_SCENES), networks)),
        )
        return {**{PREFIX + name: value for name, value in scores.items()}, **values}

    def _judged_inputs(self, networks: Networks) -> Iterator[StepInput]:
        inputs = self._inputs(self._val, self._chosen, networks)
        for scene, reference in zip(inputs, itertools.cycle(self._references)):
            if networks.encoder is None:
                yield scene
            else:
                photo = to_network(self._view(self._train, reference).photo[None])
                yield dataclasses.replace(scene, photo=paddle.to_tensor(photo))

    def _inputs(
        self, scenes: SceneCache, indices: Sequence[int], networks: Networks
    ) -> Iterator[StepInput]:
        for seed, index in enumerate(indices):
            yield scene_input(self._view(scenes, index), networks, self._layout, seed=seed)

    def _view(self, scenes: SceneCache, index: int) -> Scene:
        multiple = self._config.generator.multiple
        return middle_view(scenes[index], self._config.data, multiple=multiple)


def _spread(indices: Sequence[int], maximum: int) -> list[int]:
    """Select at most ``maximum`` of the indices, evenly spaced."""
    count = min(maximum, len(indices))
    return [indices[k * len(indices) // count] for k in range(count)]


@paddle.no_grad()
def overfitting(
    networks: Networks, train: Sequence[StepInput], val: Sequence[StepInput]
) -> dict[str, float]:
    """``(E[D(train)] - E[D(val)]) / (E[D(train)] - E[D(generated)])`` by kind of discriminator.

    Karras et al. 2020 (ADA), equation 1. 0: its output for validation photos equals that for
    training photos. 1: it equals that for generated pictures, and augmentation should be stronger.
    Logits are averaged over scenes, positions, and scales or heads, without augmentation; the
    generated pictures are of the training scenes.

    Args:
        networks: networks with a discriminator; in evaluation mode during the measurement.
        train, val: training and validation scenes, one per item.

    Returns:
        ``overfitting`` for patch scales, ``overfitting_projected`` and ``overfitting_projected_2``
        for heads, if they exist; a value whose denominator is 0 is omitted.
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
    """Return the mean logit by kind of discriminator."""
    means: dict[str, list[float]] = {}
    for scene, photo in shown:
        for kind, prediction in discriminate(networks, scene, photo).items():
            logits = [float(stages[-1].mean()) for stages in prediction]
            means.setdefault(kind, []).append(float(np.mean(logits)))
    return {kind: float(np.mean(values)) for kind, values in means.items()}
