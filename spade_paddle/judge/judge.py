"""A few scores for a set of pictures, for a training run or a notebook."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spade_paddle.judge.eye import LAYERS, FeatureExtractor
from spade_paddle.judge.picture_set import PictureSet

SCORE = "score"
"""The name of the one number that painters are chosen by; the smaller the better."""


class Judge:
    """Scores sets of pictures of the same scenes against their photos.

    Args:
        extractor: looks at them.
        photos: of the scenes, ``uint8`` [H, W, 3] of one size, at least 2.
        others: as many photos of other scenes, of the same size: as far apart as the two sets of
            photos are, pictures may be from the photos and be as good as photos. That is the floor.

    Attributes:
        floors: Frechet distance of the two sets of photos by the name of the distance.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        *,
        photos: Iterable[np.ndarray],
        others: Iterable[np.ndarray],
    ) -> None:
        self._extractor = extractor
        self._photos = self._seen(photos)
        other_photos = self._seen(others)
        self.floors = {name: float(self._photos.frechet(name, other_photos)) for name in LAYERS}

    def score(self, pictures: Iterable[np.ndarray]) -> dict[str, float]:
        """The scores of pictures, one of each scene, of the size of the photos.

        Returns:
            ``frechet_4`` and ``frechet_10``, Frechet distances of the features of two layers
            (judge/eye.py) to the photos in multiples of the floor; ``grid``, the pictures' grid
            energy (metrics/grid.py) in multiples of the photos'; ``score``, the geometric mean of
            the two distances. All are about 1 for pictures as good as photos.
        """
        seen = self._seen(pictures)
        tiny = np.finfo(np.float64).tiny  # photos that are all alike have no floor
        distances = {
            name: float(seen.frechet(name, self._photos)) / max(floor, tiny)
            for name, floor in self.floors.items()
        }
        grid = float(seen.grid()) / max(float(self._photos.grid()), tiny)
        score = float(np.prod(list(distances.values())) ** (1 / len(distances)))
        return {**distances, "grid": grid, SCORE: score}

    def _seen(self, pictures: Iterable[np.ndarray]) -> PictureSet:
        seen = PictureSet()
        for picture in pictures:
            seen.add(picture, self._extractor.extract(picture))
        return seen
