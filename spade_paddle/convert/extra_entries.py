"""What state dicts of other projects hold besides their tensors, or lack."""

from __future__ import annotations

import numpy as np

from spade_paddle.weights import Arrays

_PREFIX = "module."  # of a network that was trained on several cards


def without_prefix(arrays: Arrays) -> Arrays:
    """``module.`` taken off, when all names begin with it."""
    if not all(name.startswith(_PREFIX) for name in arrays):
        return arrays
    return {name[len(_PREFIX) :]: array for name, array in arrays.items()}


def without_counters(arrays: Arrays) -> Arrays:
    """No ``num_batches_tracked`` of PyTorch's batch norm, which no formula needs."""
    return {n: a for n, a in arrays.items() if not n.endswith("num_batches_tracked")}


def complete_spectral(arrays: Arrays) -> Arrays:
    """``weight_orig``, ``weight_u`` and ``weight_v`` of every spectrally normalized layer.

    Old versions of PyTorch saved no ``weight_v`` but the normalized ``weight`` beside the rest,
    which tells the sigma it was divided by. v then points along ``W^T u``, W the weight with its
    output channels as rows (Miyato et al. 2018, algorithm 1), and is as long as ``u^T W v = sigma``
    needs; without a ``weight`` that belongs to it its length is 1. Where there is a ``weight_v``,
    ``weight`` is dropped.
    """
    complete = {name: array for name, array in arrays.items() if f"{name}_orig" not in arrays}
    for name, weight in arrays.items():
        stem = name[: -len("_orig")]
        if not name.endswith(".weight_orig") or f"{stem}_v" in arrays:
            continue
        u = arrays.get(f"{stem}_u")
        if u is not None and u.shape == weight.shape[:1]:
            v = weight.reshape(weight.shape[0], -1).T @ u
            length = max(float(np.linalg.norm(v)), 1e-12)
            sigma = _sigma(weight, arrays.get(stem))
            # u^T W (W^T u) is the square of the length
            complete[f"{stem}_v"] = v / length if sigma is None else v * (sigma / length**2)
    return complete


def _sigma(weight: np.ndarray, normalized: np.ndarray | None) -> float | None:
    """What ``weight`` was divided by to become ``normalized``; None if it did not."""
    if normalized is None or normalized.shape != weight.shape or not normalized.any():
        return None
    sigma = float((weight * normalized).sum() / (normalized**2).sum())
    tolerance = 1e-3 * float(np.abs(weight).max())
    return sigma if np.abs(normalized * sigma - weight).max() <= tolerance else None
