"""Where a step is computed, and the memory it needs."""

from __future__ import annotations

import sys

import paddle


def on_gpu() -> bool:
    """Whether the networks run on a GPU."""
    return paddle.device.get_device() != "cpu"


def peak_memory_gib() -> float | None:
    """The most memory in use so far, in GiB: the GPU's on a GPU, else the process's; None where
    the system does not tell (Windows)."""
    if on_gpu():
        return paddle.device.cuda.max_memory_allocated() / 2**30
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20  # bytes there, KiB elsewhere
