"""The thread of Paddle: one, always eager, and anew in a forked process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident

import pytest

from spade_paddle.inference.paddle_thread import in_paddle_thread


def test_all_work_is_done_in_one_thread_in_turn_and_gives_its_result():
    inside = threading.Semaphore(1)

    def work(number: int) -> tuple[int, int]:
        assert inside.acquire(blocking=False), "two at once"
        inside.release()
        return number, threading.get_ident()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: in_paddle_thread(lambda: work(number)), range(50)))
    assert [number for number, _ in results] == list(range(50))
    threads = {thread for _, thread in results}
    assert len(threads) == 1 and threading.get_ident() not in threads


def test_work_within_that_thread_is_done_at_once():
    inner, outer = in_paddle_thread(lambda: (in_paddle_thread(get_ident), get_ident()))
    assert inner == outer


def test_an_error_reaches_the_caller_and_the_thread_goes_on():
    with pytest.raises(ZeroDivisionError):
        in_paddle_thread(lambda: 1 // 0)
    assert in_paddle_thread(lambda: 1) == 1


def test_paddle_runs_eagerly_there_whatever_the_main_thread_has_switched_on(processes, root):
    program = (
        "from spade_paddle.inference.paddle_thread import in_paddle_thread\n"
        "import paddle\n"
        "paddle.enable_static()\n"
        "assert in_paddle_thread(paddle.in_dynamic_mode)\n"
        "assert not paddle.in_dynamic_mode()\n"  # and it changes nothing for the others
        "paddle.disable_static()\n"
        "paddle.enable_static()\n"
        "work = lambda: float(paddle.to_tensor([2.0]) * 3)\n"
        "assert in_paddle_thread(work) == 6\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_gets_a_thread_of_its_own(processes, root):
    program = (
        "import os\n"
        "from spade_paddle.inference.paddle_thread import in_paddle_thread\n"
        "in_paddle_thread(int)\n"
        "if not (child := os.fork()):\n"
        "    os._exit(in_paddle_thread(lambda: 7))\n"
        "assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 7\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root, timeout=120)


SPINNING = """
import ctypes
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.onednn.library import wheel_libraries
openmp = ctypes.CDLL(str(wheel_libraries() / "libiomp5.so"))
print(in_paddle_thread(lambda: openmp.kmp_get_blocktime()))
"""


@pytest.mark.parametrize(("given", "expected"), [(None, "5"), ("70", "70")])
def test_idle_openmp_threads_soon_sleep_without_settings_in_the_environment(
    processes, root, given, expected
):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    environment.pop("KMP_BLOCKTIME", None)
    environment.update({} if given is None else {"KMP_BLOCKTIME": given})
    result = subprocess.run(
        [sys.executable, "-c", SPINNING],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split()[-1] == expected
