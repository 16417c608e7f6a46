"""The device of a training step, and the memory it needs."""

from __future__ import annotations

import os
import sys

import paddle

EXHAUSTIVE_SEARCH = "FLAGS_cudnn_exhaustive_search"


def on_gpu() -> bool:
    """Whether the networks run on a GPU."""
    return paddle.device.get_device() != "cpu"


def search_convolutions() -> None:
    """Enable cuDNN's exhaustive search on a GPU, unless the flag's environment variable is set.

    cuDNN then times all its algorithms for each new size of a convolution and keeps the fastest.
    Sizes are the same in every step, so the search ends soon. The choice depends on timing, so two
    runs may differ by rounding. Call it before the first convolution: earlier choices are kept.
    """
    if on_gpu() and EXHAUSTIVE_SEARCH not in os.environ:
        paddle.set_flags({EXHAUSTIVE_SEARCH: True})


def peak_memory_gib() -> float | None:
    """Return the peak memory in GiB: of the GPU, or on a CPU of the process; None where the system
    does not report it (Windows)."""
    if on_gpu():
        return paddle.device.cuda.max_memory_allocated() / 2**30
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20  # bytes there, KiB elsewhere
