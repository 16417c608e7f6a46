"""Cleans up state dicts of other projects: removes extra entries, adds missing ones."""

from __future__ import annotations

import numpy as np

from spade_paddle.weights import Arrays

_PREFIX = "module."  # added by PyTorch's DataParallel


def without_prefix(arrays: Arrays) -> Arrays:
    """Remove the prefix ``module.`` if all names have it."""
    if not all(name.startswith(_PREFIX) for name in arrays):
        return arrays
    return {name[len(_PREFIX) :]: array for name, array in arrays.items()}


def without_counters(arrays: Arrays) -> Arrays:
    """Remove ``num_batches_tracked`` of PyTorch's batch norm, which is not needed."""
    return {n: a for n, a in arrays.items() if not n.endswith("num_batches_tracked")}


def complete_spectral(arrays: Arrays) -> Arrays:
    """Reduce every spectrally normalized layer to ``weight_orig``, ``weight_u`` and ``weight_v``.

    Old versions of PyTorch saved no ``weight_v``, but the normalized ``weight``, from which the
    divisor sigma follows. Then v is computed in the direction of ``W^T u``, with W the weight with
    its output channels as rows (Miyato et al. 2018, algorithm 1), and scaled such that
    ``u^T W v = sigma``; without a matching ``weight``, it has length 1. ``weight`` is dropped.
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
            # u^T W (W^T u) = length^2
            complete[f"{stem}_v"] = v / length if sigma is None else v * (sigma / length**2)
    return complete


def _sigma(weight: np.ndarray, normalized: np.ndarray | None) -> float | None:
    """Return sigma with ``weight / sigma == normalized``; None if there is no such number."""
    if normalized is None or normalized.shape != weight.shape or not normalized.any():
        return None
    sigma = float((weight * normalized).sum() / (normalized**2).sum())
    tolerance = 1e-3 * float(np.abs(weight).max())
    return sigma if np.abs(normalized * sigma - weight).max() <= tolerance else None
