"""A few scores for a set of pictures, for a training run or a notebook."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spade_paddle.judge.feature_extractor import LAYERS, FeatureExtractor
from spade_paddle.judge.picture_set import PictureSet

SCORE = "score"
"""Name of the score by which generators are selected; lower is better."""


class Judge:
    """Scores sets of generated pictures against the photos of the same scenes.

    Args:
        extractor: computes the features.
        photos: photos of the scenes, ``uint8`` [H, W, 3] of the same size, at least 2.
        others: as many photos of other scenes, of the same size. Their distance to ``photos`` is
            the floor, which pictures as good as photos would have.

    Attributes:
        floors: Frechet distance of the two sets of photos, by the name of the distance.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        *,
        photos: Iterable[np.ndarray],
        others: Iterable[np.ndarray],
    ) -> None:
        self._extractor = extractor
        self._photos = self._picture_set(photos)
        other_photos = self._picture_set(others)
        self.floors = {name: float(self._photos.frechet(name, other_photos)) for name in LAYERS}

    def score(self, pictures: Iterable[np.ndarray]) -> dict[str, float]:
        """Compute the scores of generated pictures, one of each scene, of the photos' size.

        Returns:
            ``frechet_4`` and ``frechet_10``, Frechet distances of the features of two layers
            (judge/feature_extractor.py) to the photos, in multiples of the floor; ``grid``, the
            pictures' grid energy (metrics/grid.py), in multiples of the photos'; ``score``, the
            geometric mean of the two distances. All are about 1 for pictures as good as photos.
        """
        generated = self._picture_set(pictures)
        tiny = np.finfo(np.float64).tiny  # the floor of identical photos is 0
        distances = {
            name: float(generated.frechet(name, self._photos)) / max(floor, tiny)
            for name, floor in self.floors.items()
        }
        grid = float(generated.grid()) / max(float(self._photos.grid()), tiny)
        score = float(np.prod(list(distances.values())) ** (1 / len(distances)))
        return {**distances, "grid": grid, SCORE: score}

    def _picture_set(self, pictures: Iterable[np.ndarray]) -> PictureSet:
        picture_set = PictureSet()
        for picture in pictures:
            picture_set.add(picture, self._extractor.extract(picture))
        return picture_set
