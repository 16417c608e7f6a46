"""What state dicts of other projects hold besides their tensors, or lack."""

from __future__ import annotations

import numpy as np

from spade_paddle.convert.files import Arrays

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
    """``weight_orig``, ``weight_u`` and ``weight_v`` of every spectrally normalised layer.

    PyTorch before 1.1 saved the normalised ``weight`` too, which is dropped, and no ``weight_v``,
    which one power iteration gives: ``v = W^T u / |W^T u|`` with W the weight with its output
    channels as rows (Miyato et al. 2018, algorithm 1).
    """
    complete = {name: array for name, array in arrays.items() if f"{name}_orig" not in arrays}
    for name, weight in arrays.items():
        stem = name[: -len("_orig")]
        if not name.endswith(".weight_orig") or f"{stem}_v" in arrays:
            continue
        u = arrays.get(f"{stem}_u")
        if u is not None and u.shape == weight.shape[:1]:
            v = weight.reshape(weight.shape[0], -1).T @ u
            complete[f"{stem}_v"] = v / max(float(np.linalg.norm(v)), 1e-12)
    return complete
