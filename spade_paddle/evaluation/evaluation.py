"""Paint the scenes of a data set with every contender and score what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Callable

import numpy as np

from spade_paddle.annotate.annotator import Annotator
from spade_paddle.data.dataset import PARTS, Pair, Scene, find_pairs, read_scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import DataError, LabelMapError
from spade_paddle.evaluation.contenders import Contender
from spade_paddle.evaluation.features import Features, FeatureSet, PictureFeatures
from spade_paddle.evaluation.scores import Row, SceneScores
from spade_paddle.metrics.segmentation import confusion

LEAST_SCENES = 2  # one has no spread

Progress = Callable[[Iterable], Iterable]


class Evaluation:
    """What all contenders are judged by: the same scenes, the same eye, the same annotator.

    Everything is the same each time: the noise of the k-th scene is drawn from the seed k, for
    every contender.

    Args:
        features: the eye.
        annotator: looks whether pictures show what their label maps say; None: nobody does.
        label_set: of the scenes and of the contenders.
        side: pixels of the square that is painted: the middle of the scene, as much as fits.
    """

    def __init__(
        self,
        features: PictureFeatures,
        *,
        annotator: Annotator | None,
        label_set: LabelSet,
        side: int = 256,
    ) -> None:
        self._features = features
        self._annotator = annotator
        self._label_set = label_set
        self._side = side

    def score(
        self,
        contenders: Sequence[Contender],
        pairs: Sequence[Pair],
        *,
        others: Sequence[Pair],
        progress: Progress = iter,
    ) -> list[Row]:
        """The real photos' row and a row for each contender.

        Args:
            contenders: who paints.
            pairs: the scenes, at least 2.
            others: other scenes, with whose photos the real photos are compared: so far apart are
                two sets of real photos. With fewer than 2 this is left out.
            progress: is handed the scenes and hands them back one by one.

        Raises:
            DataError: a file of the data set is broken.
            LabelMapError: a scene cannot be painted; it is named.
        """
        photos = FeatureSet()
        photo_scores = []
        painted = [FeatureSet() for _ in contenders]
        painted_scores: list[list[SceneScores]] = [[] for _ in contenders]
        for seed, pair in enumerate(progress(pairs)):
            scene = self._read(pair)
            truth = self._features.of(scene.photo)
            photos.add(truth)
            photo_scores.append(SceneScores(pair.stem, confusion=self._look(scene, scene.photo)))
            for index, contender in enumerate(contenders):
                picture = _paint(contender, scene, pair, seed=seed)
                features = self._features.of(picture)
                painted[index].add(features)
                painted_scores[index].append(self._judge(pair, scene, truth, picture, features))
        floor = self._distances(photos, others) if len(others) >= LEAST_SCENES else (None, None)
        rows = [Row("real photos", None, None, *floor, photo_scores)]
        for contender, pictures, scores in zip(contenders, painted, painted_scores):
            distances = pictures.frechet_to(photos), pictures.kernel_to(photos)
            rows.append(Row(contender.title, contender.model, contender.style, *distances, scores))
        return rows

    def _read(self, pair: Pair) -> Scene:
        return whole_picture(read_scene(pair, self._label_set), self._side, self._side)

    def _judge(
        self, pair: Pair, scene: Scene, truth: Features, picture: np.ndarray, features: Features
    ) -> SceneScores:
        return SceneScores(
            pair.stem,
            perceptual=self._features.perceptual_distance(features, truth),
            colour=colour_error(picture, scene.photo),
            confusion=self._look(scene, picture),
        )

    def _look(self, scene: Scene, picture: np.ndarray) -> np.ndarray | None:
        """The label map and what the annotator sees, counted: [K, K + 1]."""
        if self._annotator is None:
            return None
        seen = self._annotator.annotate(picture).label_map
        return confusion(scene.label_map, seen, num_labels=len(self._label_set))

    def _distances(self, photos: FeatureSet, others: Sequence[Pair]) -> tuple[float, float]:
        """Frechet and kernel distance of photos to those of other scenes."""
        other_photos = FeatureSet()
        for pair in others:
            other_photos.add(self._features.of(self._read(pair).photo))
        return photos.frechet_to(other_photos), photos.kernel_to(other_photos)


def scenes_of(data: Path, part: str) -> tuple[list[Pair], list[Pair]]:
    """The scenes of a part, and as many of the other one, evenly spread; none where it is missing.

    Raises:
        DataError: no data set, files without partners, or too few scenes.
    """
    pairs = find_pairs(data, part)
    if len(pairs) < LEAST_SCENES:
        raise DataError(
            f"{data}: the part {part} has {len(pairs)} scene, but sets of pictures are compared: "
            f"at least {LEAST_SCENES} are needed, and 30 tell something",
            code="scenes_too_few",
        )
    other = next(name for name in PARTS if name != part)
    try:
        others = find_pairs(data, other)
    except DataError as error:
        if error.code not in ("data_folder_missing", "data_folder_empty"):
            raise
        others = []
    count = min(len(pairs), len(others))
    return pairs, [others[index * len(others) // count] for index in range(count)]


def colour_error(picture: np.ndarray, photo: np.ndarray) -> float:
    """Euclidean distance of the mean colours of two pictures [H, W, 3]; 0..441."""
    means = [array.mean(axis=(0, 1), dtype=np.float64) for array in (picture, photo)]
    return float(np.linalg.norm(means[0] - means[1]))


def _paint(contender: Contender, scene: Scene, pair: Pair, *, seed: int) -> np.ndarray:
    try:
        return contender.paint(scene, seed=seed)
    except LabelMapError as error:
        raise LabelMapError(
            f"{pair.label_map}: {error}", code=error.code, **error.details
        ) from error
