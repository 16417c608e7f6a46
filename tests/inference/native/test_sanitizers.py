"""Under the compiler's sanitizers the functions in C touch no memory but their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spade_paddle.inference.native import kernels
from tests.inference.native.fuzz_kernels import MISTAKES

ROUNDS = os.environ.get("FUZZ_CASES", "60")
FLAGS = (
    *("-shared", "-fPIC", "-g", "-O1", "-DNO_CLONES"),  # without OpenMP: in one thread
    *("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"),
)
REPORTS = ("ERROR: AddressSanitizer", "runtime error:")
OPTIONS = {
    "detect_leaks": 0,  # those of Python itself
    # new memory is NaN, so that a result that is not written shows
    "malloc_fill_byte": 255,
    "max_malloc_fill_size": 2**30,
}


@pytest.fixture(scope="module")
def watched(processes, tmp_path_factory: pytest.TempPathFactory, root: Path):
    """A function: what fuzz_kernels.py does with a library under sanitizers, run to its end."""
    folder = tmp_path_factory.mktemp("sanitizers")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    empty = folder / "empty.c"
    empty.write_text("")
    runtime = output_of(compiler, "-print-file-name=libasan.so").strip()
    trial = subprocess.run(
        [compiler, *FLAGS, "-o", str(folder / "empty.so"), str(empty)], capture_output=True
    )
    if trial.returncode or not Path(runtime).is_absolute():
        pytest.skip("the C compiler has no sanitizers")
    library = folder / "_kernels.so"
    sources = map(str, Path(kernels.__file__).parent.glob("*.c"))
    output_of(compiler, *FLAGS, "-o", str(library), *sources, "-lm")

    def run(work: str) -> subprocess.CompletedProcess:
        options = ":".join(f"{name}={value}" for name, value in OPTIONS.items())
        return subprocess.run(
            [sys.executable, str(root / "tests/inference/native/fuzz_kernels.py"), library, work],
            env={
                **os.environ,
                "LD_PRELOAD": runtime,
                "ASAN_OPTIONS": options,
                "PYTHONPATH": str(root),
            },
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


def output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_functions_touch_no_memory_but_their_own_whatever_the_sizes(watched):
    result = watched(ROUNDS)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-4000:]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_call_that_goes_beyond_an_array_would_be_seen(watched, mistake):
    result = watched(mistake)
    assert result.returncode != 0 and "done" not in result.stdout
    assert any(report in result.stderr for report in REPORTS), result.stderr[-4000:]
    assert "kernels.c" in result.stderr or "winograd" in result.stderr
