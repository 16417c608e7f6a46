"""Paints the scenes of a data set with every contender and scores the pictures."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import Callable, Union

import numpy as np

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.data.dataset import Pair, Scene, read_scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import LabelMapError
from spade_paddle.evaluation.contenders import Contender
from spade_paddle.evaluation.pictures import PictureFolder
from spade_paddle.evaluation.scenes import LEAST_SCENES
from spade_paddle.evaluation.scores import SceneScores, ScoreRow, scene_estimates
from spade_paddle.judge.feature_extractor import (
    LAYERS,
    FeatureExtractor,
    PictureFeatures,
    feature_distance,
)
from spade_paddle.judge.inception import FeatureSet, InceptionExtractor, Statistics
from spade_paddle.judge.picture_set import PictureSet
from spade_paddle.metrics.bootstrap import REPLICATES, Estimate, bootstrap_weights
from spade_paddle.metrics.segmentation import confusion

DIVERSITY_SCENES, DIVERSITY_SEEDS = 4, 8
"""Diversity is measured on this many evenly spaced scenes, with this many seeds each."""

Progress = Callable[[Iterable], Iterable]
AnyContender = Union[Contender, PictureFolder]


class Evaluation:
    """What all contenders are judged by: the same scenes, the same extractor, the same annotator.

    Results are deterministic: the k-th scene is painted with seed k by every contender, and the
    bootstrap samples are fixed.

    Args:
        extractor: computes the features of the pictures.
        annotator: segments the pictures, for agreement with their label maps; None skips this.
        label_set: labels of the scenes and of the contenders.
        side: height and width in pixels of the pictures, the largest central square of the scene.
        inception: Inception-v3 features for FID and KID; None skips them.
        statistics: stored statistics of another data set, to which FID is also computed.
        replicates: bootstrap samples for the confidence intervals.

    Attributes:
        photo_features: after ``score`` with ``inception``, the features of the scenes' photos.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        *,
        annotator: Annotator | None,
        label_set: LabelSet,
        side: int = 256,
        inception: InceptionExtractor | None = None,
        statistics: Statistics | None = None,
        replicates: int = REPLICATES,
    ) -> None:
        self._extractor = extractor
        self._inception = inception
        self._statistics = statistics
        self._replicates = replicates
        self.photo_features = FeatureSet()
        self._annotator = annotator
        self._label_set = label_set
        self._side = side

    def score(
        self,
        contenders: Sequence[AnyContender],
        pairs: Sequence[Pair],
        *,
        others: Sequence[Pair],
        progress: Progress = iter,
    ) -> list[ScoreRow]:
        """Score the real photos and each contender, one row each.

        Args:
            contenders: models and folders of pictures.
            pairs: the scenes, at least 2.
            others: other scenes; the distance between their photos and those of ``pairs`` is the
                floor. It is left out with fewer than 2.
            progress: wraps the iteration over scenes, as tqdm does.

        Raises:
            DataError: a file of the data set is damaged.
            LabelMapError: a scene, which is named, cannot be painted.
        """
        photos = _Gathered(self._inception)
        painted = [_Gathered(self._inception) for _ in contenders]
        varied = set(np.linspace(0, len(pairs) - 1, DIVERSITY_SCENES).astype(int).tolist())
        for seed, pair in enumerate(progress(pairs)):
            scene = self._read(pair)
            truth = self._extractor.extract(scene.photo)
            look = self._annotate(scene, scene.photo)
            photos.add(scene.photo, truth, SceneScores(pair.stem, confusion=look))
            for contender, gathered in zip(contenders, painted):
                picture = _paint(contender, scene, pair, seed=seed)
                features = self._extractor.extract(picture)
                scores = SceneScores(
                    pair.stem,
                    perceptual=feature_distance(features, truth),
                    color=color_error(picture, scene.photo),
                    confusion=self._annotate(scene, picture),
                )
                gathered.add(picture, features, scores)
                if seed in varied and not isinstance(contender, PictureFolder):
                    gathered.distances.append(self._diversity(contender, scene, pair))
        self.photo_features = photos.features
        draws = bootstrap_weights(len(pairs), replicates=self._replicates)
        # the other photos are not paired with the scenes, so they are resampled independently
        floor = self._look_at(others)
        other_draws = bootstrap_weights(max(len(others), 1), replicates=self._replicates, seed=1)
        estimates = photos.estimates(draws, floor, other_draws, self._statistics)
        rows = [ScoreRow("real photos", None, None, photos.scenes, estimates)]
        for contender, gathered in zip(contenders, painted):
            estimates = gathered.estimates(draws, photos, draws, self._statistics)
            diversity = float(np.mean(gathered.distances)) if gathered.distances else None
            about = contender.title, contender.model, contender.style
            rows.append(ScoreRow(*about, gathered.scenes, estimates, diversity=diversity))
        return rows

    def _read(self, pair: Pair) -> Scene:
        return whole_picture(read_scene(pair, self._label_set), self._side, self._side)

    def _look_at(self, pairs: Sequence[Pair]) -> _Gathered:
        photos = _Gathered(self._inception)
        for pair in pairs:
            photo = self._read(pair).photo
            photos.add(photo, self._extractor.extract(photo))
        return photos

    def _annotate(self, scene: Scene, picture: np.ndarray) -> np.ndarray | None:
        """Confusion matrix of the label map and the annotator's prediction, [K, K + 1]."""
        if self._annotator is None:
            return None
        predicted = self._annotator.annotate(picture).label_map
        return confusion(scene.label_map, predicted, num_labels=len(self._label_set))

    def _diversity(self, contender: Contender, scene: Scene, pair: Pair) -> float:
        """Mean perceptual distance over all pairs of pictures of one scene with different seeds."""
        features = [
            self._extractor.extract(_paint(contender, scene, pair, seed=seed))
            for seed in range(DIVERSITY_SEEDS)
        ]
        pairs = itertools.combinations(features, 2)
        return float(np.mean([feature_distance(*two) for two in pairs]))


