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
    """On a GPU, let cuDNN try all its algorithms for each new size of a convolution and keep the
    fastest, where the environment variable of that flag says nothing else.

    A step has the same sizes every time, so the search is soon over. It decides by time, so two
    runs may differ by rounding. To be called before the first convolution: what was chosen stays.
    """
    if on_gpu() and EXHAUSTIVE_SEARCH not in os.environ:
        paddle.set_flags({EXHAUSTIVE_SEARCH: True})


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
