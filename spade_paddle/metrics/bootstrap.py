"""Confidence intervals of scores over scenes by the bootstrap (Efron 1979).

Legend: R replicates, S scenes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

REPLICATES = 200
LEVEL = 0.95


def bootstrap_weights(scenes: int, *, replicates: int = REPLICATES, seed: int = 0) -> np.ndarray:
    """Draw bootstrap samples: how often each of S scenes is in a sample of S with replacement.

    Use the same weights for all models to be compared, so that differences between scenes cancel
    out in differences between models.

    Args:
        scenes: S.
        replicates: R.
        seed: of the random numbers.

    Returns:
        float64 [R, S]; every row sums to S.
    """
    probabilities = np.full(scenes, 1 / scenes)
    draws = np.random.default_rng(seed).multinomial(scenes, probabilities, size=replicates)
    return draws.astype(np.float64)


@dataclass(frozen=True)
class Estimate:
    """A score and its bootstrap replicates.

    Args:
        value: the score on all scenes, each counted once; ``nan`` if it is undefined.
        replicates: float64 [R], the scores on the resampled scenes.
    """

    value: float
    replicates: np.ndarray

    @classmethod
    def of(cls, score: Callable[[np.ndarray], np.ndarray], draws: np.ndarray) -> Estimate:
        """Compute a score and its replicates.

        Args:
            score: maps weights [..., S] of the scenes to scores [...].
            draws: [R, S], of ``resampled``.
        """
        return cls(float(score(np.ones(draws.shape[1]))), np.asarray(score(draws)))

    @property
    def interval(self) -> tuple[float, float]:
        """Bias-corrected percentile interval at 95 %: how much the score depends on the scenes.

        The percentiles are shifted by the mean of the replicates minus the value. The distance of
        two sets is biased upwards for few samples, and about as much again for resampled sets,
        which have duplicates; without the shift the interval would lie above the value. It covers
        the expected score for this number of scenes, not that for infinitely many, so compare
        scores only for the same number of scenes and the same floor.
        """
        tails = [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2]
        low, high = np.percentile(self.replicates, tails) - self.replicates.mean() + self.value
        return float(low), float(high)

    def minus(self, other: Estimate) -> Estimate:
        """The difference; both must have the same bootstrap weights."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)

    def divided_by(self, reference: float) -> Estimate:
        """In multiples of a constant, such as the floor."""
        return Estimate(self.value / reference, self.replicates / reference)
