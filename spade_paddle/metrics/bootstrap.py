"""How far a score would move with other scenes: the bootstrap (Efron 1979).

Legend: R replicates, S scenes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

REPLICATES = 200
LEVEL = 0.95


def bootstrap_weights(scenes: int, *, replicates: int = REPLICATES, seed: int = 0) -> np.ndarray:
    """How often each scene is drawn when as many as there are are drawn with replacement.

    Whatever is to be compared takes the same draws: then the difficulty of the scenes drops out of
    the differences.

    Args:
        scenes: S.
        replicates: R.
        seed: of the draws.

    Returns:
        float64 [R, S], each row with the sum S.
    """
    chances = np.full(scenes, 1 / scenes)
    draws = np.random.default_rng(seed).multinomial(scenes, chances, size=replicates)
    return draws.astype(np.float64)


@dataclass(frozen=True)
class Estimate:
    """A score, and what it was on the resampled scenes.

    Args:
        value: on the scenes as they are; ``nan`` where there is none.
        replicates: float64 [R].
    """

    value: float
    replicates: np.ndarray

    @classmethod
    def of(cls, score: Callable[[np.ndarray], np.ndarray], draws: np.ndarray) -> Estimate:
        """Of a score that takes weights [..., S] of the scenes and gives [...].

        Args:
            score: the score.
            draws: [R, S], of ``resampled``.
        """
        return cls(float(score(np.ones(draws.shape[1]))), np.asarray(score(draws)))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the replicates about the value: how far the scenes' choice moves it.

        The percentiles are shifted by the mean of the replicates minus the value. A distance of
        sets is too large on few samples, and on resampled ones, which repeat, once more by about
        as much; unshifted, the interval would lie above the value. What it covers is what
        the score is on average with so many scenes, not with endlessly many: the same
        floor and the same number of scenes are needed beside it anyway.
        """
        tails = [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2]
        low, high = np.percentile(self.replicates, tails) - self.replicates.mean() + self.value
        return float(low), float(high)

    def minus(self, other: Estimate) -> Estimate:
        """The difference; both are of the same draws."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)

    def divided_by(self, reference: float) -> Estimate:
        """In multiples of a number that is taken as given, such as the floor."""
        return Estimate(self.value / reference, self.replicates / reference)
