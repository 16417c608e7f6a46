"""Oversampling of scenes with rare labels.

Legend: S scenes, K labels.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

MAX_WEIGHT = 3.0
"""Upper limit of a scene's weight, where the mean is 1, so that a few photos of a rare label are
not memorized."""


def label_shares(label_maps: Iterable[np.ndarray], *, num_labels: int) -> np.ndarray:
    """The share of every label among the labeled pixels of each scene, float64 [S, K] in 0..1.

    "Don't care" pixels (255) do not count; a scene with no other pixels has zeros.
    """
    shares = []
    for label_map in label_maps:
        counts = np.bincount(label_map.reshape(-1), minlength=num_labels)[:num_labels]
        shares.append(counts / max(counts.sum(), 1))
    return np.array(shares)


def scene_weights(shares: np.ndarray, *, balance: float) -> np.ndarray:
    """Sampling weights of the scenes, float64 [S], with mean 1.

    With ``p_sk`` the share of label k in scene s and ``f_k`` its mean over the scenes:

        w_s = sum_k p_sk f_k^-balance

    normalized to a mean of 1 and limited to MAX_WEIGHT. Scenes with large areas of labels that are
    rare in the data set get large weights.

    Args:
        shares: [S, K], from ``label_shares``.
        balance: 0 (equal weights) to 1 (labels are weighted by their inverse frequency).
    """
    frequency = shares.mean(axis=0)
    rarity = np.where(frequency > 0, np.maximum(frequency, 1e-12) ** -balance, 0.0)
    weights = shares @ rarity
    if not weights.any():
        return np.ones(len(shares))
    for _ in range(100):  # normalizing raises the other weights, so more may reach the limit
        weights = np.minimum(weights / weights.mean(), MAX_WEIGHT)
    return weights / weights.mean()


def balanced_order(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the scenes of one epoch by systematic sampling: indices, int64 [S], in random order.

    Scene s is drawn ``weights[s]`` times on average, rounded up or down at random.

    Args:
        weights: [S], 1 on average.
        rng: source of the randomness.
    """
    count = len(weights)
    shuffled = rng.permutation(count)
    ends = np.cumsum(weights[shuffled])
    ends *= count / ends[-1]
    marks = np.arange(count) + rng.random()
    chosen = np.minimum(np.searchsorted(ends, marks, side="right"), count - 1)
    return rng.permutation(shuffled[chosen])
