"""Settings that make Paddle's CPU build fast; apply them before paddle is imported.

The MKL in Paddle's CPU wheel takes a slow path on processors that are not Intel's, and Paddle
itself sets one OpenMP thread. Both are controlled by environment variables that are read once.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from spade_paddle.engine.quiet import import_paddle
from spade_paddle.onednn.library import wheel_libraries

SPIN_MILLISECONDS = 5
"""How long an idle OpenMP thread keeps its core busy. The default, 200, would take a core from the
threads that encode and send a picture; much less costs time between two layers."""
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # of malloc.h


def cpu_settings(*, vendor: str, cores: int) -> dict[str, str]:
    """Return the environment variables for a processor vendor and a number of cores to use."""
    settings = {"OMP_NUM_THREADS": str(cores), "KMP_BLOCKTIME": str(SPIN_MILLISECONDS)}
    if vendor == "AuthenticAMD":
        settings.update(MKL_DEBUG_CPU_TYPE="5", MKL_NUM_THREADS=str(cores), MKL_DYNAMIC="FALSE")
    return settings


def apply_cpu_settings(environment: MutableMapping[str, str] | None = None) -> dict[str, str]:
    """Set the variables that are not set yet, import paddle, and return what was set.

    Args:
        environment: used instead of the process's own environment; paddle is then not imported.

    Raises:
        RuntimeError: paddle is already imported, so the variables would have no effect.
    """
    if "paddle" in sys.modules:
        raise RuntimeError("apply_cpu_settings() must run before paddle is imported")
    own = environment is None
    environment = os.environ if own else environment
    processes = int(environment.get("PADDLE_TRAINERS_NUM", "1"))  # set by Paddle's launcher
    cores = max(usable_cores() // processes, 1)
    settings = cpu_settings(vendor=_cpu_vendor(), cores=cores)
    added = {name: value for name, value in settings.items() if name not in environment}
    environment.update(added)
    if own:
        import_paddle()
    return added


def limit_spinning() -> None:
    """Apply SPIN_MILLISECONDS to the OpenMP threads that work for the calling thread.

    For processes that import paddle themselves, such as PaddleHub's, and so miss
    ``apply_cpu_settings``. Does nothing if KMP_BLOCKTIME is set, or if this build of paddle has no
    OpenMP library of its own.
    """
    if "KMP_BLOCKTIME" in os.environ:
        return
    name = {"win32": "libiomp5md.dll", "darwin": "libiomp5.dylib"}.get(sys.platform, "libiomp5.so")
    with contextlib.suppress(OSError):
        library = ctypes.CDLL(str(wheel_libraries() / name))
        library.kmp_set_blocktime(SPIN_MILLISECONDS)


def keep_freed_memory() -> bool:
    """Let malloc keep freed memory for reuse; return whether that was possible (glibc only).

    A training step frees and reallocates hundreds of blocks of several megabytes. By default each
    is mapped and unmapped, and the system clears every page. Costs about 0.4 GiB of memory.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return False
    options = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28))
    return all([mallopt(option, value) == 1 for option, value in options])


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux: respects taskset and containers
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_vendor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("vendor_id"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    # Windows: for example "AMD64 Family 25 ..., AuthenticAMD"
    return os.environ.get("PROCESSOR_IDENTIFIER", "").rpartition(",")[2].strip()
