"""Scenes with rare labels drawn more often, so that snow and flowers are learned, too.

Legend: S scenes, K labels.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

MOST = 3.0
"""No scene is drawn more often than so many times the average one: ten photos of flowers are not
to be learned by heart."""


def label_shares(label_maps: Iterable[np.ndarray], *, num_labels: int) -> np.ndarray:
    """Which part of each scene every label is, float64 [S, K] in 0..1.

    Pixels of no label (255, "don't care") do not count; a scene of nothing else has zeros.
    """
    shares = []
    for label_map in label_maps:
        counts = np.bincount(label_map.reshape(-1), minlength=num_labels)[:num_labels]
        shares.append(counts / max(counts.sum(), 1))
    return np.array(shares)


def scene_weights(shares: np.ndarray, *, balance: float) -> np.ndarray:
    """How often each scene is drawn, float64 [S], 1 on average.

    With ``p_sk`` the share of label k in scene s and ``f_k`` its mean over the scenes:

        w_s = sum_k p_sk f_k^-balance

    brought to a mean of 1 with none above MOST. A label that is rare in the data set, but large
    in a scene, makes that scene count; what is everywhere makes none.

    Args:
        shares: [S, K].
        balance: from 0, all alike, to 1, where labels count by what is missing of them.
    """
    frequency = shares.mean(axis=0)
    rarity = np.where(frequency > 0, np.maximum(frequency, 1e-12) ** -balance, 0.0)
    weights = shares @ rarity
    if not weights.any():
        return np.ones(len(shares))
    for _ in range(100):  # what is cut off one scene goes to the others, in proportion
        weights = np.minimum(weights / weights.mean(), MOST)
    return weights / weights.mean()


def balanced_order(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An epoch: S scenes by number, int64 [S], in random order, each as often as its weight says.

    Where that is no whole number it is drawn which of the two next to it (systematic sampling), so
    that scene s comes ``weights[s]`` times an epoch on average, and never far from it.
    """
    count = len(weights)
    shuffled = rng.permutation(count)
    ends = np.cumsum(weights[shuffled])
    ends *= count / ends[-1]
    marks = np.arange(count) + rng.random()
    chosen = np.minimum(np.searchsorted(ends, marks, side="right"), count - 1)
    return rng.permutation(shuffled[chosen])
