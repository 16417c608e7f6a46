"""Servers as processes of their own, for tests: started, asked, stopped, and nothing left over."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from tests.serving.conftest import ROOT, wait_until


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A service in a process group of its own."""

    def __init__(self, process: subprocess.Popen, *, port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str) -> requests.Response:
        return self._session.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def paint(self, content: Any, *, token: str | None = None) -> requests.Response:
        url = f"http://127.0.0.1:{self.port}/predict/gaugan_doodle"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.post(url, json=content, headers=headers, timeout=120, proxies={"http": ""})

    def metric(self, name: str) -> float:
        """A number of ``GET /metrics`` without labels."""
        lines = self.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))

    def is_healthy(self) -> bool:
        assert self.process.poll() is None, "the service ended:\n" + self.log
        with contextlib.suppress(requests.ConnectionError):
            return self.get("/healthz").status_code == 200
        return False

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send it to the process, or to its group, as a terminal's Ctrl-C does."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def group_lives(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@contextlib.contextmanager
def serving(
    folder: Path, *command: str, port: int, environ: dict[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Run a Python command that serves on the port; it is healthy when the block begins."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GAUGAN_")}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), **(environ or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # a test run started in the background ignores SIGINT, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    server = ServerProcess(process, port=port, log=log)
    try:
        wait_until(server.is_healthy)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def stand_in(
    folder: Path, mode: str = "THREADED", **settings: object
) -> contextlib.AbstractContextManager[ServerProcess]:
    """``serving`` of ``stand_in_server.py`` with these settings; its pipes are in ``folder``."""
    port = free_port()
    program = str(ROOT / "tests/serving/stand_in_server.py")
    environ = {f"GAUGAN_{name.upper()}": str(value) for name, value in settings.items()}
    return serving(folder, program, mode, str(port), str(folder), port=port, environ=environ)


class Pipes:
    """Holds the painter of ``stand_in_server.py`` in the middle of a picture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("begun", "go_on"):
            os.mkfifo(folder / name)

    def wait_until_begun(self) -> None:
        """Until the painter holds a picture."""
        self._do((self.folder / "begun").read_text)

    def let_go_on(self) -> None:
        """Let the painter paint what it holds."""
        self._do(lambda: (self.folder / "go_on").write_text(""))

    def _do(self, work: Callable[[], object]) -> None:
        """A pipe's end waits for the other; a painter that is gone must not hold the test."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "no painter at the other end"
