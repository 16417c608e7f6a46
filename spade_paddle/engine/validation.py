"""How good the networks are while they learn: painted scenes before the judge, and whether the
discriminator knows its photos by heart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import paddle

from spade_paddle.config import Config
from spade_paddle.data.batches import SceneCache, to_network
from spade_paddle.data.dataset import Scene
from spade_paddle.data.split import half_of
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.overfitting import overfitting
from spade_paddle.engine.samples import painted, scene_input
from spade_paddle.engine.steps import Networks, StepInput
from spade_paddle.errors import DataError
from spade_paddle.judge.eye import Eye
from spade_paddle.judge.judge import SCORE, Judge

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
    with that of its own photo it would be told the colours. Everything is the same each time.

    Args:
        eye: the judge's.
        train_scenes: those to learn from; some give the floor.
        val_scenes: those to look at; the first of the half are painted.
        config: of the run.
        num_labels: labels of the label set.

    Raises:
        DataError: there are too few scenes.
    """

    def __init__(
        self,
        eye: Eye,
        *,
        train_scenes: SceneCache,
        val_scenes: SceneCache,
        config: Config,
        num_labels: int,
    ) -> None:
        self._eye = eye
        self._train, self._val = train_scenes, val_scenes
        self._config = config
        self._num_labels = num_labels
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
        ``overfitting`` of those that are trained (engine/overfitting.py).

        Raises:
            DataError, LabelMapError: a scene cannot be read any more.
        """
        if self._judge is None:  # not before: a run that only goes on for a step needs none
            self._judge = Judge(
                self._eye,
                photos=(self._view(self._val, index).photo for index in self._chosen),
                others=(self._view(self._train, index).photo for index in self._others),
            )
        scores = self._judge.score(
            painted(averaged, self._judged_input(seed, index, averaged))
            for seed, index in enumerate(self._chosen)
        )
        train, val = (
            [
                self._input(self._view(scenes, index), seed=seed, networks=networks)
                for seed, index in enumerate(_spread(indices, OVERFITTING_SCENES))
            ]
            for scenes, indices in (
                (self._train, range(len(self._train))),
                (self._val, self._half),
            )
        )
        named = {PREFIX + name: value for name, value in scores.items()}
        return named | overfitting(networks, train, val)

    def _judged_input(self, seed: int, index: int, networks: Networks) -> StepInput:
        inputs = self._input(self._view(self._val, index), seed=seed, networks=networks)
        if networks.encoder is None:
            return inputs
        other = self._view(self._train, self._others[seed % len(self._others)])
        return dataclasses.replace(inputs, photo=paddle.to_tensor(to_network(other.photo[None])))

    def _input(self, scene: Scene, *, seed: int, networks: Networks) -> StepInput:
        return scene_input(
            scene,
            seed=seed,
            noise_channels=networks.generator.noise_channels,
            config=self._config,
            num_labels=self._num_labels,
        )

    def _view(self, scenes: SceneCache, index: int) -> Scene:
        multiple = self._config.generator.multiple
        return middle_view(scenes[index], self._config.data, multiple=multiple)


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most so many of the indices, evenly spread over them."""
    count = min(most, len(indices))
    return [indices[k * len(indices) // count] for k in range(count)]