class _Gathered:
    """Accumulates the pictures of one row."""

    def __init__(self, inception: InceptionExtractor | None) -> None:
        self._inception = inception
        self.pictures = PictureSet()
        self.features = FeatureSet()
        self.scenes: list[SceneScores] = []
        self.distances: list[float] = []  # of pictures of one scene

    def add(
        self, picture: np.ndarray, features: PictureFeatures, scores: SceneScores | None = None
    ) -> None:
        self.pictures.add(picture, features)
        if self._inception is not None:
            self.features.add(self._inception.extract(picture))
        if scores is not None:
            self.scenes.append(scores)

    def estimates(
        self,
        draws: np.ndarray,
        others: _Gathered,
        other_draws: np.ndarray,
        statistics: Statistics | None,
    ) -> dict[str, Estimate]:
        """The scores of the set; distances are those to ``others``, if these are at least 2."""
        distances: dict[str, Callable[..., np.ndarray]] = {}
        for name in LAYERS:
            distances[name] = functools.partial(self.pictures.frechet, name, others.pictures)
        if self._inception is not None:
            distances["fid"] = functools.partial(self.features.fid, others.features)
            distances["kid"] = functools.partial(self.features.kid, others.features)
        estimates = {}
        for name, distance in distances.items() if len(others) >= LEAST_SCENES else ():
            replicates = distance(weights=draws, other_weights=other_draws)
            estimates[name] = Estimate(float(distance()), replicates)
        if statistics is not None:
            stored = functools.partial(self.features.fid, statistics.normal)
            estimates["fid_statistics"] = Estimate(float(stored()), stored(weights=draws))
        grid = Estimate.of(lambda weights: self.pictures.grid(weights=weights), draws)
        return {**estimates, "grid_energy": grid, **scene_estimates(self.scenes, draws)}

    def __len__(self) -> int:
        return len(self.pictures)


def color_error(picture: np.ndarray, photo: np.ndarray) -> float:
    """Euclidean distance between the mean colors of two pictures [H, W, 3], 0..441."""
    means = [array.mean(axis=(0, 1), dtype=np.float64) for array in (picture, photo)]
    return float(np.linalg.norm(means[0] - means[1]))


def _paint(contender: AnyContender, scene: Scene, pair: Pair, *, seed: int) -> np.ndarray:
    try:
        return contender.paint(scene, seed=seed)
    except LabelMapError as error:
        raise LabelMapError(
            f"{pair.label_map}: {error}", code=error.code, **error.details
        ) from error
