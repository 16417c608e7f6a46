"""How good the averaged generator is while it learns: painted scenes before the judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.data.batches import SceneCache, to_network
from spade_paddle.data.dataset import Scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.split import half_of
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.samples import painted, scene_input
from spade_paddle.engine.steps import Networks, StepInput
from spade_paddle.errors import DataError
from spade_paddle.judge.eye import Eye
from spade_paddle.judge.judge import SCORE, Judge

LEAST_SCENES = 2
PREFIX = "val_"
DECIDING = PREFIX + SCORE
"""The score by which the best averages are chosen."""


class Validation:
    """Scores networks on the first validation scenes of the half to choose by.

    The other half is untouched: tools/evaluate.py reports on it. A network with styles
    paints the k-th scene in the style of the k-th of the training photos that give the floor, since
    with that of its own photo it would be told the colours. Everything is the same each time.

    Args:
        eye: the judge's.
        train_scenes: those to learn from; some give the floor.
        val_scenes: those to look at.
        config: of the run.
        label_set: its labels.

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
        label_set: LabelSet,
    ) -> None:
        self._eye = eye
        self._train, self._val = train_scenes, val_scenes
        self._config = config
        self._label_set = label_set
        chosen = [
            index for index, pair in enumerate(val_scenes.pairs) if half_of(pair.stem) == "choose"
        ]
        self._chosen = chosen[: config.validation.judge_scenes]
        if len(self._chosen) < LEAST_SCENES:
            raise DataError(
                f"validation.judge_weights: of the {len(val_scenes)} validation scenes "
                f"{len(chosen)} are of the half to choose by, at least {LEAST_SCENES} are needed; "
                "add scenes (data.val_share of a flat data set), or train without a judge (null)",
                code="scenes_too_few",
            )
        count = min(len(self._chosen), len(train_scenes))
        self._others = [index * len(train_scenes) // count for index in range(count)]
        self._judge: Judge | None = None

    def score(self, networks: Networks) -> dict[str, float]:
        """Of these networks: what Judge.score gives, each name with ``val_`` before it.

        Raises:
            DataError, LabelMapError: a scene cannot be read any more.
        """
        if self._judge is None:  # not before: a run that only goes on for a step needs none
            self._judge = Judge(
                self._eye,
                photos=self._photos(self._val, self._chosen),
                others=self._photos(self._train, self._others),
            )
        scores = self._judge.score(self._pictures(networks))
        return {PREFIX + name: value for name, value in scores.items()}

    def _photos(self, scenes: SceneCache, indices: list[int]) -> Iterator[np.ndarray]:
        for index in indices:
            yield self._view(scenes, index).photo

    def _pictures(self, networks: Networks) -> Iterator[np.ndarray]:
        for seed, index in enumerate(self._chosen):
            yield painted(networks, self._input(networks, index, seed=seed))

    def _input(self, networks: Networks, index: int, *, seed: int) -> StepInput:
        inputs = scene_input(
            self._view(self._val, index),
            seed=seed,
            noise_channels=networks.generator.noise_channels,
            config=self._config,
            num_labels=len(self._label_set),
        )
        if networks.encoder is None:
            return inputs
        other = self._view(self._train, self._others[seed % len(self._others)])
        return dataclasses.replace(inputs, photo=paddle.to_tensor(to_network(other.photo[None])))

    def _view(self, scenes: SceneCache, index: int) -> Scene:
        multiple = self._config.generator.multiple
        return middle_view(scenes[index], self._config.data, multiple=multiple)
